"""Questions over HTTP, on connections that are kept: what the arbiters' gateway needs, and no more.

A library for all of HTTP costs each of a lab's ten programs that ask arbiters 0.1 s of processor to load, while all of
them start at once, and 1.2 ms for a question in place of 0.09 (httpx against this, a fake arbiter, December 2026).
"""

from __future__ import annotations

import asyncio
from typing import TypeAlias
from urllib.parse import urlsplit

Connection: TypeAlias = "tuple[asyncio.StreamReader, asyncio.StreamWriter]"


class NotTakenError(Exception):
    """No connection was made in time: nothing was asked."""


class NoAnswerError(Exception):
    """The question went out and no answer came in time; what it asked for may have been done."""


class Connections:
    """Connections to servers, by their URL.

    Args:
        takes: seconds for a connection to be made.
        patience: seconds for an answer to begin, and again for the rest of it.
    """

    def __init__(self, takes: float, patience: float) -> None:
        self._takes = takes
        self._patience = patience
        self._idle: dict[str, list[Connection]] = {}

    async def post(self, server: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer to this JSON.

        Raises:
            NotTakenError: the server takes no connection.
            NoAnswerError: it took the question and did not answer in time.
        """
        reader, writer = connection = await self._connection(server)
        try:
            head = f"POST {path} HTTP/1.1\r\nHost: {urlsplit(server).netloc}\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            async with asyncio.timeout(self._patience):
                status = int((await reader.readline()).split(b" ", 2)[1])
            async with asyncio.timeout(self._patience):
                answer = await _body(reader, await _headers(reader))
        except (OSError, EOFError, ValueError, IndexError) as error:  # a time-out is an OSError
            writer.close()
            raise NoAnswerError(repr(error)) from error
        except asyncio.CancelledError:
            writer.close()
            raise
        self._idle.setdefault(server, []).append(connection)
        return status, answer

    def close(self) -> None:
        """Let go of them all."""
        for _, writer in (one for idle in self._idle.values() for one in idle):
            writer.close()
        self._idle.clear()

    async def _connection(self, server: str) -> Connection:
        idle = self._idle.get(server, [])
        while idle:
            reader, writer = idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        where = urlsplit(server)
        try:
            async with asyncio.timeout(self._takes):
                return await asyncio.open_connection(where.hostname, where.port)
        except OSError as error:
            raise NotTakenError(repr(error)) from error


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    found = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        found[name.lower()] = value.strip().lower()
    return found


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers["content-length"]))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(parts)
