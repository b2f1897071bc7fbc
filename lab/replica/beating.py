"""The heartbeat of a server that has an application. Apart, since hundreds of guests are forked without asyncio."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .heartbeat import write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_EVERY = 0.5  # seconds between two heartbeats


async def keep(healthy: Callable[[], Awaitable[bool]]) -> None:
    """Beat for ever, from this very program: whoever stops it stops the heartbeat."""
    told = os.environ.get("BASCULE_HEARTBEAT")
    while told:
        write(Path(told), healthy=await healthy())
        await asyncio.sleep(_EVERY)
