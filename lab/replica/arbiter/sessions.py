"""The session of a volume: which host may write to it. The newest wins, for good: it is the fence of a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .kv import Kv


async def take(kv: Kv, volume: str, host: str) -> int:
    """Take the session of a volume for a host; returns its number. Whoever held it before is refused from now on.

    Raises:
        KvUnreachableError: no arbiter answered in time; whether the session was taken is not known; take it again.
    """
    key = f"sessions/{volume}"
    while True:
        held = (await kv.read(key))[key]
        number = json.loads(held.value)["number"] + 1 if held.revision else 1
        if await kv.swap({key: held.revision}, {key: json.dumps({"host": host, "number": number})}) is not None:
            return int(number)
