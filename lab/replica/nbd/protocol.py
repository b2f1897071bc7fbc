"""The words of NBD, and how requests and replies are cut out of a stream. No sockets here.

A request or a reply costs a few microseconds: one `bytes` slice for its data when it arrived in one piece, one
assembled `bytearray` when it did not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Data: TypeAlias = bytes | bytearray | memoryview
"""Blocks. Never changed once they have been handed over: a transport may still be sending them."""

PORT = 10809
MAX_PAYLOAD = 32 << 20
"""Bytes that one READ or WRITE may carry; what clients assume of a server that tells them nothing."""

REQUEST = struct.Struct(">IHHQQI")
REPLY = struct.Struct(">IIQ")
REQUEST_MAGIC = 0x25609513
REPLY_MAGIC = 0x67446698
_FUA = 1


class ProtocolError(Exception):
    """The peer sent what is no NBD, or more than may be sent; the connection is of no more use."""


class Kind(IntEnum):
    """What a request asks for. DISC never reaches a session: the server answers it by closing."""

    READ = 0
    WRITE = 1
    DISC = 2
    FLUSH = 3
    TRIM = 4
    WRITE_ZEROES = 6


class Refusal(IntEnum):
    """Why a server does not open an export, as the code beside its sentence."""

    POLICY = (1 << 31) + 2  # never, for this name: a stale session or epoch
    INVALID = (1 << 31) + 3  # the name cannot be read
    UNKNOWN = (1 << 31) + 6  # there is no such volume here, or not for this host
    NOT_NOW = (1 << 31) + 7  # standby, opening, stopping: another server may have it, or this one later


class RefusedError(Exception):
    """The server does not open this export; the text is its sentence.

    Args:
        sentence: who refuses what, and why.
        code: one of `Refusal`, or the number that a foreign server sent.
    """

    def __init__(self, sentence: str, code: int = Refusal.POLICY) -> None:
        super().__init__(sentence)
        self.code = code


_KINDS = {int(kind): kind for kind in Kind}
_CHANGES = frozenset({Kind.WRITE, Kind.TRIM, Kind.WRITE_ZEROES})
_DEFAULT_KINDS = frozenset({Kind.READ, Kind.WRITE, Kind.FLUSH})


def is_kind(number: int) -> bool:
    """Whether a command of this number is known."""
    return number in _KINDS


@dataclass(frozen=True)
class Offer:
    """An export as its server announces it.

    Args:
        size: bytes.
        description: free text for whoever connects; here who serves, and in which epoch.
        read_only: whether changes are refused.
        kinds: what a client may ask for; TRIM and WRITE_ZEROES only where they are named.
    """

    size: int
    description: str = ""
    read_only: bool = False
    kinds: frozenset[Kind] = _DEFAULT_KINDS

    @property
    def flags(self) -> int:
        """The transmission flags: flush and FUA always."""
        flags = 1 | 1 << 2 | 1 << 3 | (1 << 1 if self.read_only else 0)
        flags |= 1 << 5 if Kind.TRIM in self.kinds else 0
        return flags | (1 << 6 if Kind.WRITE_ZEROES in self.kinds else 0)

    @classmethod
    def of_flags(cls, size: int, flags: int, description: str) -> Offer:
        """What a server meant by these transmission flags."""
        more = {kind for kind, bit in ((Kind.TRIM, 5), (Kind.WRITE_ZEROES, 6)) if flags >> bit & 1}
        return cls(size, description, bool(flags & 2), _DEFAULT_KINDS | more)


class Answers(Protocol):
    """Takes the answer to a request: a server's connection, or a test."""

    def answer(self, request: Request, error: int, data: Data) -> None:
        """Send it, unless the connection is gone."""


class Request:
    """One request of a client. Answer it once with `reply`, now or later, in any order.

    Attributes:
        kind: what is asked for.
        offset: first byte.
        length: bytes asked for; those of `data` for a WRITE.
        data: what a WRITE carries; empty otherwise.
        fua: whether the change must be durable before the answer.
    """

    __slots__ = ("_to", "cookie", "data", "fua", "kind", "length", "offset")

    def __init__(self, to: Answers, header: tuple[int, int, int, int, int, int], data: Data = b"") -> None:
        _, flags, kind, self.cookie, self.offset, self.length = header
        self.kind = _KINDS[kind]
        self.fua = flags & _FUA != 0
        self.data = data
        self._to = to

    def reply(self, error: int = 0, data: Data = b"") -> None:
        """Answer.

        Args:
            error: 0, or an errno that NBD knows (EPERM, EIO, ENOMEM, EINVAL, ENOSPC, ESHUTDOWN: Linux' numbers).
            data: what a READ without error asked for, exactly `length` bytes.
        """
        self._to.answer(self, error, data)


def complaint(request: Request, offer: Offer) -> int:
    """Errno of a request that no session should see, 0 for a proper one."""
    kind = request.kind
    if kind in _CHANGES and offer.read_only:
        return 1  # EPERM
    if kind not in offer.kinds:
        return 95  # ENOTSUP
    if request.offset + request.length > offer.size:
        return 28 if kind is Kind.WRITE else 22  # ENOSPC, EINVAL: the specification's choice
    return 22 if kind is Kind.READ and request.length > MAX_PAYLOAD else 0


Done: TypeAlias = "Callable[[int, Data], None]"
"""Called with an errno (0 = done) and the data of a READ."""
