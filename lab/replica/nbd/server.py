"""An NBD server on TCP or a unix socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeAlias

from .link import Exports, Link, Session

__all__ = ["Address", "Exports", "Link", "Server", "Session", "serve"]

Address: TypeAlias = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""


class Server:
    """A listening server.

    Attributes:
        links: its clients, also those that are not yet admitted.
    """

    def __init__(self, listener: asyncio.Server, links: set[Link]) -> None:
        self._listener = listener
        self.links = links

    @property
    def port(self) -> int:
        """The TCP port; the kernel chose it where 0 was asked for."""
        return int(self._listener.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Listen no more and abort all links."""
        self._listener.close()
        for link in list(self.links):
            link.abort()


async def serve(exports: Exports, address: Address) -> Server:
    """Listen. Raises OSError when the address cannot be had."""
    loop = asyncio.get_running_loop()
    links: set[Link] = set()

    def welcome() -> Link:
        return Link(exports, links)

    if isinstance(address, str):
        # Whoever waits for the socket and finds it may connect: between its birth and the first moment that it listens
        # nbdfuse was refused, and its server's start failed with it.
        born = Path(f"{address}.born")
        listener = await loop.create_unix_server(welcome, str(born))
        born.replace(address)  # noqa: ASYNC240 - a new name in a folder in memory: nothing to wait for
        return Server(listener, links)
    host, port = address
    return Server(await loop.create_server(welcome, host, port, reuse_address=True), links)
