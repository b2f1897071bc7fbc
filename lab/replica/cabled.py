"""The firmware of a switch, and of a node that stands on two: keeps one cable of each group carrying.

`python3 -m replica.cabled CONFIG.json`, with `{"bridge": interface, "groups": [{"leads": bool, "announce": bool,
"ports": [interface, …]}, …]}`. Part of the replica: its death is a fault case.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import selectors
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import netlink
from .cables import HELLO, Group

# A link-local destination passes a blocked port and is never forwarded by a bridge.
_HELLO_TO = bytes.fromhex("0180c200000e")
_HELLO_TYPE = 0x88B5  # local experimental; a socket bound to it sits behind the firewall, so a blackhole hits hellos
_HELLO = struct.Struct("!4sBB")
_MAGIC = b"BASC"
_BROADCAST = b"\xff" * 6
_RARP = struct.Struct("!HHHBBH6s4s6s4s")
_RARP_TYPE = 0x8035
# A switch's own processor does nothing else; here it must get its turn among the databases.
_URGENT = 20
_HIGH = -15


@dataclass
class _End:
    """One interface of a group, with its socket while it exists."""

    name: str
    group: Group
    number: int
    announce: bool
    index: int = 0
    wire: socket.socket | None = None
    state: netlink.PortState | None = None


@dataclass
class Cabled:
    """Sockets and clock around the decisions of `cables.Group`."""

    bridge: str
    ends: dict[str, _End] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        self.ask = netlink.connect()
        self.news = netlink.connect(netlink.RTMGRP_LINK)
        self.news.settimeout(0)
        self.selector.register(self.news, selectors.EVENT_READ)

    def add(self, ports: list[str], *, leads: bool, announce: bool) -> None:
        """Watch a group of parallel cables."""
        group = Group(len(ports), leads=leads)
        for number, name in enumerate(ports):
            self.ends[name] = _End(name, group, number, announce)
            group.carrier(number, up=False)

    def look(self) -> None:
        """Read the state of every interface: at the start, and when the kernel dropped news."""
        for link in netlink.links(self.ask).values():
            self.changed(link)

    def changed(self, link: netlink.Link) -> None:
        """An interface came, went, gained or lost its carrier."""
        end = self.ends.get(link.name)
        if end is None:
            return
        if end.wire is not None and (link.gone or link.index != end.index):
            self.selector.unregister(end.wire)
            end.wire.close()
            end.wire, end.state = None, None
        if end.wire is None and not link.gone:
            self.open(end, link)
        up = link.carrier and not link.gone
        if not up:
            end.state = None  # the kernel forgets a port's state with its carrier
        end.group.carrier(end.number, up=up)

    def open(self, end: _End, link: netlink.Link) -> None:
        """Listen on an interface; one that went while its news was on the way is left to its next news."""
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_HELLO_TYPE))
        try:
            wire.bind((link.name, _HELLO_TYPE))
        except OSError:
            wire.close()
            return
        end.wire, end.index = wire, link.index
        self.selector.register(wire, selectors.EVENT_READ, end)

    def read_news(self) -> None:
        """Take what the kernel tells of interfaces."""
        try:
            for link in netlink.changes(self.news):
                self.changed(link)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.look()

    def hear(self, end: _End) -> None:
        """Take the hellos that wait on one port."""
        while end.wire is not None:
            try:
                frame = end.wire.recv(128)
            except BlockingIOError:
                return
            except OSError:  # the port went down under the read; its news follows
                return
            magic, hears_us, names = _HELLO.unpack_from(frame, 14)
            if magic == _MAGIC:
                end.group.hello(end.number, time.monotonic(), hears_us=bool(hears_us), names=names)

    def greet(self, now: float) -> None:
        """Say hello on every port."""
        for end in self.ends.values():
            if end.wire is None:
                continue
            hello = _HELLO.pack(_MAGIC, int(end.group.hears(end.number, now)), end.group.chosen)
            with contextlib.suppress(OSError):  # a port that is down says nothing
                end.wire.send(_frame(_HELLO_TO, end.wire.getsockname()[4], _HELLO_TYPE, hello))

    def apply(self, now: float) -> None:
        """Make the kernel's ports what the groups decide."""
        decided = {id(end.group): end.group.decide(now) for end in self.ends.values()}
        for end in self.ends.values():
            carries = decided[id(end.group)] == end.number
            wanted = netlink.PortState.FORWARDING if carries else netlink.PortState.LISTENING
            if end.wire is None or end.state == wanted or not end.group.ports[end.number].carrier:
                continue
            try:
                netlink.set_port(self.ask, end.index, state=wanted, flush=not carries)
            except OSError:  # carrier lost meanwhile; its news follows and the state is set when it is back
                continue
            end.state = wanted
            if carries and end.announce:
                self.announce(end)

    def announce(self, end: _End) -> None:
        """Tell the new switch who stands behind this node, as a hypervisor's "notify switches" does."""
        uplinks = {other.index for other in self.ends.values()}
        here = netlink.links(self.ask)[self.bridge].index
        for address, port in netlink.learned(self.ask, here).items():
            if port not in uplinks and end.wire is not None and not address[0] & 1:
                question = _RARP.pack(1, 0x0800, 6, 4, 3, 0, address, bytes(4), address, bytes(4))[: _RARP.size]
                with contextlib.suppress(OSError):
                    end.wire.send(_frame(_BROADCAST, address, _RARP_TYPE, question))

    def run(self) -> None:
        """Greet every HELLO seconds; decide whenever something was heard or seen."""
        self.look()
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= due:
                late = now - due
                if late > HELLO:  # a monitor that was late itself accuses nobody
                    for group in {id(end.group): end.group for end in self.ends.values()}.values():
                        group.forgive(late)
                self.greet(now)
                due = max(due + HELLO, now)
            for key, _ in self.selector.select(max(0.0, due - time.monotonic())):
                if key.fileobj is self.news:
                    self.read_news()
                else:
                    self.hear(key.data)
            self.apply(time.monotonic())


def _frame(to: bytes, sender: bytes, kind: int, payload: bytes) -> bytes:
    return (to + sender + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def main() -> None:
    """Run the firmware that the configuration file describes."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_URGENT))
    except PermissionError:  # a node's control group may have no real-time share
        os.nice(_HIGH)
    config = json.loads(Path(sys.argv[1]).read_text())
    cabled = Cabled(config["bridge"])
    for group in config["groups"]:
        cabled.add(group["ports"], leads=group["leads"], announce=group["announce"])
    cabled.run()


if __name__ == "__main__":
    main()
