"""A loose connection: interfaces lose their carrier and get it back, again and again.

`python3 -m replica.wires.flap CONFIG.json`, with `{"interfaces": [name, …], "up": seconds, "down": seconds,
"limit": seconds, "ready": path}`. It ends by itself after the limit, with every interface up.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from threading import Event

from .. import netlink

_URGENT = 20


def flap(interfaces: set[str], up: float, down: float, limit: float) -> None:
    """Down first, then up, in turn, until the limit."""
    raw = netlink.connect()
    pause, end = Event(), time.monotonic() + limit
    while time.monotonic() < end:
        for lit, seconds in ((False, down), (True, up)):
            found = netlink.links(raw)  # a node that booted meanwhile has another interface of the same name
            with contextlib.suppress(OSError):
                netlink.power(raw, [found[name].index for name in interfaces & found.keys()], up=lit)
            pause.wait(seconds)


def main() -> None:
    """Flap as the configuration file says."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_URGENT))
    config = json.loads(Path(sys.argv[1]).read_text())
    Path(config["ready"]).touch()
    flap(set(config["interfaces"]), config["up"], config["down"], config["limit"])


if __name__ == "__main__":
    main()
