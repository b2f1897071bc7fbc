"""A unix socket for the lab: one line in, one line of JSON out.

Whoever sends nothing, or hangs up its sending side, gets the status.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from .mischief import OrderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATIENCE = 0.1  # seconds for the line to come; it is sent together with the connection
_LONGEST = 1 << 16  # bytes


async def serve(
    path: Path, status: Callable[[], dict[str, Any]], obey: Callable[[str], None]
) -> asyncio.AbstractServer:
    """Listen.

    Args:
        path: of the socket.
        status: the answer to `status`, to no line, and to an order that was obeyed.
        obey: does any other line; raises OrderError, which is answered as {"error": sentence}.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = ""
            try:
                async with asyncio.timeout(_PATIENCE):
                    line = (await reader.readline()).decode(errors="replace").strip()
            except TimeoutError:
                pass
            writer.write(json.dumps(_done(line, status, obey)).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            return  # hung up, or a line without end
        finally:
            writer.close()

    _make_way(path)
    return await asyncio.start_unix_server(answer, path, limit=_LONGEST)


def _make_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def _done(line: str, status: Callable[[], dict[str, Any]], obey: Callable[[str], None]) -> dict[str, Any]:
    if line not in {"", "status"}:
        try:
            obey(line)
        except OrderError as error:
            return {"error": str(error)}
    return status()
