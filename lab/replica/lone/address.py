"""The service's address on a lone server: one more address of its interface, announced when it comes.

The server that HA starts elsewhere has the same hardware address, as a virtual machine keeps its own: what must learn
where it is now are the switches, and one broadcast frame tells them all. VMware sends such frames for the same reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from ipaddress import IPv4Interface

_TIMES = 5  # as often as arping and keepalived repeat themselves, since nobody acknowledges an announcement
_EVERY = 1.0  # seconds
_LOOK = 0.1  # seconds
_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_REQUEST, _REPLY = 1, 2
_HEADER = struct.Struct("!6s6sH")
_BODY = struct.Struct("!HHBBH6s4s6s4s")


def announcement(mac: bytes, address: bytes, kind: int) -> bytes:
    """A gratuitous ARP frame: this hardware address has this address."""
    body = _BODY.pack(1, 0x0800, 6, 4, kind, mac, address, _BROADCAST if kind == _REPLY else bytes(6), address)
    return _HEADER.pack(_BROADCAST, mac, _ARP) + body


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - another program writes what is looked at
        await asyncio.sleep(_LOOK)


class Address:
    """Holds the service's address while the server runs."""

    def __init__(self, interface: str, address: IPv4Interface) -> None:
        self._address = address
        self._interface = interface

    async def hold(self) -> None:
        """Take the address, announce it a few times, and give it away when cancelled."""
        await self._ip("replace")
        try:
            for _ in range(_TIMES):
                with contextlib.suppress(OSError):  # no carrier: whoever asks later is answered by the kernel
                    self._announce()
                await asyncio.sleep(_EVERY)
            await asyncio.Event().wait()
        finally:
            await self._ip("delete")

    async def hold_while(self, free: Callable[[], bool]) -> None:
        """Hold the address while this is true, and give it away when cancelled."""
        while True:
            await _until(free)
            holding = asyncio.ensure_future(self.hold())
            change = asyncio.ensure_future(_until(lambda: not free()))
            try:
                await asyncio.wait({holding, change}, return_when=asyncio.FIRST_COMPLETED)
                if holding.done():
                    holding.result()
            finally:
                change.cancel()
                holding.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await holding

    async def _ip(self, verb: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "ip", "address", verb, str(self._address), "dev", self._interface
        )
        if await process.wait():
            raise RuntimeError(f"cannot {verb} {self._address} on {self._interface}")

    def _announce(self) -> None:
        mac = bytes.fromhex(Path(f"/sys/class/net/{self._interface}/address").read_text("ascii").replace(":", ""))
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
            wire.bind((self._interface, 0))
            for kind in (_REQUEST, _REPLY):
                wire.send(announcement(mac, self._address.ip.packed, kind))
