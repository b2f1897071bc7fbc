"""Heartbeats of the hosts over the storage network, as vSphere's heartbeat datastores are for.

A datagram `{"host": …, …}` from a host is kept as it is; the answer is `{"active": whether this node serves, "hosts":
{host: [seconds since its last datagram, that datagram], …}, "withheld": {volume: [hosts that may not see it]}}`. In
memory: who was not heard since this node's start is not in it.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

PORT = 7002


class Beats(asyncio.DatagramProtocol):
    """What was heard.

    Args:
        told: what each answer says besides the hosts.
    """

    def __init__(self, told: Callable[[], dict[str, Any]]) -> None:
        self._told = told
        self._heard: dict[str, tuple[float, dict[str, Any]]] = {}
        self._wire: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Listening."""
        self._wire = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Keep a heartbeat, and answer with all of them."""
        with suppress(ValueError, KeyError, TypeError):
            beat = json.loads(data)
            now = monotonic()
            self._heard[str(beat["host"])] = now, beat
            hosts = {host: (round(now - at, 3), said) for host, (at, said) in self._heard.items()}
            if self._wire is not None:
                self._wire.sendto(json.dumps({**self._told(), "hosts": hosts}).encode(), addr)


async def serve(address: str, told: Callable[[], dict[str, Any]]) -> asyncio.BaseTransport:
    """Listen on an address of the storage network."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Beats(told), local_addr=(address, PORT)
    )
    return transport
