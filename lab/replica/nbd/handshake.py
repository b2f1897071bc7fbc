"""The fixed newstyle handshake, both sides, on bytes. No sockets here."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from .protocol import MAX_PAYLOAD, Offer, ProtocolError, Refusal, RefusedError

_HELLO = struct.Struct(">8s8sH")
_OPTION = struct.Struct(">8sII")
_ANSWER = struct.Struct(">QIII")
_EXPORT = struct.Struct(">HQH")
_BLOCKS = struct.Struct(">HIII")
_OLD_EXPORT = struct.Struct(">QH")
_NBDMAGIC, _IHAVEOPT = b"NBDMAGIC", b"IHAVEOPT"
_ANSWER_MAGIC = 0x3E889045565A9
_FIXED, _NO_ZEROES = 1, 2
_OPT_EXPORT_NAME, _OPT_ABORT, _OPT_LIST, _OPT_INFO, _OPT_GO = 1, 2, 3, 6, 7
_REP_ACK, _REP_SERVER, _REP_INFO = 1, 2, 3
_REP_ERR = 1 << 31
_ERR_UNSUP = _REP_ERR + 1
_INFO_EXPORT, _INFO_DESCRIPTION, _INFO_BLOCKS = 0, 2, 3
_MOST_OPTION = 64 << 10  # bytes; a name may have 4096 and a description as many
_PREFERRED = 4096  # bytes, the block of the arrays' cache and of ext4


@dataclass(frozen=True)
class Say:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True)
class Ask:
    """The client wants to know of an export, or (`go`) to be served. Nothing more is read before the answer."""

    name: str
    go: bool
    option: int


@dataclass(frozen=True)
class ListNames:
    """The client asks which exports there are."""


@dataclass(frozen=True)
class Leave:
    """Nothing more comes: close after what was said."""


class ServerHandshake:
    """What a server says before it serves. Begin with `HELLO`."""

    HELLO = _HELLO.pack(_NBDMAGIC, _IHAVEOPT, _FIXED | _NO_ZEROES)

    def __init__(self) -> None:
        self._heard = bytearray()
        self._client_flags: int | None = None

    def hear(self, data: bytes) -> None:
        """Take what arrived."""
        self._heard += data

    def rest(self) -> bytes:
        """What the client sent behind its last option: its first requests."""
        return bytes(self._heard)

    def next(self) -> Say | Ask | ListNames | Leave | None:
        """What to do; None = wait for more bytes. Raises ProtocolError."""
        if self._client_flags is None:
            if len(self._heard) < 4:  # noqa: PLR2004 - client flags are 32 bits
                return None
            self._client_flags = int.from_bytes(self._cut(4), "big")
            if self._client_flags & ~(_FIXED | _NO_ZEROES):
                raise ProtocolError(f"client flags {self._client_flags:#x}")
        if len(self._heard) < _OPTION.size:
            return None
        magic, option, length = _OPTION.unpack_from(self._heard)
        if magic != _IHAVEOPT or length > _MOST_OPTION:
            raise ProtocolError(f"an option begins with {magic!r} and has {length} bytes")
        if len(self._heard) < _OPTION.size + length:
            return None
        self._cut(_OPTION.size)
        return self._option(option, self._cut(length))

    def accept(self, ask: Ask, offer: Offer) -> bytes:
        """The answer to `ask` for a client that is welcome."""
        if ask.option == _OPT_EXPORT_NAME:
            zeroes = b"" if (self._client_flags or 0) & _NO_ZEROES else bytes(124)
            return _OLD_EXPORT.pack(offer.size, offer.flags) + zeroes
        described = struct.pack(">H", _INFO_DESCRIPTION) + offer.description.encode()
        return b"".join(
            (
                _answer(ask.option, _REP_INFO, _EXPORT.pack(_INFO_EXPORT, offer.size, offer.flags)),
                _answer(ask.option, _REP_INFO, described),
                _answer(ask.option, _REP_INFO, _BLOCKS.pack(_INFO_BLOCKS, 1, _PREFERRED, MAX_PAYLOAD)),
                _answer(ask.option, _REP_ACK),
            )
        )

    def refuse(self, ask: Ask, why: RefusedError) -> bytes:
        """The answer to `ask` for one who is not; empty when the old option leaves only hanging up."""
        return b"" if ask.option == _OPT_EXPORT_NAME else _answer(ask.option, why.code, str(why).encode())

    def tell(self, names: list[str]) -> bytes:
        """The answer to `ListNames`."""
        told = [name.encode() for name in names]
        servers = [_answer(_OPT_LIST, _REP_SERVER, struct.pack(">I", len(name)) + name) for name in told]
        return b"".join(servers) + _answer(_OPT_LIST, _REP_ACK)

    def _cut(self, length: int) -> bytes:
        cut = bytes(self._heard[:length])
        del self._heard[:length]
        return cut

    def _option(self, option: int, data: bytes) -> Say | Ask | ListNames | Leave:
        if option == _OPT_EXPORT_NAME:
            return Ask(data.decode(errors="replace"), go=True, option=option)
        if option == _OPT_ABORT:
            return Leave()
        if option == _OPT_LIST:
            return Say(_answer(option, Refusal.INVALID)) if data else ListNames()
        if option in {_OPT_GO, _OPT_INFO}:
            length = int.from_bytes(data[:4], "big")
            infos = int.from_bytes(data[4 + length : 6 + length], "big")
            if len(data) != 6 + length + 2 * infos:
                return Say(_answer(option, Refusal.INVALID, b"the option has another length than it says"))
            return Ask(data[4 : 4 + length].decode(errors="replace"), go=option == _OPT_GO, option=option)
        return Say(_answer(option, _ERR_UNSUP))


def _answer(option: int, kind: int, data: bytes = b"") -> bytes:
    return _ANSWER.pack(_ANSWER_MAGIC, option, kind, len(data)) + data


class ClientHandshake:
    """What a client says before it is served: one export, by OPT_GO."""

    def __init__(self, export: str) -> None:
        self._export = export.encode()
        self._heard = bytearray()
        self._greeted = False
        self._size: int | None = None
        self._flags = 0
        self._description = ""
        self.to_send: deque[bytes] = deque()

    def rest(self) -> bytes:
        """What came behind the handshake."""
        return bytes(self._heard)

    def feed(self, data: bytes) -> Offer | None:
        """Take what arrived; the offer once the server serves. Raises RefusedError, ProtocolError."""
        self._heard += data
        if not self._greeted:
            if len(self._heard) < _HELLO.size:
                return None
            self._greet(*_HELLO.unpack_from(self._heard))
            del self._heard[: _HELLO.size]
        while len(self._heard) >= _ANSWER.size:
            magic, _, kind, length = _ANSWER.unpack_from(self._heard)
            if magic != _ANSWER_MAGIC or length > _MOST_OPTION:
                raise ProtocolError(f"an answer to an option begins with {magic:#x} and has {length} bytes")
            if len(self._heard) < _ANSWER.size + length:
                return None
            body = bytes(self._heard[_ANSWER.size : _ANSWER.size + length])
            del self._heard[: _ANSWER.size + length]
            if kind & _REP_ERR:
                raise RefusedError(body.decode(errors="replace") or f"refused with code {kind:#x}", kind)
            if kind == _REP_ACK:
                return self._offer()
            self._note(body)
        return None

    def _greet(self, magic: bytes, option_magic: bytes, flags: int) -> None:
        if magic != _NBDMAGIC or option_magic != _IHAVEOPT or not flags & _FIXED:
            raise ProtocolError("the server does not speak the fixed newstyle of NBD")
        wanted = struct.pack(">I", len(self._export)) + self._export + struct.pack(">HH", 1, _INFO_DESCRIPTION)
        hello = struct.pack(">I", flags & (_FIXED | _NO_ZEROES))
        self.to_send.append(hello + _OPTION.pack(_IHAVEOPT, _OPT_GO, len(wanted)) + wanted)
        self._greeted = True

    def _note(self, body: bytes) -> None:
        info = int.from_bytes(body[:2], "big")
        if info == _INFO_EXPORT and len(body) == _EXPORT.size:
            _, self._size, self._flags = _EXPORT.unpack(body)
        elif info == _INFO_DESCRIPTION:
            self._description = body[2:].decode(errors="replace")

    def _offer(self) -> Offer:
        if self._size is None:
            raise ProtocolError("the server acknowledges an export without its size")
        return Offer.of_flags(self._size, self._flags, self._description)
