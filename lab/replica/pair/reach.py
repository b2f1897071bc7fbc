"""Whether the wards can be reached from this server: a member that they do not reach must not hold the address.

VRRP hears the other member only. When every cable between this room and the wards is cut, both members still hear each
other, and the holder keeps an address that no ward can use. In a real network keepalived would track the router.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address

_EVERY = 0.2  # seconds between two rounds of questions
_LOST = 0.7  # seconds without any answer that mean "cut": three rounds, and a late one
_ECHO, _ECHO_REPLY = 8, 0
_HEADER = struct.Struct("!BBHHH")


class Reach:
    """Asks the kernels of the wards (or of others) for an echo, all the time; with nobody to ask it knows of no cut."""

    def __init__(self, wards: tuple[IPv4Address, ...]) -> None:
        self._wards = wards
        self._sources = {ward.packed for ward in wards}
        self._heard = time.monotonic()
        self._identity = os.getpid() & 0xFFFF

    @property
    def is_reached(self) -> bool:
        """Whether one of them answered lately."""
        return not self._wards or time.monotonic() - self._heard < _LOST

    async def run(self) -> None:
        """Ask until cancelled."""
        if not self._wards:
            return
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as wire:
            wire.settimeout(0)
            loop = asyncio.get_running_loop()
            loop.add_reader(wire, self._hear, wire)
            try:
                while True:
                    for ward in self._wards:
                        with contextlib.suppress(OSError):  # no carrier, no neighbour: the silence says it
                            wire.sendto(echo(self._identity), (str(ward), 0))
                    await asyncio.sleep(_EVERY)
            finally:
                loop.remove_reader(wire)

    def _hear(self, wire: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            packet = wire.recv(256)
            offset = (packet[0] & 15) * 4
            kind, _, _, identity, _ = _HEADER.unpack_from(packet, offset)
            if kind == _ECHO_REPLY and identity == self._identity and packet[12:16] in self._sources:
                self._heard = time.monotonic()


def echo(identity: int) -> bytes:
    """An ICMP echo request."""
    return _HEADER.pack(_ECHO, 0, _checksum(_HEADER.pack(_ECHO, 0, 0, identity, 0)), identity, 0)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
