"""Wires that stay lit and are bad: primitive verbs on one direction of one wire at a time, and how to look at it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.errors import NotAvailableError
from lab.fabric import queues
from lab.fabric.crossing import Crossing, cross, flood, opened, walk
from lab.fabric.namespaces import inside
from lab.fabric.sieves import Sieves

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pyroute2 import IPRoute

    from lab.fabric.firewall import Firewall
    from lab.fabric.namespaces import Resident
    from lab.fabric.wires import Way


class Impairing:
    """Made on the fabric's thread; what must run there goes there by itself."""

    def __init__(self, thread: Resident, ipr: IPRoute, firewall: Firewall) -> None:
        self._thread = thread
        self._ipr = ipr
        self._sieves = Sieves(firewall)
        self._netem: bool | None = None
        self.namespace_of: Callable[[str], Path] | None = None
        """Where a node's own ends lie; whoever knows the nodes says it."""

    def sift(self, kind: str, gates: Iterable[str], sort: tuple[str, int], seconds: float) -> None:
        """Drop at gates what a condition says; see `sieves`."""
        self._thread.do(self._sieves.put, kind, list(gates), sort, seconds)

    def unsift(self, kind: str, gates: Iterable[str]) -> None:
        """Stop that."""
        self._thread.do(self._sieves.take, kind, list(gates))

    def sifted(self, kind: str) -> dict[str, int]:
        """Frames dropped so far, by gate."""
        return self._thread.do(self._sieves.dropped, kind)

    def queue(self, ends: Iterable[str], told: dict[str, Any]) -> None:
        """Make what leaves at these ends wait in such a queue.

        Raises:
            NotAvailableError: the kernel has none of that kind.
        """
        for end in ends:
            self._thread.do(self._queue, *self._place(end), told)

    def unqueue(self, ends: Iterable[str]) -> None:
        """Give these ends their first queue back."""
        for end in ends:
            with suppress(NotAvailableError):  # a node without power: its end went with it
                self._thread.do(self._queue, *self._place(end), None)

    def _queue(self, interface: str, namespace: Path | None, told: dict[str, Any] | None) -> None:
        with queues.routes(self._ipr, namespace) as ipr:
            if told is None:
                queues.take(ipr, interface)
            else:
                queues.put(ipr, interface, told)

    def has_netem(self) -> bool:
        """Whether this kernel has netem: tried once, on an interface that carries nothing."""
        if self._netem is None:
            try:
                self._thread.do(self._queue, "lo", None, queues.netem(delay=0.001))
                self._thread.do(self._queue, "lo", None, None)
                self._netem = True
            except NotAvailableError:
                self._netem = False
        return self._netem

    def cross(self, way: Way, frames: int, patience: float = 0.1) -> Crossing:
        """Send frames one way, and see what becomes of them."""
        with self._socket(way.source) as source, self._socket(way.sink) as sink:
            return cross(source, sink, frames, patience)

    def walk(self, way: Way, frames: int = 20, patience: float = 0.5) -> Crossing:
        """Send frames one way, one at a time, and see how late they are."""
        with self._socket(way.source) as source, self._socket(way.sink) as sink:
            return walk(source, sink, frames, patience)

    def flood(self, way: Way, seconds: float = 0.2) -> Crossing:
        """Send as much as the wire takes."""
        with self._socket(way.source) as source, self._socket(way.sink) as sink:
            return flood(source, sink, seconds)

    def _socket(self, end: str) -> socket.socket:
        return self._thread.do(_opened, *self._place(end))

    def _place(self, end: str) -> tuple[str, Path | None]:
        node, _, interface = end.rpartition(":")
        if not node:
            return interface, None
        if self.namespace_of is None:
            raise NotAvailableError(f"nobody knows where {node} is: its own end of a wire cannot be reached")
        return interface, self.namespace_of(node)


def _opened(interface: str, namespace: Path | None) -> socket.socket:
    if namespace is None:
        return opened(interface)
    with inside(namespace):
        return opened(interface)
