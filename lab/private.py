"""Files that hold a secret: nobody but their owner reads them, from their first octet on."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class ExposedError(LabError):
    """A file that holds a secret can be read by others than its owner."""


def write(path: Path, text: str) -> None:
    """Write a file of mode 600, in place of what is there: an old one may be open to others."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def read(path: Path) -> str:
    """Return what such a file holds.

    Raises:
        ExposedError: others may read or change it, so that what it holds is no secret any more.
        OSError: it cannot be read.
        UnicodeDecodeError: it is no text.
    """
    with path.open(encoding="utf-8") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & _OTHERS:
            raise ExposedError(f"others may use it (mode {mode:03o}), and it holds secrets: chmod 600 {path}")
        return file.read()
