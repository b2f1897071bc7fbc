"""How long the document takes: `python -m tests.benchmarks.bench_reports [--repeat N]`.

A campaign of thirty scenarios with a history each, as the pure tests write them; HTML, PDF, manifest and summary, in
French. To reach: 6 s for all of it, and 2 MB of HTML. Prints one line of JSON: the median, and every time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reports
from tests.harness.pure.reports_folder import FROZEN, MET, NOT_MET, UNSEEN, write_run

if TYPE_CHECKING:
    from tests.harness.pure.reports_folder import Story

SCENARIOS = 30
_STORIES = (MET, UNSEEN, FROZEN, NOT_MET, MET, FROZEN)


def stories(count: int = SCENARIOS) -> list[Story]:
    """Scenarios that differ by name only from a few."""
    return [replace(_STORIES[n % len(_STORIES)], id=f"{_STORIES[n % len(_STORIES)].id}-{n}") for n in range(count)]


def measure(repeat: int, folder: Path) -> dict[str, Any]:
    """The figures; each time in the same folder, so that the octets can be held against each other."""
    os.environ["BASCULE_ALLURE"] = os.devnull  # Allure's page is no part of it, also where it could be made
    run = write_run(folder, *stories())
    seconds, octets = [], set()
    for _ in range(repeat):
        begun = time.perf_counter()
        published = reports.publish(run)
        seconds.append(time.perf_counter() - begun)
        assert published.pdf, published.missing
        octets.add((published.document.read_bytes(), published.pdf.read_bytes()))
    assert len(octets) == 1, "the same run gave other octets"
    ((html, pdf),) = octets
    return {
        "scenarios": SCENARIOS,
        "publish_s": round(statistics.median(seconds), 2),
        "each_s": [round(one, 2) for one in seconds],
        "html_kb": len(html) // 1000,
        "pdf_kb": len(pdf) // 1000,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(parser.parse_args().repeat, Path(folder))))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
