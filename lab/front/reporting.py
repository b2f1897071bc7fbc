"""The commands that read run folders: `bascule report` for one, `bascule history` for many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

DONE = 0


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the commands to the command line."""
    report = commands.add_parser("report", help="write the report of a run folder again: page, PDF, summary")
    report.add_argument("run", type=Path, nargs="?", help="a folder below runs/")
    report.add_argument("--language", choices=("fr", "en"), default="fr", help="language of the report (default: fr)")
    report.add_argument("--allure", action="store_true", help="fetch Allure 3 with npm if it is not there yet")
    report.add_argument("--example", action="store_true", help="print the file of those who sign, to be filled in")
    report.set_defaults(command=_report)
    history = commands.add_parser("history", help="how each scenario went over many runs; writes a page beside them")
    history.add_argument(
        "runs", type=Path, nargs="?", default=Path("runs"), help="where run folders are (default: runs)"
    )
    history.add_argument("--plan", help="the runs on this plan only")
    history.add_argument("--language", choices=("fr", "en"), default="fr", help="language of the page (default: fr)")
    history.set_defaults(command=_history)

    compare = commands.add_parser("compare", help="the same scenarios on several plans, side by side: before and after")
    compare.add_argument("runs", type=Path, nargs="+", help="run folders, on two plans at least, in the order to show")
    compare.add_argument("-o", "--output", type=Path, help="the page to write (default: beside the first run)")
    compare.add_argument("--language", choices=("fr", "en"), default="fr", help="language of the page (default: fr)")
    compare.set_defaults(command=_compare)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - a command line prints


def _report(options: argparse.Namespace) -> int:
    if options.example:
        from reports.people import example  # noqa: PLC0415 - each command loads what it needs, so that help is instant

        print(example(), end="", flush=True)  # noqa: T201 - as above
        return DONE
    from reports import ReportError, publish  # noqa: PLC0415 - as above

    if options.run is None:
        raise ReportError("which run? give a folder below runs/")
    written = publish(options.run, language=options.language, install=options.allure)
    for path in (written.document, written.pdf, written.summary, written.allure):
        if path is not None:
            _say(f"written: {path}")
    for sentence in written.missing:
        _say(sentence)
    return DONE


def _history(options: argparse.Namespace) -> int:
    from reports.trend import lines, write  # noqa: PLC0415 - as above

    page = write(options.runs, plan=options.plan, language=options.language)
    for line in lines(options.runs, plan=options.plan):
        _say(line)
    _say(f"written: {page}")
    return DONE


def _compare(options: argparse.Namespace) -> int:
    from reports.beforeafter import lines, write  # noqa: PLC0415 - as above

    page = write(options.runs, output=options.output, language=options.language)
    for line in lines(options.runs):
        _say(line)
    _say(f"written: {page}")
    return DONE
