"""What is mirrored: the requests of hosts, and the flushes and headers of the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..nbd.protocol import Kind
from .work import Op

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..nbd.protocol import Data
    from .copies import Copy
    from .flow import Flow
    from .work import ArrayLink, Asked, Host

_READ, _FLUSH = Kind.READ, Kind.FLUSH


class Mirrored(Op):
    """Asked of every copy in sync, and done when no copy without it is on record as in sync.

    Attributes:
        waiting: copies that have neither answered nor been lost.
        have: mask of the copies that did it.
        error: errno that the last copy left answered with.
    """

    __slots__ = ("error", "flow", "have", "waiting")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.have = 0
        self.waiting = 0
        self.error = 0

    def send(self, link: ArrayLink) -> None:
        """Ask one copy."""
        raise NotImplementedError

    def complete(self, now: float) -> None:
        """It is done."""
        raise NotImplementedError

    def landed(self, copy: Copy, data: Data, now: float) -> None:  # noqa: ARG002 - a write brings no data
        """One copy has it."""
        self.have |= copy.bit
        self.waiting -= 1
        if not self.waiting:
            self.flow.settle(self, now)

    def failed(self, copy: Copy, error: int, now: float) -> None:
        """One copy cannot: it is lost; the last one's error is the host's to know."""
        flow = self.flow
        if flow.members & ~copy.bit:
            copy.pending[self] = now  # it is dropped with the rest of the session
            flow.volume.fault(copy, error, now)
            return
        self.error = error
        self.landed(copy, b"", now)

    def dropped(self, copy: Copy, now: float) -> None:  # noqa: ARG002 - that copy is no member any more
        """One copy is lost."""
        self.waiting -= 1
        if not self.waiting:
            self.flow.settle(self, now)


class HostWork(Mirrored):
    """A host's request.

    Attributes:
        number: of a flush: how many flushes were begun up to this one.
        grains: of a read or a write: what it touches.
        followers: requests that overlap it and wait for it, in order of arrival.
        blockers: writes that it waits for.
        holds: pieces of the bitmap that it waits for.
    """

    __slots__ = (
        "asked",
        "blockers",
        "data",
        "end",
        "followers",
        "fua",
        "grains",
        "holds",
        "host",
        "kind",
        "length",
        "number",
        "offset",
    )

    def __init__(self, flow: Flow, host: Host, asked: Asked) -> None:
        self.flow = flow
        self.host = host
        self.asked = asked
        self.kind = asked.kind
        self.offset = asked.offset
        self.length = asked.length
        self.end = asked.offset + asked.length
        self.fua = asked.fua
        self.data = asked.data
        self.error = self.blockers = self.holds = self.number = 0
        self.grains = range(0)
        self.followers: list[HostWork] = []

    def send(self, link: ArrayLink) -> None:
        """Ask one copy; a write has a way of its own (`Flow.send`)."""
        link.flush(self)

    def landed(self, copy: Copy, data: Data, now: float) -> None:
        """One copy has it, or gave what was asked for."""
        if self.kind is _READ:
            self.flow.answer(self, now, data)
        else:
            Mirrored.landed(self, copy, data, now)

    def failed(self, copy: Copy, error: int, now: float) -> None:
        """One copy cannot: the other one is read, and this one's grains are written anew by its resync."""
        if self.kind is not _READ:
            Mirrored.failed(self, copy, error, now)
        elif self.flow.members & ~copy.bit:
            self.flow.marks.suspect(self.grains, now)
            self.flow.volume.fault(copy, error, now)
            self.flow.read(self, now)
        else:
            self.error = error
            self.flow.answer(self, now)

    def dropped(self, copy: Copy, now: float) -> None:
        """One copy is lost: another one is read."""
        if self.kind is _READ:
            self.flow.read(self, now)
        else:
            Mirrored.dropped(self, copy, now)

    def complete(self, now: float) -> None:
        """Every copy that counts has it."""
        if self.kind is not _FLUSH:
            self.flow.written(self, now)
            return
        self.flow.answer(self, now)
        if not self.error:
            self.flow.marks.flushed(self, self.number, now)
        self.flow.left(now)


class OwnFlush(Mirrored):
    """A flush that the node wants for itself."""

    __slots__ = ("number", "then")

    def __init__(self, flow: Flow, then: Callable[[float], None]) -> None:
        super().__init__(flow)
        self.then = then
        flow.flushes += 1
        self.number = flow.flushes

    def send(self, link: ArrayLink) -> None:
        """Ask one copy."""
        link.flush(self)

    def complete(self, now: float) -> None:
        """Every copy that counts has flushed."""
        if not self.error:
            self.flow.marks.flushed(self, self.number, now)
        self.then(now)
        self.flow.left(now)


class HeaderWrite(Mirrored):
    """The header of every copy in sync."""

    __slots__ = ("header",)

    def __init__(self, flow: Flow, header: bytes) -> None:
        super().__init__(flow)
        self.header = header

    def send(self, link: ArrayLink) -> None:
        """Ask one copy."""
        link.write(self, self.flow.volume.geometry.size, self.header, fua=True)

    def complete(self, now: float) -> None:
        """Every copy that counts has it."""
        self.flow.left(now)
