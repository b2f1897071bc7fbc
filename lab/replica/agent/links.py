"""How an agent hears of others: heartbeats over management and storage, and addresses that answer unless isolated."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

PORT = 7001
_ECHO = 7  # nobody listens there: the kernel's refusal is the answer
_ANSWER = 0.5  # seconds for an isolation address to answer


class Wire(asyncio.DatagramProtocol):
    """Datagrams of JSON, each given to whoever is told.

    Args:
        heard: called with each that can be read.
    """

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self._wire: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._wire = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002 - it says who it is
        """One more."""
        with suppress(ValueError, KeyError, TypeError):
            self._heard(json.loads(data))

    def send(self, address: str, port: int, said: str) -> None:
        """Send one; a network that is down loses it, as any other would."""
        if self._wire is not None:
            with suppress(OSError):
                self._wire.sendto(said.encode(), (address, port))


async def listen(address: str, port: int, heard: Callable[[dict[str, Any]], None]) -> Wire:
    """Open a wire on one of this host's addresses."""
    _, wire = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Wire(heard), local_addr=(address, port))
    return wire


async def answering(addresses: tuple[str, ...]) -> frozenset[str]:
    """Which of these addresses answer now."""
    found = await asyncio.gather(*(_answers(address) for address in addresses))
    return frozenset(address for address, answers in zip(addresses, found, strict=True) if answers)


async def _answers(address: str) -> bool:
    """Whether a kernel is there: it refuses a connection to a port where nobody listens."""
    try:
        async with asyncio.timeout(_ANSWER):
            _, writer = await asyncio.open_connection(address, _ECHO)
        writer.close()
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False
    return True
