"""What a member learns of its twin from the arbitrator: when the rooms are parted, each still hears room three.

VRRP hears the other member only, so that both then take the virtual address, and the wards use whichever announced it
last: perhaps the one whose volume is frozen. Each therefore tells the arbitrator how it stands, and hears from there
whether the other lives and how that one stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .bootstrap import Standing
from .galera import STATE_PORT
from .reach import Reach

if TYPE_CHECKING:
    from ipaddress import IPv4Address

_ANSWER = 0.5  # seconds for the arbitrator to answer
_FRESH = 2.0  # seconds for which what a member said of itself still holds


@dataclass(frozen=True)
class Hearsay:
    """What the arbitrator says of the twin: whether it hears it, and what the twin said of itself lately."""

    alive: bool = False
    standing: Standing | None = None


class Arbitration:
    """On the arbitrator: hears the members, and passes on what they say."""

    def __init__(self, members: tuple[IPv4Address, ...]) -> None:
        self._heard = {str(member): Reach((member,)) for member in members}
        self._said: dict[str, tuple[float, str]] = {}

    async def run(self, address: IPv4Address) -> None:
        """Listen until cancelled."""
        async with await asyncio.start_server(self._answer, str(address), STATE_PORT):
            await asyncio.gather(*(reach.run() for reach in self._heard.values()))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.closing(writer):
            now = time.monotonic()
            self._said[writer.get_extra_info("peername")[0]] = (now, (await reader.readline()).decode())
            said = {name: line for name, (when, line) in self._said.items() if now - when < _FRESH}
            told = {name: said.get(name, "") for name, reach in self._heard.items() if reach.is_reached}
            writer.write(f"{json.dumps(told)}\n".encode())
            await writer.drain()


async def ask(arbitrator: IPv4Address, twin: IPv4Address, mine: Standing) -> Hearsay:
    """On a member: say how it stands and hear of the twin; an arbitrator that does not answer hears nobody."""
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(_ANSWER):
            reader, writer = await asyncio.open_connection(str(arbitrator), STATE_PORT)
            with contextlib.closing(writer):
                writer.write(f"{mine.to_json()}\n".encode())
                told = json.loads(await reader.readline())
        if str(twin) in told:
            line = told[str(twin)]
            return Hearsay(alive=True, standing=Standing.from_json(line) if line else None)
    return Hearsay()


def may_hold(mine: Standing, twin: Standing | None, hearsay: Hearsay, *, first: bool) -> bool:
    """Whether a member may hold the virtual address.

    Args:
        mine: how it stands.
        twin: how the twin stands, from its own mouth; None if it is not heard.
        hearsay: what the arbitrator says of the twin; of interest only if the twin is not heard.
        first: which of two that are equally fit holds it while they do not hear each other.
    """
    if twin is not None:
        return mine.fit or not twin.fit
    if not hearsay.alive:
        return True
    if hearsay.standing is None or hearsay.standing.fit != mine.fit:
        return mine.fit
    return first
