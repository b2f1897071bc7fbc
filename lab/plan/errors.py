"""What is said when a plan cannot be used, and how names are suggested."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 60  # characters of a wrong text: enough to recognise it, short enough for one sentence

_LISTED = 40  # known names in one sentence; a hospital has 450 servers


class PlanError(LabError):
    """Raised when a plan cannot be read or does not hold together; the message is one sentence.

    Args:
        sentence: What is wrong and what would be right.
        where: The file (or other origin) the plan came from.
        line: The line of that file, counted from 1.
    """

    def __init__(self, sentence: str, *, where: str | None = None, line: int = 1) -> None:
        super().__init__(sentence if where is None else f"{where}:{line}: {sentence}")
        self.sentence = sentence
        self.where = where
        self.line = line


class UnknownNameError(PlanError):
    """Raised when a plan is asked about a name that it does not hold."""


def quoted(text: object) -> str:
    """Show a text taken from a file on one line, whatever is in it."""
    shown = str(text)
    return repr(shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…")


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Say that a name is not known, which one may have been meant, and list the known ones."""
    names = sorted(set(known))
    close = difflib.get_close_matches(str(name)[:_SHOWN], names, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    listed = ", ".join(names[:_LISTED]) if names else "none"
    if len(names) > _LISTED:
        listed += f", … ({len(names)} in all)"
    return f"unknown {what} {quoted(name)}{meant or ';'} known: {listed}"
