"""Frames of our own sent through a wire, to see what becomes of them: lost, late, twice, out of order, or too many.

Sent to a link-local address, so that no bridge passes them on, and of a type of their own, so that no monitor minds
them. They go through whatever holds the wire back, and are received behind it.
"""

from __future__ import annotations

import socket
import statistics
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TO = bytes.fromhex("0180c200000e")
_TYPE = 0x88B6  # local experimental, the second one
_SO_RCVBUFFORCE = 33
_BUFFER = 8 << 20
_STAMP = struct.Struct("!IQQ")
_HEADER = 14


@dataclass
class Crossing:
    """What became of the frames that were sent."""

    sent: int = 0
    received: int = 0
    twice: int = 0
    disordered: int = 0
    delays: list[float] = field(default_factory=list)
    octets: int = 0
    seconds: float = 0.0

    @property
    def lost(self) -> int:
        """Frames that never arrived."""
        return self.sent - self.received

    @property
    def delay(self) -> float:
        """The median's way, in seconds; nothing that arrived has none."""
        return statistics.median(self.delays) if self.delays else 0.0

    @property
    def rate(self) -> float:
        """Bits a second that came through."""
        return 8 * self.octets / self.seconds if self.seconds else 0.0


def opened(interface: str) -> socket.socket:
    """A socket on an interface of the calling thread's network namespace; it may be used from any other."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_TYPE))
    wire.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    wire.bind((interface, _TYPE))
    return wire


class Crosser:
    """Sends at one end, counts at the other; each crossing has a number of its own, so that no late frame counts."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self._source, self._sink = source, sink
        self._from = source.getsockname()[4]  # a bridge drops what comes from nobody
        self._run = time.monotonic_ns()
        self._seen: set[int] = set()
        self._highest = -1
        self.found = Crossing()

    def send(self, size: int) -> None:
        """Send one frame; what the sender's own queue refuses is lost as well."""
        stamp = _STAMP.pack(self.found.sent, self._run, time.monotonic_ns())
        self.found.sent += 1
        try:
            self._source.send((_TO + self._from + struct.pack("!H", _TYPE) + stamp).ljust(size, b"\0"))
        except OSError:
            return

    def receive(self) -> None:
        """Count what has arrived."""
        for number, left, size in self._arrived():
            self.found.twice += number in self._seen
            if number not in self._seen:
                self._seen.add(number)
                self.found.received += 1
                self.found.octets += size
                self.found.delays.append((time.monotonic_ns() - left) / 1e9)
                self.found.disordered += number < self._highest
                self._highest = max(self._highest, number)

    def _arrived(self) -> Iterator[tuple[int, int, int]]:
        while True:
            try:
                frame = self._sink.recv(2048)
            except OSError:  # nothing more, or the port is down
                return
            number, run, left = _STAMP.unpack_from(frame, _HEADER)
            if run == self._run:
                yield number, left, len(frame)


def cross(source: socket.socket, sink: socket.socket, frames: int, patience: float) -> Crossing:
    """Send small frames, a few at a time, and wait for the last of them for so many seconds at most."""
    crosser = Crosser(source, sink)
    for number in range(frames):
        crosser.send(64)
        if number % 16 == 0:
            crosser.receive()
    end = time.monotonic() + patience
    while crosser.found.received < frames and time.monotonic() < end:
        crosser.receive()
    crosser.receive()
    return crosser.found


def walk(source: socket.socket, sink: socket.socket, frames: int, patience: float) -> Crossing:
    """Send small frames, each when the one before has arrived or is given up: how late a wire is, unhurried."""
    crosser = Crosser(source, sink)
    for number in range(1, frames + 1):
        crosser.send(64)
        end = time.monotonic() + patience
        while crosser.found.received < number and time.monotonic() < end:
            crosser.receive()
        if not crosser.found.received:
            break  # a dead wire is not worth the wait for each
    return crosser.found


def flood(source: socket.socket, sink: socket.socket, seconds: float) -> Crossing:
    """Send as much as the wire takes for so long; the first fifth, which fills its queue, is not counted."""
    crosser = Crosser(source, sink)
    begun = time.monotonic()
    counted_from, counted = begun + seconds / 5, False
    while (now := time.monotonic()) < begun + seconds:
        crosser.send(1400)
        crosser.receive()
        if not counted and now > counted_from:
            counted, crosser.found.octets = True, 0
    crosser.found.seconds = time.monotonic() - counted_from
    return crosser.found
