"""A simulated array: a medium, a cache that a power loss empties, and sessions that fence each other."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from lab.replica.array.layout import BLOCK

from .storage_network import Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.replica.mirror.geometry import Geometry

    from .storage_network import Clock, End, Network

ATOM = 16  # bytes that survive a power loss as a whole or not at all


class Array(Process):
    """One array with one volume."""

    def __init__(self, clock: Clock, network: Network, place: str, geometry: Geometry, defects: frozenset[str]) -> None:
        super().__init__(clock, place)
        self._network = network
        self._defects = defects
        self.size = geometry.size
        length = geometry.size + BLOCK + geometry.pieces * geometry.piece
        self.durable = bytearray(length)
        self.durable[geometry.size : geometry.size + BLOCK] = geometry.header(0)
        self.view = bytearray(self.durable)
        self.dirty: set[int] = set()
        self.epoch = 0
        self.sessions: list[End] = []  # without defect, one at most is open
        self.hosts: list[End] = []  # of a stand-alone volume
        self.newest: int | None = None  # session of a host that it serves by itself; None: it does not
        self.rotten: set[int] = set()  # atoms that cannot be read until they are written
        self.full = False

    # Power

    def lose_power(self) -> None:
        """Of what was not flushed, any part may have reached the medium."""
        for atom in self.dirty:
            if self.clock.random.random() < 0.5:
                self._destage(atom)
        self.dirty.clear()
        self.view = bytearray(self.durable)
        self.die()
        for session in (*self.sessions, *self.hosts):
            self._network.gone(session)
        self.sessions.clear()
        self.hosts.clear()

    def restart(self) -> None:
        self.alive = True
        self.full = False

    def _destage(self, atom: int) -> None:
        start = atom * ATOM
        self.durable[start : start + ATOM] = self.view[start : start + ATOM]

    # Sessions

    def admit(self, end: End, epoch: int) -> bool:
        """Open a session, unless its epoch is over; a new one cuts the older one."""
        if "no-epoch-check" not in self._defects:
            if epoch < self.epoch:
                return False
            self._cut(self.sessions)
            if "host-not-fenced" not in self._defects:
                self._cut(self.hosts)
        self.newest = None
        self.epoch = max(epoch, self.epoch)
        self.sessions = [*(session for session in self.sessions if session.open), end]
        end.lost = lambda _reason: None
        return True

    def admit_host(self, end: End, number: int) -> bool | None:
        """Let a host use a stand-alone volume; None: not now, False: its session is over."""
        if self.newest is None or number < self.newest:
            return None if self.newest is None else False
        self._cut(self.hosts)
        self.newest = number
        self.hosts = [end]
        end.lost = lambda _reason: None
        self._settle()
        return True

    def present(self, number: int) -> None:
        """Serve hosts again whose session is as new as this one, unless a node has it open."""
        if self.answers and not any(session.open for session in self.sessions):
            self.newest = max(number, self.newest or 0)

    def _cut(self, sessions: list[End]) -> None:
        for session in sessions:
            if session.open:
                self._network.reset(session)

    # Requests

    def read(self, end: End, offset: int, length: int, done: Callable[[int, bytes], None]) -> None:
        atoms = range(offset // ATOM, (offset + length - 1) // ATOM + 1)
        if self.rotten and not self.rotten.isdisjoint(atoms):
            self._answer(end, lambda: done(errno.EIO, b""))
        else:
            data = bytes(self.view[offset : offset + length])
            self._answer(end, lambda: done(0, data))

    def write(self, end: End, offset: int, data: bytes, done: Callable[[int, bytes], None], *, fua: bool) -> None:
        if self.full and offset < self.size:
            self._answer(end, lambda: done(errno.ENOSPC, b""))
            return
        self.view[offset : offset + len(data)] = data
        atoms = range(offset // ATOM, (offset + len(data) - 1) // ATOM + 1)
        self.rotten.difference_update(atoms)
        if fua and "no-flush" not in self._defects:
            self.durable[offset : offset + len(data)] = data
        else:
            self.dirty.update(atoms)
            if self.clock.random.random() < 0.05:
                self._destage(self.clock.random.choice(atoms))
        self._answer(end, lambda: done(0, b""))

    def flush(self, end: End, done: Callable[[int, bytes], None]) -> None:
        if "no-flush" not in self._defects:
            self._settle()
        self._answer(end, lambda: done(0, b""))

    def _settle(self) -> None:
        for atom in self.dirty:
            self._destage(atom)
        self.dirty.clear()

    def _answer(self, end: End, message: Callable[[], None]) -> None:
        self._network.send(end, message)
