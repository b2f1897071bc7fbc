"""`bascule analyse`: judge a stored run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.front.commands import MisuseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from lab.analysis import Again

MET, MISSED, SAYS_NOTHING = 0, 1, 3


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the command to the command line."""
    words = "judge a stored run again, against its own objectives or others"
    analyse = commands.add_parser("analyse", help=words, description=f"{words[0].upper()}{words[1:]}.")
    analyse.add_argument("run", type=Path, help="a folder below runs/")
    analyse.add_argument("--objectives", type=Path, metavar="FILE", help="service, scope and bounds, as in a plan")
    analyse.set_defaults(command=_analyse)


def _analyse(options: argparse.Namespace) -> int:
    from lab.analysis import AnalysisError, analyse, promises_of  # noqa: PLC0415 - help is instant

    promises = None if options.objectives is None else promises_of(options.objectives)
    try:
        judged = analyse(options.run, promises)
    except AnalysisError as error:
        raise MisuseError(str(error)) from None
    for again in judged:
        for line in lines(again):
            print(line)  # noqa: T201 - a command line prints
    return code_of(judged)


def lines(again: Again) -> Iterable[str]:
    """What is said of one scenario."""
    yield f"{again.verdict.verdict:13} {again.verdict.scenario}: {again.verdict.sentence}"
    if again.differs and again.then is not None:
        yield f"{'':13} the verdict stored then is {again.then.verdict}"
    yield from (f"{'':13} missing: {words}" for words in again.missing)


def code_of(judged: Iterable[Again]) -> int:
    """0 when every objective is met or its gap signed for, 1 when one is not, 3 when one says nothing."""
    verdicts = [again.verdict for again in judged]
    if any(verdict.verdict == "not-met" and not verdict.accepted_by for verdict in verdicts):
        return MISSED
    return SAYS_NOTHING if any(verdict.verdict == "inconclusive" for verdict in verdicts) else MET
