"""A service that always says yes: `python -m lab.calibration.responder [ADDRESS]`, its port on the first line."""

from __future__ import annotations

import asyncio
import sys

BODY = b'{"token":"none"}'


class Responder(asyncio.Protocol):
    """Answers every request with the same few bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take any bytes for one request."""
        status = b"201 Created" if data.startswith(b"POST") else b"200 OK"
        close = b"connection: close" in data.lower()
        head = b"HTTP/1.1 " + status + b"\r\nx-member: none\r\n" + (b"connection: close\r\n" if close else b"")
        self._transport.write(head + b"content-length: %d\r\n\r\n" % len(BODY) + BODY)
        if close:
            self._transport.close()


async def respond(address: str) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Responder, address, 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - a program
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(respond(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"))
