"""Whether the twin lives, asked of the arbitrator: when the rooms are parted, each member still hears room three.

Both then hold the virtual address, which harms nobody while both can serve. One whose volume is frozen cannot, and must
leave the address to a twin that it no longer hears itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from .galera import STATE_PORT
from .reach import Reach

if TYPE_CHECKING:
    from ipaddress import IPv4Address

_ANSWER = 0.5  # seconds for the arbitrator to say whom it hears


async def tell(address: IPv4Address, members: tuple[IPv4Address, ...]) -> None:
    """On the arbitrator: ask the members' kernels all the time, and tell whoever connects which of them answer."""
    heard = {str(member): Reach((member,)) for member in members}

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            line = json.dumps([name for name, reach in heard.items() if reach.is_reached])
            writer.write(f"{line}\n".encode())
            await writer.drain()

    async with await asyncio.start_server(answer, str(address), STATE_PORT):
        await asyncio.gather(*(reach.run() for reach in heard.values()))


async def hears(arbitrator: IPv4Address, member: IPv4Address) -> bool:
    """On a member: whether the arbitrator hears this other member; an arbitrator that does not answer hears nobody."""
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(_ANSWER):
            reader, writer = await asyncio.open_connection(str(arbitrator), STATE_PORT)
            with contextlib.closing(writer):
                return str(member) in json.loads(await reader.readline())
    return False
