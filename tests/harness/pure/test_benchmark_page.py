"""The page of the benchmarks says what the stored figures say, and nothing that was not measured."""

from __future__ import annotations

import json

from tests.benchmarks.instrument import DOCS, page

FIGURES = {
    "date": "2026-11-28",
    "machine": {"cores": "2"},
    "calibration": {
        "sentence": "20 of 20 known outages seen",
        "lag_s": 0.0023,
        "rows": [
            {"how": "cut", "asked_s": 0.05, "count": 20, "seen": 20, "bias_s": -0.001, "spread_s": 0, "worst_s": 0.009}
        ],
    },
    "judging": [{"operations": 1_000_000, "read_s": 1.5, "judge_s": 3.1, "memory_mb": 945}],
}


def test_the_page_is_made_of_the_stored_figures_alone() -> None:
    said = page(FIGURES)

    assert "2026-11-28; cores 2." in said
    assert "| cut | 0.05 s | 20 of 20 | -1.0 ms | 0.0 ms | 9.0 ms |" in said
    assert "| 1,000,000 operations read and judged | 5 s, 1 GiB | 4.6 s, 945 MiB |" in said


def test_what_was_not_measured_is_not_on_the_page() -> None:
    said = page(FIGURES)

    assert "Chaos Toolkit" not in said
    assert "share of a core" not in said


def test_the_committed_page_is_that_of_the_committed_figures() -> None:
    figures = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))

    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == page(figures)
