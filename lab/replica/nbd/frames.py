"""Requests and replies cut out of a stream of bytes, wherever the stream was broken. No sockets here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .protocol import (
    MAX_PAYLOAD,
    REPLY,
    REPLY_MAGIC,
    REQUEST,
    REQUEST_MAGIC,
    Kind,
    ProtocolError,
    Request,
    is_kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Answers, Data, Done

_Header: TypeAlias = tuple[int, int, int, int, int, int]


class _Body:
    """Data that arrives in pieces."""

    __slots__ = ("_have", "buffer")

    def __init__(self, length: int, first: memoryview) -> None:
        self.buffer = bytearray(length)
        self._have = len(first)
        self.buffer[: self._have] = first

    def take(self, data: bytes) -> bytes | None:
        """Fill up; what is left over once the body is whole, None while it is not."""
        missing = len(self.buffer) - self._have
        if len(data) < missing:
            self.buffer[self._have : self._have + len(data)] = data
            self._have += len(data)
            return None
        self.buffer[self._have :] = data if len(data) == missing else memoryview(data)[:missing]
        return data[missing:]


class Requests:
    """What a server hears.

    Args:
        to: takes the answers.
        take: gets every request, whole.
    """

    def __init__(self, to: Answers, take: Callable[[Request], None]) -> None:
        self._to = to
        self._take = take
        self._rest = b""
        self._body: _Body | None = None
        self._header: _Header = (0, 0, 0, 0, 0, 0)

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises ProtocolError."""
        if self._body is not None:
            left = self._body.take(data)
            if left is None:
                return
            body, self._body = self._body.buffer, None
            self._take(Request(self._to, self._header, body))
            data = left
        elif self._rest:
            data, self._rest = self._rest + data, b""
        at, end = 0, len(data)
        while end - at >= REQUEST.size:
            header: _Header = REQUEST.unpack_from(data, at)
            at += REQUEST.size
            if header[2] != Kind.WRITE:
                _check(header)
                self._take(Request(self._to, header))
                continue
            stop = at + header[5]
            if stop > end:
                _check(header)
                self._header, self._body = header, _Body(header[5], memoryview(data)[at:])
                return
            _check(header)
            self._take(Request(self._to, header, data[at:stop]))
            at = stop
        self._rest = data[at:]


def _check(header: _Header) -> None:
    if header[0] != REQUEST_MAGIC:
        raise ProtocolError(f"a request begins with {header[0]:#x}")
    if not is_kind(header[2]):
        raise ProtocolError(f"nobody offered command {header[2]}")
    if header[2] == Kind.WRITE and header[5] > MAX_PAYLOAD:
        raise ProtocolError(f"a write of {header[5]} bytes; {MAX_PAYLOAD} are allowed")


class Replies:
    """What a client hears.

    Attributes:
        pending: by cookie, who waits for the answer, and how much data comes with a good one.
    """

    def __init__(self) -> None:
        self.pending: dict[int, tuple[Done, int]] = {}
        self._rest = b""
        self._body: _Body | None = None
        self._done: Done = _nobody

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises ProtocolError."""
        if self._body is not None:
            left = self._body.take(data)
            if left is None:
                return
            body, self._body = self._body.buffer, None
            self._done(0, body)
            data = left
        elif self._rest:
            data, self._rest = self._rest + data, b""
        at, end = 0, len(data)
        while end - at >= REPLY.size:
            magic, error, cookie = REPLY.unpack_from(data, at)
            at += REPLY.size
            if magic != REPLY_MAGIC or cookie not in self.pending:
                raise ProtocolError(f"an answer that nobody awaits: magic {magic:#x}, cookie {cookie}")
            done, length = self.pending.pop(cookie)
            if error or not length:
                done(error, b"")
                continue
            stop = at + length
            if stop > end:
                self._done, self._body = done, _Body(length, memoryview(data)[at:])
                return
            done(0, data[at:stop])
            at = stop
        self._rest = data[at:]


def _nobody(_error: int, _data: Data) -> None:
    """No request is being answered."""
