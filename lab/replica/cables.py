"""Which of two parallel cables carries: the decision alone, without sockets or clock.

Two switches (or a node and its two switches) say hello to each other on every cable between them, and each hello says
whether the other one is heard. The side that leads chooses; the other follows what the leader's hello names.
"""

from __future__ import annotations

from dataclasses import dataclass

HELLO = 0.050
# Three hellos missed: 136-180 ms from a silent blackhole to the other cable (feasibility trial, November 2026).
DEAD = 3 * HELLO
# A repaired cable must prove itself before it carries again, so that a flapping one does not.
HOLD = 1.0


@dataclass
class Port:
    """One cable's end: what this side knows of it."""

    carrier: bool = True
    heard: float | None = None
    heard_back: bool = False
    good_since: float | None = None


class Group:
    """The parallel cables to one neighbour."""

    def __init__(self, ports: int, *, leads: bool) -> None:
        self.ports = [Port() for _ in range(ports)]
        self.leads = leads
        self.chosen = 0
        self._named: int | None = None

    def hello(self, port: int, now: float, *, hears_us: bool, names: int) -> None:
        """A hello came in on a port."""
        self.ports[port].heard = now
        self.ports[port].heard_back = hears_us
        self._named = names

    def carrier(self, port: int, *, up: bool) -> None:
        """A port gained or lost its carrier."""
        self.ports[port].carrier = up
        if not up:
            self.ports[port].heard = None
            self.ports[port].heard_back = False

    def forgive(self, late: float) -> None:
        """This side was itself late by so much: it missed what it could not hear, so it accuses nobody."""
        for port in self.ports:
            if port.heard is not None:
                port.heard += late

    def hears(self, port: int, now: float) -> bool:
        """Whether hellos come in on a port."""
        state = self.ports[port]
        return state.carrier and state.heard is not None and now - state.heard < DEAD

    def decide(self, now: float) -> int:
        """Return the port that is to carry."""
        for number, port in enumerate(self.ports):
            if not (self.hears(number, now) and port.heard_back):
                port.good_since = None
            elif port.good_since is None:
                port.good_since = now
        self.chosen = self._lead(now) if self.leads else self._follow()
        return self.chosen

    def _lead(self, now: float) -> int:
        good = [number for number, port in enumerate(self.ports) if port.good_since is not None]
        if self.chosen in good:
            first = good[0]
            since = self.ports[first].good_since
            return first if since is not None and now - since >= HOLD else self.chosen
        return good[0] if good else self._with_carrier(self.chosen)

    def _follow(self) -> int:
        named = self.chosen if self._named is None else self._named
        return self._with_carrier(named if named < len(self.ports) else 0)

    def _with_carrier(self, wanted: int) -> int:
        if self.ports[wanted].carrier:
            return wanted
        return next((number for number, port in enumerate(self.ports) if port.carrier), wanted)
