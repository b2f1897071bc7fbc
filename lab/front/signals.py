"""SIGTERM and SIGHUP mean what Ctrl-C means: heal, report, leave nothing; twice, the lab is torn down at once."""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_TERMINALS = {4, 5, *range(136, 144)}  # major numbers: consoles, the controlling terminal, pseudo-terminals


def listen() -> None:
    """Take both signals for Ctrl-C from now on; whoever ignores SIGHUP (`nohup`) goes on ignoring it."""
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may; a worker of pytest-xdist ends when its controller does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _hung_up)


def _hung_up(number: int, frame: FrameType | None) -> None:
    """The terminal is gone: what would still be written to it must not stop the healing half-way."""
    forget_terminals()
    signal.default_int_handler(number, frame)


def forget_terminals() -> None:
    """Put nothing behind every open descriptor of a terminal; pytest keeps some that are not the first three."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        with suppress(OSError):  # the listing's own descriptor is closed by now
            found = os.fstat(int(name))
            if stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) in _TERMINALS:
                os.dup2(nowhere, int(name))
    os.close(nowhere)
