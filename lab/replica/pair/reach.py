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
_MISSED = 0.3  # seconds after which an echo does not count as answered; a kernel takes one millisecond
_LOOKED_AT = 5.0  # seconds in which none may be missed: of a cable that loses one frame in five, 0.3 % go by unseen
_ECHO, _ECHO_REPLY = 8, 0
_HEADER = struct.Struct("!BBHHH")


class Reach:
    """Asks the kernels of the wards (or of others) for an echo, all the time; with nobody to ask it knows of no cut.

    Args:
        wards: whom.
        every: seconds between two rounds of questions.
    """

    def __init__(self, wards: tuple[IPv4Address, ...], every: float = _EVERY) -> None:
        self._wards = wards
        self._every = every
        self._number = 0
        self._owed: dict[tuple[bytes, int], float] = {}  # when echoes that did not come yet were asked for
        self._sources = {ward.packed for ward in wards}
        self._heard = self._missed = time.monotonic()
        self._identity = os.getpid() & 0xFFFF

    @property
    def is_reached(self) -> bool:
        """Whether one of them answered lately."""
        return not self._wards or time.monotonic() - self._heard < _LOST

    @property
    def loses_nothing(self) -> bool:
        """Whether each echo of late was answered: a kernel does that also where programs lack processor."""
        return time.monotonic() - self._missed > _LOOKED_AT

    def asks(self, now: float) -> int:
        """A round of questions begins, with this number; what was not answered in time is missed."""
        for echo_of, asked in list(self._owed.items()):
            if now - asked > _MISSED:
                del self._owed[echo_of]
                self._missed = now
        self._number = (self._number + 1) & 0xFFFF
        self._owed |= {(source, self._number): now for source in self._sources}
        return self._number

    def heard(self, source: bytes, number: int, now: float) -> None:
        """An answer came."""
        if source in self._sources:
            self._heard = now
            self._owed.pop((source, number), None)

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
                    number = self.asks(time.monotonic())
                    for ward in self._wards:
                        with contextlib.suppress(OSError):  # no carrier, no neighbour: the silence says it
                            wire.sendto(echo(self._identity, number), (str(ward), 0))
                    await asyncio.sleep(self._every)
            finally:
                loop.remove_reader(wire)

    def _hear(self, wire: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = wire.recv(256)
                offset = (packet[0] & 15) * 4
                kind, _, _, identity, number = _HEADER.unpack_from(packet, offset)
                if kind == _ECHO_REPLY and identity == self._identity:
                    self.heard(packet[12:16], number, time.monotonic())


def echo(identity: int, number: int) -> bytes:
    """An ICMP echo request."""
    return _HEADER.pack(_ECHO, 0, _checksum(_HEADER.pack(_ECHO, 0, 0, identity, number)), identity, number)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
