"""What Galera writes about itself, kept in memory, so that a frozen volume freezes a member's data and not its voice.

At each change of the group Galera's one communication thread writes `gvwstate.dat`, and each transaction goes through
the mapped `galera.cache`. On the volume they made a room loss last 5.7 s instead of 3.5: while the storage moved to the
other room the surviving member stood in that write, its arbitrator took it for dead, and both formed their group anew.
So they are in memory, and copies of the small ones follow to the volume, from where they come back after a power loss.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("grastate.dat", "gvwstate.dat")  # the position after a clean stop; the last view of the group
_EVERY = 0.2  # seconds between two looks


class StateFiles:
    """The small files in memory and their copies on the volume.

    Args:
        home: folder in memory.
        kept: folder on the volume; the same one for a server without a volume, which needs no copies.
    """

    def __init__(self, home: Path, kept: Path) -> None:
        self._home = home
        self._kept = kept
        self._seen: dict[str, bytes | None] = {}

    def restore(self) -> None:
        """After a boot: bring the copies back, unless this life has its own already."""
        if self._home == self._kept or self._home.exists():
            return
        self._home.mkdir(parents=True)
        for name in _NAMES:
            with contextlib.suppress(FileNotFoundError):
                (self._home / name).write_bytes((self._kept / name).read_bytes())

    async def follow(self) -> None:
        """Copy what changes, for ever; from a thread, which may wait for the volume as long as it likes."""
        while self._home != self._kept:
            await asyncio.to_thread(self.copy)
            await asyncio.sleep(_EVERY)

    def copy(self) -> None:
        """Make the copies what the files are now, durably; what is gone goes."""
        for name in _NAMES if self._home != self._kept else ():
            found = _content(self._home / name)
            if self._seen.get(name, b"") != found:
                _write(self._kept / name, found)
                self._seen[name] = found


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
