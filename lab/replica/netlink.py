"""The few rtnetlink messages that must be quick, or must work where only the standard library is.

One `sendmsg` carries a whole batch: forty links change in 0.5 ms, where forty calls of a library take 24 ms
(feasibility trial, November 2026).
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RTMGRP_LINK = 1

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWNEIGH, _GETNEIGH = 28, 30
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_IFF_UP, _IFF_LOWER_UP = 0x1, 0x10000
_IFLA_IFNAME, _IFLA_PROTINFO, _IFLA_STATS64 = 3, 12, 23
_NESTED = 0x8000
_BRPORT_STATE, _BRPORT_FLUSH, _BRPORT_ISOLATED = 1, 24, 33
_NDA_LLADDR, _NDA_MASTER = 2, 9

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_ATTRIBUTE = struct.Struct("=HH")


class PortState(IntEnum):
    """What a bridge port does. LISTENING stands for *blocked*: the kernel turns BLOCKING back into FORWARDING."""

    LISTENING = 1
    FORWARDING = 3


@dataclass(frozen=True)
class Link:
    """An interface as the kernel reports it."""

    index: int
    name: str
    up: bool
    carrier: bool
    gone: bool = False
    received: int = 0
    sent: int = 0


def _align(length: int) -> int:
    return (length + 3) & ~3


def _attribute(kind: int, payload: bytes) -> bytes:
    raw = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(payload), kind) + payload
    return raw.ljust(_align(len(raw)), b"\0")


def _message(kind: int, flags: int, body: bytes, sequence: int = 0) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def connect(groups: int = 0) -> socket.socket:
    """Open a socket in the calling thread's network namespace; it stays bound to that namespace."""
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    link.bind((0, groups))
    return link


def power(link: socket.socket, indexes: Iterable[int], *, up: bool) -> None:
    """Put many interfaces up or down in one message batch.

    Raises:
        OSError: the kernel refused one of them; the others are done.
    """
    flags = _IFF_UP if up else 0
    batch = [
        _message(_NEWLINK, _REQUEST | _ACK, _LINK.pack(0, 0, index, flags, _IFF_UP), sequence)
        for sequence, index in enumerate(indexes, 1)
    ]
    if batch:
        link.send(b"".join(batch))
        _acknowledged(link, len(batch))


def set_port(
    link: socket.socket,
    index: int,
    *,
    state: PortState | None = None,
    isolated: bool | None = None,
    flush: bool = False,
) -> None:
    """Set what a bridge port does, and forget what was learned there.

    Raises:
        OSError: ENETDOWN for a state on a port without carrier, ENODEV for a port that is gone.
    """
    inner = b""
    if state is not None:
        inner += _attribute(_BRPORT_STATE, bytes([state]))
    if isolated is not None:
        inner += _attribute(_BRPORT_ISOLATED, bytes([isolated]))
    if flush:
        inner += _attribute(_BRPORT_FLUSH, b"")
    body = _LINK.pack(socket.AF_BRIDGE, 0, index, 0, 0) + _attribute(_IFLA_PROTINFO | _NESTED, inner)
    link.send(_message(_SETLINK, _REQUEST | _ACK, body, 1))
    _acknowledged(link, 1)


def _acknowledged(link: socket.socket, count: int) -> None:
    failed = 0
    while count:
        for kind, body in _messages(link.recv(1 << 16)):
            if kind == _ERROR:
                count -= 1
                failed = failed or -int(struct.unpack_from("=i", body)[0])
    if failed:
        raise OSError(failed, os.strerror(failed))


def _messages(raw: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(raw):
        length, kind, _, _, _ = _HEADER.unpack_from(raw, offset)
        yield kind, raw[offset + _HEADER.size : offset + length]
        offset += _align(length)


def _attributes(raw: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(raw):
        length, kind = _ATTRIBUTE.unpack_from(raw, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, raw[offset + _ATTRIBUTE.size : offset + length]
        offset += _align(length)


def _dump(link: socket.socket, request: bytes) -> Iterator[tuple[int, bytes]]:
    link.send(request)
    while True:
        for kind, body in _messages(link.recv(1 << 18)):
            if kind in {_DONE, _ERROR}:
                return
            yield kind, body


def _link(kind: int, body: bytes) -> Link:
    _, _, index, flags, _ = _LINK.unpack_from(body)
    found = dict(_attributes(body[_LINK.size :]))
    received, sent = struct.unpack_from("=QQ", found[_IFLA_STATS64]) if _IFLA_STATS64 in found else (0, 0)
    name = found.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode()
    return Link(index, name, bool(flags & _IFF_UP), bool(flags & _IFF_LOWER_UP), kind == _DELLINK, received, sent)


def links(link: socket.socket) -> dict[str, Link]:
    """Every interface of the socket's namespace, with packets received and sent."""
    request = _message(_GETLINK, _REQUEST | _DUMP, _LINK.pack(0, 0, 0, 0, 0), 1)
    return {
        found.name: found for kind, body in _dump(link, request) if kind == _NEWLINK for found in [_link(kind, body)]
    }


def changes(link: socket.socket) -> Iterator[Link]:
    """What a socket opened with RTMGRP_LINK has been told.

    Raises:
        OSError: ENOBUFS when the kernel dropped messages: look at all the links again.
    """
    for kind, body in _messages(link.recv(1 << 16)):
        # Bridge ports announce their own changes under AF_BRIDGE: not a change of carrier.
        if kind in {_NEWLINK, _DELLINK} and body[0] == socket.AF_UNSPEC:
            yield _link(kind, body)


def learned(link: socket.socket, bridge: int) -> dict[bytes, int]:
    """The hardware addresses that a bridge knows, each with the index of its port."""
    request = _message(_GETNEIGH, _REQUEST | _DUMP, _NEIGHBOUR.pack(socket.AF_BRIDGE, 0, 0, 0, 0), 1)
    table: dict[bytes, int] = {}
    for kind, body in _dump(link, request):
        if kind != _NEWNEIGH:
            continue
        found = dict(_attributes(body[_NEIGHBOUR.size :]))
        master = struct.unpack("=I", found[_NDA_MASTER])[0] if _NDA_MASTER in found else None
        if master == bridge and _NDA_LLADDR in found:
            table[found[_NDA_LLADDR]] = _NEIGHBOUR.unpack_from(body)[1]
    return table
