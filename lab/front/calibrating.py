"""`bascule calibrate`: what the instrument is worth on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from lab.calibration import Calibration

GOOD, SAYS_NOTHING = 0, 3


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the command to the command line."""
    words = "what the instrument is worth here: outages and freezes of known length"
    calibrate = commands.add_parser("calibrate", help=words, description=f"{words[0].upper()}{words[1:]}.")
    calibrate.add_argument("--short", action="store_true", help="the few seconds that open every gate")
    calibrate.add_argument("--seed", type=int, default=1, help="seed of phases and order (default: 1)")
    calibrate.add_argument("-o", "--output", type=Path, help="a JSON file to write the figures to")
    calibrate.set_defaults(command=_calibrate)


def _calibrate(options: argparse.Namespace) -> int:
    from lab.calibration import LONG, SHORT, play  # noqa: PLC0415 - help is instant

    found = play(SHORT if options.short else LONG, options.seed, say=_say)
    for line in lines(found):
        _say(line)
    if options.output is not None:
        options.output.write_text(json.dumps(found.stored(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return GOOD if found.conclusive else SAYS_NOTHING


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - a command line prints


def lines(found: Calibration) -> list[str]:
    """A table by kind and length, then the sentence."""
    told = [f"{'':8} {'length':>8} {'seen':>7} {'bias':>9} {'spread':>9} {'worst':>9}"]
    for row in found.rows():
        bias = "-" if row["bias_s"] is None else _ms(row["bias_s"])
        figures = f"{row['seen']:>3}/{row['count']:<3} {bias:>9} {_ms(row['spread_s']):>9} {_ms(row['worst_s']):>9}"
        told.append(f"{row['how']:8} {row['asked_s']:>6g} s {figures}")
    return [*told, f"the pulse's own lag: {_ms(found.lag_s)} (99.9th percentile)", f"{found.words.en}."]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
