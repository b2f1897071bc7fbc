"""Moments at which nothing is under way: the end of a resync, a comparison of the copies, the admission of a host."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .flow import Flow


class Gates:
    """Holds what hosts want to change, lets what is under way end, and gives one asker at a time the still volume.

    Attributes:
        shut: those who asked, the first one being served.
        since: when the hosts were first held.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.shut: deque[Callable[[float], None]] = deque()
        self.since = 0.0
        self._running = False

    def ask(self, go: Callable[[float], None], now: float) -> None:
        """Call `go` when nothing is under way; whoever asked calls `done` in the end."""
        if not self.shut:
            self.since = now
        self.shut.append(go)
        if not self._flow.active:
            self.drained(now)

    def drained(self, now: float) -> None:
        """Nothing is under way."""
        if self.shut and not self._running:
            self._running = True
            self.shut[0](now)

    def done(self, now: float) -> None:
        """The one being served has finished."""
        self.shut.popleft()
        self._running = False
        if not self.shut:
            self._flow.release(now)
        elif not self._flow.active:
            self.drained(now)

    def withdraw(self, go: Callable[[float], None], now: float) -> None:
        """Whoever asked does not need it any more, or not any longer."""
        if go not in self.shut:
            return
        if self.shut[0] == go and self._running:
            self.done(now)
            return
        self.shut.remove(go)
        if not self.shut:
            self._flow.release(now)
