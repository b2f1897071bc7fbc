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
        for session in self.sessions:
            self._network.gone(session)
        self.sessions.clear()

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
            for session in self.sessions:
                if session.open:
                    self._network.reset(session)
        self.epoch = max(epoch, self.epoch)
        self.sessions = [*(session for session in self.sessions if session.open), end]
        end.lost = lambda _reason: None
        return True

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
            for atom in self.dirty:
                self._destage(atom)
            self.dirty.clear()
        self._answer(end, lambda: done(0, b""))

    def _answer(self, end: End, message: Callable[[], None]) -> None:
        self._network.send(end, message)
