"""The little of HTTP/1.1 that the wards speak: a request in one piece, an answer of known length."""

from __future__ import annotations

from typing import NamedTuple

_END = b"\r\n\r\n"
_MOST = 8 << 20  # bytes; no page of a record comes near


class BadAnswerError(ValueError):
    """What came back is not an HTTP answer with a Content-Length."""


class Answer(NamedTuple):
    """What a server said; `member` names the server that said it, where it did."""

    status: int
    member: str | None
    keep: bool
    body: bytes


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A whole request."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + _END + body


def parse(received: bytes) -> Answer | None:
    """The answer in what was received so far; None while it is incomplete.

    Raises:
        BadAnswerError: it will never be one.
    """
    end = received.find(_END)
    if end < 0:
        if len(received) > _MOST or not b"HTTP/1.".startswith(received[:7]):
            raise BadAnswerError("not HTTP")
        return None
    head = received[: end + 2]
    names = head.lower()
    try:
        status = int(head[9:12])
        length = int(_value(head, names, b"content-length") or b"")
    except ValueError as error:
        raise BadAnswerError("an answer without status or Content-Length") from error
    if not 0 <= length <= _MOST or not head.startswith(b"HTTP/1."):
        raise BadAnswerError("not HTTP")
    body = received[end + 4 :]
    if len(body) < length:
        return None
    member = _value(head, names, b"x-member")
    keep = b"\r\nconnection: close\r\n" not in names
    return Answer(status, member.decode("latin-1") if member else None, keep, body[:length])


def _value(head: bytes, names: bytes, name: bytes) -> bytes | None:
    """A header's value; `names` is the head in small letters, since header names have no case."""
    at = names.find(b"\r\n" + name + b":")
    if at < 0:
        return None
    begin = at + len(name) + 3
    return head[begin : head.index(b"\r\n", begin)].strip()
