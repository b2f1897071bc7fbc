"""The instrument's own figures, without a lab: `python -m tests.benchmarks.instrument [--only PART] [--chaos PATH]`.

Writes `docs/benchmarks.json` and, from it alone, `docs/benchmarks.md`; one part alone is printed only, since a page is
of one day and one machine. Needs root, for the calibration's namespaces. Parts:

- outages: known outages and freezes, as in `bascule calibrate`
- null-responder: lag and cost of the pulse against a responder that always says yes
- judging: so many operations read and judged
- detection, cleanup, startup: side by side with Chaos Toolkit, where it is installed
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.calibration import Course, play
from lab.run import machine
from tests.benchmarks import peers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS = [100_000, 1_000_000, 10_000_000]
PER_OPERATION = 1 << 10  # octets of memory, from above: 1,000,000 take less than 1 GiB
COURSE = Course(((0.05, 20), (0.2, 20), (1.0, 20), (5.0, 20)), ((1.0, 4),))


Figures = dict[str, Any]


def program(name: str, *arguments: str) -> dict[str, Any]:
    """The figures that another benchmark prints, as its one line of JSON."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *arguments]
    printed: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return printed


def outages(_: argparse.Namespace) -> Figures:
    """Known outages and freezes."""
    return {"calibration": play(COURSE, say=say).stored()}


def null_responder(_: argparse.Namespace) -> Figures:
    """The pulse alone."""
    return {"prober": program("bench_prober.py", "1000", "20")}


def judging(options: argparse.Namespace) -> Figures:
    """Each count in a process of its own, whose memory is then its own."""
    found = []
    for count in options.operations:
        if count * PER_OPERATION < available():
            found.append(program("bench_judging.py", str(count)))
        else:
            say(f"{count:,} operations are left out: they may take {count * PER_OPERATION >> 30} GiB of memory")
    return {"judging": found}


def available() -> int:
    """Octets of memory that can be had now."""
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return int(told["MemAvailable"].split()[0]) << 10


def beside(part: Callable[[str | None, int, Path], Iterator[dict[str, str]]], options: argparse.Namespace) -> Figures:
    """A part of the comparison with Chaos Toolkit."""
    said = peers.NOT_THERE
    if options.chaos:
        said = subprocess.run([options.chaos, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        return {"peers": {"peer": said, "rows": list(part(options.chaos, options.repeat, Path(folder)))}}


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "outages": outages,
    "null-responder": null_responder,
    "judging": judging,
    "detection": partial(beside, peers.detection),
    "cleanup": partial(beside, peers.cleanup),
    "startup": partial(beside, peers.startup),
}


def main() -> None:
    """Measure, keep the figures, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, help="play one part, print it, keep nothing")
    parser.add_argument("--chaos", default=shutil.which("chaos"), help="the chaos command of Chaos Toolkit")
    parser.add_argument("--repeat", type=int, default=20, help="outages of each length in the comparison")
    parser.add_argument("--operations", type=int, nargs="+", default=OPERATIONS, help="how many are judged")
    options = parser.parse_args()
    figures: Figures = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    for name, part in PARTS.items():
        if options.only in {None, name}:
            say(name)
            merge(figures, part(options))
    if options.only is None:
        (DOCS / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (DOCS / "benchmarks.md").write_text(page(figures), encoding="utf-8")
    say(page(figures))


def merge(figures: Figures, found: Figures) -> None:
    """Add a part's figures; the parts of the comparison share a table."""
    if "peers" in found and "peers" in figures:
        figures["peers"]["rows"] += found["peers"]["rows"]
    else:
        figures.update(found)


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
    ]
    if known := figures.get("calibration"):
        lines += [
            "",
            "## Known outages and freezes",
            "",
            f"{known['sentence'].capitalize()}. Own lag {_ms(known['lag_s'])} (p99.9).",
            "",
            *_table(("what", "length", "seen", "bias", "spread", "worst error"), _known(figures)),
            "",
            "A freeze is measured by operations that start five times a second: it is told short by half an interval.",
        ]
    if own := _own(figures):
        lines += [
            "",
            "## The pulse against a responder that always says yes, and judging",
            "",
            *_table(("figure", "reach", "measured"), own),
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


_JUDGED = {1_000_000: "5 s, 1 GiB", 10_000_000: "ten times that"}


def _own(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if prober := figures.get("prober"):
        rows.append((f"start lag at {prober['per_second']}/s, p99.9", "5 ms", f"{prober['lag_p999_ms']} ms"))
        rows.append(("the same, share of a core", "30 %", f"{prober['core_percent']} %"))
    for judged in figures.get("judging", ()):
        count = f"{judged['operations']:,} operations read and judged"
        seconds = round(judged["read_s"] + judged["judge_s"], 2)
        bound = _JUDGED.get(judged["operations"], "")
        rows.append((count, bound, f"{seconds} s, {judged['memory_mb']} MiB"))
    return rows


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    main()
