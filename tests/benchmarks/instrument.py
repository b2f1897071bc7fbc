"""The instrument's own figures, without a lab: `python -m tests.benchmarks.instrument [--chaos PATH] [--repeat N]`.

Writes `docs/benchmarks.json` and, from it alone, `docs/benchmarks.md`. Needs root, for the calibration's namespaces.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.calibration import Course, play
from lab.run import machine
from tests.benchmarks import peers

DOCS = Path(__file__).parents[2] / "docs"
COURSE = Course(((0.05, 20), (0.2, 20), (1.0, 20), (5.0, 20)), ((1.0, 4),))


def program(name: str, *arguments: str) -> dict[str, Any]:
    """The figures that another benchmark prints, as its one line of JSON."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *arguments]
    printed: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return printed


def main() -> None:
    """Measure, keep the figures, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chaos", default=shutil.which("chaos"), help="the chaos command of Chaos Toolkit")
    parser.add_argument("--repeat", type=int, default=20, help="outages of each length in the comparison")
    options = parser.parse_args()
    figures: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    figures["calibration"] = play(COURSE, say=say).stored()
    say("the pulse against a responder that always says yes")
    figures["prober"] = program("bench_prober.py", "1000", "20")
    say("judging a million operations")
    figures["judging"] = [program("bench_judging.py", str(count)) for count in (100_000, 1_000_000)]
    if options.chaos:
        say("side by side with Chaos Toolkit")
        said = subprocess.run([options.chaos, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        with tempfile.TemporaryDirectory() as folder:
            figures["peers"] = {"peer": said, "rows": peers.measure(options.chaos, options.repeat, Path(folder))}
    (DOCS / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (DOCS / "benchmarks.md").write_text(page(figures), encoding="utf-8")
    say(page(figures))


def say(words: str) -> None:
    """To whoever watches."""
    print(words, flush=True)  # noqa: T201 - a program


def page(figures: dict[str, Any]) -> str:
    """The page, from the stored figures alone."""
    machine = ", ".join(f"{name} {value}" for name, value in figures["machine"].items())
    lines = [
        "# Benchmarks of the instrument",
        "",
        f"Generated from `benchmarks.json` by `python -m tests.benchmarks.instrument`: {figures['date']}; {machine}.",
        "",
        "## Known outages and freezes",
        "",
        f"{figures['calibration']['sentence'].capitalize()}. Own lag {_ms(figures['calibration']['lag_s'])} (p99.9).",
        "",
        *_table(("what", "length", "seen", "bias", "spread", "worst error"), _known(figures)),
        "",
        "A freeze is measured by operations that start five times a second: it is told short by half an interval.",
        "",
        "## The pulse against a responder that always says yes, and judging",
        "",
        *_table(("figure", "reach", "measured"), _own(figures)),
    ]
    if "peers" in figures:
        told: list[tuple[str, ...]] = [(row["what"], row["ours"], row["peer"]) for row in figures["peers"]["rows"]]
        peer = f"Chaos Toolkit ({figures['peers']['peer']})"
        lines += ["", "## Side by side", "", *_table(("figure", "Bascule", peer), told)]
    return "\n".join(lines) + "\n"


def _known(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            *(row["how"], f"{row['asked_s']:g} s", f"{row['seen']} of {row['count']}"),
            *(_ms(row[name]) for name in ("bias_s", "spread_s", "worst_s")),
        )
        for row in figures["calibration"]["rows"]
    ]


def _own(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if prober := figures.get("prober"):
        rows.append((f"start lag at {prober['per_second']}/s, p99.9", "5 ms", f"{prober['lag_p999_ms']} ms"))
        rows.append(("the same, share of a core", "30 %", f"{prober['core_percent']} %"))
    for judged in figures.get("judging", ()):
        count = f"{judged['operations']:,} operations read and judged"
        seconds = round(judged["read_s"] + judged["judge_s"], 2)
        bound = "5 s, 1 GiB" if judged["operations"] == 1_000_000 else ""
        rows.append((count, bound, f"{seconds} s, {judged['memory_mb']} MiB"))
    return rows


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    main()
