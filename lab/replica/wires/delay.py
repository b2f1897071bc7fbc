"""A relay that makes wires slow, for kernels without netem: it takes each frame where it arrives, and sends it later.

`python3 -m replica.wires.delay CONFIG.json`, with `{"ways": [[source, sink], …], "delay": seconds, "jitter": seconds,
"limit": seconds, "ready": path}`. Both ends of each wire lie in this network namespace. The firewall drops what
arrives at a sink without our mark; we see it before the firewall does, and send it through the wire once more, marked.

After `limit` seconds it ends by itself; the firewall's own time-out, a second earlier, lets everything through again.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import selectors
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

MARK = 0x6E66
_ALL = 0x0003
_SO_ATTACH_FILTER, _SO_MARK, _SO_RCVBUFFORCE = 26, 36, 33
_PACKET, _VNET_HDR, _QDISC_BYPASS, _IGNORE_OUTGOING = 263, 15, 20, 23
_LARGEST = 10 + 14 + 65536  # the virtio header in front of a frame as large as segmentation offload makes them
_BUFFER = 16 << 20
_URGENT = 20
# Classic BPF: a frame that bears our mark was here before, and is left alone.
_UNMARKED = struct.pack(
    "=HBBIHBBIHBBIHBBI",
    *(0x20, 0, 0, 0xFFFFF000 + 20),  # load the mark
    *(0x15, 0, 1, MARK),  # ours?
    *(0x06, 0, 0, 0),  # take nothing
    *(0x06, 0, 0, 0x40000),  # take all
)


@dataclass
class Way:
    """One direction through one wire, and the frames that are under way on it."""

    inlet: socket.socket
    outlet: socket.socket
    queue: deque[tuple[float, bytes]] = field(default_factory=deque)
    last: float = 0.0

    def take(self, now: float, delay: float, jitter: float) -> None:
        """Take in what has arrived. Jitter never lets a frame overtake another: reordering is another fault."""
        while True:
            try:
                frame = self.inlet.recv(_LARGEST)
            except OSError:  # nothing more, or the port went down
                return
            self.last = max(self.last, now + delay + random.uniform(-jitter, jitter))  # noqa: S311 - no secret
            self.queue.append((self.last, frame))

    def give(self, now: float) -> None:
        """Send what is due; a port that is down takes nothing, as a wire would not."""
        while self.queue and self.queue[0][0] <= now:
            with contextlib.suppress(OSError):
                self.outlet.send(self.queue.popleft()[1])


def opened(source: str, sink: str) -> Way:
    """Open both sockets of a way."""
    inlet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    program = ctypes.create_string_buffer(_UNMARKED)
    inlet.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 4, ctypes.addressof(program)))
    inlet.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    inlet.setsockopt(_PACKET, _VNET_HDR, 1)
    inlet.setsockopt(_PACKET, _IGNORE_OUTGOING, 1)
    inlet.bind((sink, _ALL))
    outlet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    outlet.setsockopt(_PACKET, _VNET_HDR, 1)
    outlet.setsockopt(_PACKET, _QDISC_BYPASS, 1)
    outlet.setsockopt(socket.SOL_SOCKET, _SO_MARK, MARK)
    outlet.bind((source, 0))
    return Way(inlet, outlet)


def relay(ways: list[Way], delay: float, jitter: float, limit: float) -> None:
    """Relay until the limit."""
    selector = selectors.DefaultSelector()
    for way in ways:
        selector.register(way.inlet, selectors.EVENT_READ, way)
    end = time.monotonic() + limit
    while (now := time.monotonic()) < end:
        due = min((way.queue[0][0] for way in ways if way.queue), default=end)
        for key, _ in selector.select(max(0.0, min(due, end) - now)):
            key.data.take(time.monotonic(), delay, jitter)
        now = time.monotonic()
        for way in ways:
            way.give(now)


def main() -> None:
    """Relay as the configuration file says."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_URGENT))
    config = json.loads(Path(sys.argv[1]).read_text())
    ways = [opened(source, sink) for source, sink in config["ways"]]
    Path(config["ready"]).touch()
    relay(ways, config["delay"], config["jitter"], config["limit"])


if __name__ == "__main__":
    main()
