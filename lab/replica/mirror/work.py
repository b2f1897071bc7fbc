"""What is asked of copies and by hosts, and the two kinds of connection as the mirror sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..nbd.protocol import Data, Kind
    from .copies import Copy


class Op:
    """Something asked of one copy or of several; each answers on its own."""

    __slots__ = ()

    def landed(self, copy: Copy, data: Data, now: float) -> None:
        """The copy did it."""
        raise NotImplementedError

    def failed(self, copy: Copy, error: int, now: float) -> None:
        """The copy answered with this errno."""
        raise NotImplementedError

    def dropped(self, copy: Copy, now: float) -> None:
        """The copy's session ended before its answer."""
        raise NotImplementedError


class ArrayLink(Protocol):
    """The session of a volume on an array. Each request ends in `Volume.done`, unless the session is lost before."""

    def read(self, op: Op, offset: int, length: int) -> None:
        """Read."""

    def write(self, op: Op, offset: int, data: Data, *, fua: bool) -> None:
        """Write; with `fua` durably."""

    def zero(self, op: Op, offset: int, length: int) -> None:
        """Write zeroes."""

    def flush(self, op: Op) -> None:
        """Make durable what was answered."""

    def abort(self) -> None:
        """End it with RST: what was not sent will never be. Nothing is told of it any more."""


class Asked(Protocol):
    """A host's request, as NBD carries it."""

    @property
    def kind(self) -> Kind:
        """READ, WRITE or FLUSH."""

    @property
    def offset(self) -> int:
        """First byte."""

    @property
    def length(self) -> int:
        """Bytes."""

    @property
    def data(self) -> Data:
        """What a WRITE carries."""

    @property
    def fua(self) -> bool:
        """Whether it must be durable before the answer."""

    def reply(self, error: int, data: Data) -> None:
        """Answer; into the void when the connection is gone."""


class HostLink(Protocol):
    """The connection of a host."""

    def abort(self) -> None:
        """End it with RST. Nothing is told of it any more."""


class Outside(Protocol):
    """What a volume asks of the world besides the store."""

    def connect(self, copy: Copy, export: str, attempt: int) -> None:
        """Open a session on the copy's array; answer with `Volume.connected` or `Volume.unreachable`."""


class Host:
    """The session of a host on a volume.

    Attributes:
        open: whether requests of this connection are taken.
        admitted: whether nothing of an older session is under way any more.
    """

    __slots__ = ("admitted", "link", "open")

    def __init__(self, link: HostLink) -> None:
        self.link = link
        self.open = False
        self.admitted = False

    def cut(self) -> None:
        """End it."""
        if self.open:
            self.open = False
            self.link.abort()
