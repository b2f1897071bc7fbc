"""What makes a wire bad without cutting it, each journalled before it is done: levers for wires that stay lit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import NotAvailableError
from lab.fabric import Way, queues, sieves
from lab.helpers import Helpers
from lab.journal import Harm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta
    from pathlib import Path

    from lab.enclosure import Enclosure
    from lab.fabric import Crossing, Fabric
    from lab.journal import Journal
    from lab.nodes import Containers

LOSS, HOLLOW, DETOUR = "loss", "hollow", "detour"
_EARLIER = 1.0
"""Seconds by which the firewall's detour ends before its relay does: the other way round the wire would be dead."""


class Impairments:
    """Break and mend wires that stay lit. Every verb may be called twice; mending what is whole does nothing."""

    def __init__(self, enclosure: Enclosure, fabric: Fabric, nodes: Containers, journal: Journal) -> None:
        self._wires = fabric.impairing
        self._wires.namespace_of = self._namespace
        self._nodes = nodes
        self._journal = journal
        self._helpers = Helpers(enclosure)

    def _namespace(self, node: str) -> Path:
        if node not in self._nodes.nodes or not self._nodes.is_on(node):
            raise NotAvailableError(f"node {node} has no power: its own end of a wire is gone")
        return self._nodes.enclosure.proc(self._nodes.nodes[node].pid) / "ns/net"

    # -- loss -----------------------------------------------------------------------------------------------------

    def lose(self, ways: Iterable[Way], share: float, seconds: float) -> None:
        """Drop frames by chance; the kernel ends it after so many seconds at the latest."""
        gates = [way.gate for way in ways]
        self._journal.add(Harm.LOSSY, gates)
        self._wires.sift(LOSS, gates, sieves.share(share), seconds)

    def keep(self, gates: Iterable[str]) -> None:
        """Drop nothing any more."""
        self._unsift(Harm.LOSSY, LOSS, gates)

    def hollow(self, gates: Iterable[str], seconds: float) -> None:
        """Drop all but the monitors' hellos: whoever watches the wire finds it good."""
        named = list(gates)
        self._journal.add(Harm.HOLLOW, named)
        self._wires.sift(HOLLOW, named, sieves.HELLOS_PASS, seconds)

    def fill(self, gates: Iterable[str]) -> None:
        """Let traffic through again."""
        self._unsift(Harm.HOLLOW, HOLLOW, gates)

    def _unsift(self, harm: Harm, kind: str, gates: Iterable[str]) -> None:
        found = sorted(self._journal.open(harm) & set(gates))
        self._wires.unsift(kind, found)
        self._journal.strike(harm, found)

    # -- rate, and what netem does ----------------------------------------------------------------------------------

    def limit(self, ways: Iterable[Way], bits: float) -> None:
        """Hold a rate in bits a second."""
        self._queue([way.source for way in ways], queues.tbf(bits))

    def scramble(self, ways: Iterable[Way], *, duplicate: float = 0, reorder: float = 0) -> None:
        """Send frames twice, or before others.

        Raises:
            NotAvailableError: the kernel has no netem; nothing was done.
        """
        if not self._wires.has_netem():
            raise NotAvailableError("this machine's kernel has no netem, which alone doubles and reorders frames")
        late = 0.005 if reorder else 0.0  # without a delay there is nobody to overtake
        self._queue([way.source for way in ways], queues.netem(late, duplicate=duplicate, reorder=reorder))

    def _queue(self, ends: list[str], told: dict[str, object]) -> None:
        if taken := sorted(self._journal.open(Harm.QUEUED) & set(ends)):
            raise NotAvailableError(f"{', '.join(taken)} is limited or disturbed already: a wire has one queue")
        self._journal.add(Harm.QUEUED, ends)
        self._wires.queue(ends, told)

    def free(self, ends: Iterable[str]) -> None:
        """Give ends of wires their own queue back."""
        found = sorted(self._journal.open(Harm.QUEUED) & set(ends))
        self._wires.unqueue(found)
        self._journal.strike(Harm.QUEUED, found)

    # -- delay ------------------------------------------------------------------------------------------------------

    def delay(self, ways: Iterable[Way], by: timedelta, jitter: timedelta, seconds: float) -> None:
        """Let frames arrive late: by netem, or else by a relay, which needs both ends in the fabric.

        Raises:
            NotAvailableError: there is no netem, and an end lies in a node; nothing was done.
        """
        named = list(ways)
        late, shaky = by.total_seconds(), jitter.total_seconds()
        if self._wires.has_netem():
            self._queue([way.source for way in named], queues.netem(late, shaky))
            return
        if not all(way.in_fabric for way in named):
            raise NotAvailableError(
                "this machine's kernel has no netem, and the relay that replaces it delays cables between switches only"
            )
        self._journal.add(Harm.DELAYED, map(str, named))
        told = {"ways": [[way.source, way.sink] for way in named], "delay": late, "jitter": shaky, "limit": seconds}
        self._helpers.start(_relay(named[0]), "wires.delay", told)
        self._wires.sift(DETOUR, [way.gate for way in named], sieves.DETOUR, seconds - _EARLIER)

    def hasten(self, ways: Iterable[str]) -> None:
        """Let frames arrive at once again; given as the journal names them."""
        found = sorted(self._journal.open(Harm.DELAYED) & set(ways))
        named = [Way.parse(one) for one in found]
        self._wires.unsift(DETOUR, [way.gate for way in named])
        for way in named:
            self._helpers.stop(_relay(way))
        self._journal.strike(Harm.DELAYED, found)

    # -- a loose connection -------------------------------------------------------------------------------------------

    def flap(self, interfaces: Iterable[str], up: timedelta, down: timedelta, seconds: float) -> None:
        """Let interfaces lose their carrier and get it back, until so many seconds are over."""
        names = sorted(interfaces)
        self._journal.add(Harm.FLAPPING, names)
        told = {"interfaces": names, "up": up.total_seconds(), "down": down.total_seconds(), "limit": seconds}
        self._helpers.start(f"flap-{names[0]}", "wires.flap", told)

    def calm(self, interfaces: Iterable[str]) -> None:
        """Let a loose connection be, where the wire is about to be cut: it would light what must be dark."""
        flapping = self._journal.open(Harm.FLAPPING)
        for name in sorted(flapping if flapping & set(interfaces) else ()):
            self._helpers.stop(f"flap-{name}")

    def still(self, interfaces: Iterable[str], light: Callable[[Iterable[str]], None]) -> None:
        """Stop that, and light what may be lit."""
        found = sorted(self._journal.open(Harm.FLAPPING) & set(interfaces))
        for name in found:
            self._helpers.stop(f"flap-{name}")
        self._journal.strike(Harm.FLAPPING, found)
        if found:
            light(found)

    # -- looking ------------------------------------------------------------------------------------------------------

    def dropped(self, kind: str, gates: Iterable[str]) -> list[int]:
        """Frames that each of these gates has dropped so far; a gate without a sieve has dropped none."""
        counts = self._wires.sifted(kind)
        return [counts.get(gate, 0) for gate in gates]

    def cross(self, way: Way, frames: int) -> Crossing:
        """Send frames through, and see what becomes of them."""
        return self._wires.cross(way, frames)

    def walk(self, way: Way) -> Crossing:
        """Send frames through one by one, and see how late they are."""
        return self._wires.walk(way)

    def flood(self, way: Way) -> Crossing:
        """Send as much as goes through."""
        return self._wires.flood(way)

    def mend_all(self, light: Callable[[Iterable[str]], None]) -> None:
        """Put right whatever the journal says is broken."""
        self.still(self._journal.open(Harm.FLAPPING), light)
        self.hasten(self._journal.open(Harm.DELAYED))
        self.free(self._journal.open(Harm.QUEUED))
        self.keep(self._journal.open(Harm.LOSSY))
        self.fill(self._journal.open(Harm.HOLLOW))


def _relay(way: Way) -> str:
    return f"delay-{way.source}-{way.sink}"
