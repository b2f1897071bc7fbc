"""Starts on a grid of instants, whatever becomes of what was started: the open loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_NS_IN_S = 1_000_000_000


class Grid:
    """Call `begin` with each intended instant (monotonic ns), in order, none left out.

    When the process was late, all the instants that it missed are begun at once, each with its own intended
    time: the lag is theirs to show, and an outage keeps its length.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, interval_ns: int, begin: Callable[[int], None]) -> None:
        self._loop = loop
        self._interval_ns = interval_ns
        self._begin = begin
        self._next_ns = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin one interval from now."""
        self._next_ns = time.monotonic_ns() + self._interval_ns
        self._wait()

    def stop(self) -> None:
        """Begin no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = time.monotonic_ns()
        try:
            while self._next_ns <= now:
                intended, self._next_ns = self._next_ns, self._next_ns + self._interval_ns
                self._begin(intended)
        finally:  # one that could not begin must not be the last
            self._wait()

    def _wait(self) -> None:
        # The loop's clock is the same monotonic clock, in seconds.
        self._timer = self._loop.call_at(self._next_ns / _NS_IN_S, self._tick)
