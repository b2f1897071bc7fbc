"""The heartbeat of a virtual server: what VMware Tools tell a hypervisor, that the guest lives and how it is.

A file in the host's memory, which the hypervisor names in BASCULE_HEARTBEAT: `{"at": seconds, "healthy": bool}`, on the
clock that no one can set. A server that was started by hand has none, and tells nobody.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
