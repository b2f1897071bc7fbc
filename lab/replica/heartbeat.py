"""The heartbeat of a virtual server: what VMware Tools tell a hypervisor, that the guest lives and how it is.

A file in the host's memory, which the hypervisor names in BASCULE_HEARTBEAT: `{"at": seconds, "healthy": bool}`, on the
clock that no one can set. A server that was started by hand has none, and tells nobody.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EVERY = 0.5  # seconds between two heartbeats


def write(path: Path, *, healthy: bool) -> None:
    """One heartbeat."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"at": time.monotonic(), "healthy": healthy}), encoding="ascii")
    new.replace(path)


def read(path: Path) -> tuple[float, bool] | None:
    """Seconds since the last heartbeat, and whether the server called itself healthy; None before the first."""
    try:
        found = json.loads(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    return time.monotonic() - found["at"], bool(found["healthy"])


async def keep(healthy: Callable[[], Awaitable[bool]]) -> None:
    """Beat for ever, from this very program: whoever stops it stops the heartbeat."""
    told = os.environ.get("BASCULE_HEARTBEAT")
    while told:
        write(Path(told), healthy=await healthy())
        await asyncio.sleep(EVERY)
