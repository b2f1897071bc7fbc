"""Options of the sockets that carry blocks, and the way they end."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import BaseTransport, WriteTransport

USER_TIMEOUT = 400
"""Milliseconds without acknowledgement from the peer's kernel that end a connection, counted from the first repetition.

A peer without power is noticed after 440 ms on a hastened route (`routes`), where what is lost is sent again after 40,
120 and 270 ms: a cable that falls silent, which its monitor replaces after 180 ms, ends no connection. Not shorter: at
a load of 20 on two cores, a kernel was seen to acknowledge after more than 370 ms, which then cost a copy.

The kernel of a frozen process goes on acknowledging, until what it may keep for the process is full: then the
connection ends as well (0.73 s after the freeze with 1 MiB on its way and 400 ms here, loopback, November 2026)."""

_KEEPALIVE_IDLE, _KEEPALIVE_EVERY, _KEEPALIVE_COUNT = 1, 1, 2  # seconds, seconds, probes: quiet connections too
_RESET = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds


def prepare(transport: BaseTransport) -> None:
    """Set the options of a TCP connection; a unix socket needs none."""
    wire = transport.get_extra_info("socket")
    if wire is None or wire.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_EVERY)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_COUNT)


def reset(transport: WriteTransport) -> None:
    """End a connection by RST.

    Closing it would leave what the kernel has not yet sent to be retransmitted, possibly minutes later when a cut is
    mended, into a volume that others have written to meanwhile. `transport.abort()` alone drops only what asyncio has
    buffered: without lingering the kernel drops its own too. Once per transport: uvloop has closed the socket when this
    returns, and its number may be another's.
    """
    wire = transport.get_extra_info("socket")
    if wire is not None:
        with contextlib.suppress(OSError):  # the kernel has ended it already
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
