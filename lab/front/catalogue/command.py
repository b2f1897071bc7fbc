"""`bascule catalogue`: write the page, or print it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:  # noqa: ANN401 - argparse keeps the type of its commands to itself
    """Add the command to the command line."""
    catalogue = commands.add_parser("catalogue", help="the published failures: predicted, played, or why not")
    catalogue.add_argument("-o", "--output", type=Path, help="the file to write (default: standard output)")
    catalogue.add_argument("--runs", type=Path, help="add the last verdicts of the runs in this folder")
    catalogue.set_defaults(command=_catalogue)


def _catalogue(options: argparse.Namespace) -> int:
    from lab.front.catalogue.page import page  # noqa: PLC0415 - help is instant
    from lab.front.commands import MisuseError  # noqa: PLC0415 - as above
    from lab.front.playing import shipped  # noqa: PLC0415 - as above

    own = Path("tests/scenarios")
    text = page(own if own.is_dir() else shipped(), options.runs)
    if options.output is None:
        sys.stdout.write(text)
        return 0
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MisuseError(f"{options.output} cannot be written: {error.strerror}") from error
    return 0
