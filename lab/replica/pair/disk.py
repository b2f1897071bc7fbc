"""Whether the server's disk answers: a member that cannot write must not hold the address.

A volume whose path holds its requests gives no error: the database still answers to whoever reads what it has in
memory, and keeps everybody else waiting. Cluster software on real servers writes to its disk for the same reason.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_EVERY = 0.25  # seconds between two writes
# Seconds without a finished write that mean "frozen": longer than an array's power loss freezes a volume (0.5 s).
_FROZEN = 1.0


class DiskWatch:
    """Writes a block and flushes it, all the time, from a thread which may be stuck as long as the disk is.

    Args:
        folder: where, on the disk; None for a server without one, whose disk always answers.
    """

    def __init__(self, folder: Path | None) -> None:
        self._written = time.monotonic()
        self._folder = folder
        if folder is not None:
            threading.Thread(target=self._run, args=(folder / "alive",), name="disk", daemon=True).start()

    @property
    def answers(self) -> bool:
        """Whether a write was finished lately."""
        return self._folder is None or time.monotonic() - self._written < _FROZEN

    def _run(self, path: Path) -> None:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
        pause = threading.Event()
        while True:
            os.pwrite(file, b"alive", 0)
            os.fdatasync(file)
            self._written = time.monotonic()
            pause.wait(_EVERY)
