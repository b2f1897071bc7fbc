"""Names of labs become folders, control groups and command lines: nothing else may be hidden in one."""

from __future__ import annotations

import re

from lab.errors import LabError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class BadNameError(LabError):
    """A lab cannot be called so."""


def checked(name: str) -> str:
    """Return the name if a lab may be called so.

    Raises:
        BadNameError: it may not; the sentence says what would be right.
    """
    if not _NAME.fullmatch(name):
        raise BadNameError(
            f"a lab cannot be called {name[:80]!r}: write letters, digits, - and _, beginning with a letter or a digit"
        )
    return name


def option(name: str) -> str:
    """What a command needs to mean the lab of this name: nothing for the usual one."""
    return "" if name == "lab" else f" --name {name}"
