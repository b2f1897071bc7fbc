"""The page of the benchmarks says what the stored figures say, and nothing that was not measured."""

from __future__ import annotations

import json

from tests.benchmarks.instrument import DOCS, merge, page

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


def test_a_part_alone_is_a_page_of_its_own() -> None:
    figures = {name: FIGURES[name] for name in ("date", "machine")}
    row = {"what": "outage of 50 ms seen", "ours": "20 of 20", "peer": "not installed"}
    merge(figures, {"peers": {"peer": "not installed", "rows": [row]}})
    merge(figures, {"peers": {"peer": "not installed", "rows": [{**row, "what": "again"}]}})

    said = page(figures)

    assert "| outage of 50 ms seen | 20 of 20 | not installed |\n| again |" in said
    assert "Known outages" not in said
    assert "judging" not in said


def test_ten_times_more_is_ten_times_longer_or_the_page_tells() -> None:
    more = {"operations": 10_000_000, "read_s": 20.0, "judge_s": 26.0, "memory_mb": 8_500}

    said = page({**FIGURES, "judging": [*FIGURES["judging"], more]})

    assert "| 10,000,000 operations read and judged | ten times that | 46.0 s, 8500 MiB |" in said


def test_the_committed_page_is_that_of_the_committed_figures() -> None:
    figures = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))

    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == page(figures)
