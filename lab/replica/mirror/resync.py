"""Bringing a copy back while the hosts work: passes over the marked grains, then a short stop for the rest."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from .copying import CopyJob, Single
from .marks import marked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..nbd.protocol import Data
    from .copies import Copy
    from .volume import Volume

# Grains that may be copied, as a multiple of those that were stale at the start, before the hosts' writes are held even
# if more than a few are left: a host that writes faster than the resync copies must not keep it from ending.
_PATIENCE = 8


class Resync:
    """The return of one copy.

    Attributes:
        stale: grains in which the copy may differ, in the order in which they are copied.
        total: how many there were at the start.
        copied: how many were copied, some of them more than once.
        frozen_since: since when the hosts' writes are held for its end.
    """

    def __init__(self, volume: Volume, copy: Copy, now: float) -> None:
        self._volume = volume
        self.copy = copy
        # A blank copy, whose disks were replaced or whose array is new to the volume, has nothing that it could keep.
        blank = not copy.generation or copy.bit & volume.record.holders.blank
        everything = range(volume.geometry.grains) if blank else marked(volume.flow.marks.bits)
        rejoins = "retire-before-sync" if blank else "stale-copy-rejoins"
        self.stale = dict.fromkeys([] if rejoins in volume.settings.defects else everything)
        if "resync-forgets-last-grain" in volume.settings.defects and self.stale:
            self.stale.popitem()
        self.total = len(self.stale)
        self.copied = 0
        self.frozen_since: float | None = None
        self._running: dict[int, CopyJob] = {}
        self._asked = self._ending = self._finishing = False
        self._budget = 0.0
        self._since = now

    @classmethod
    def of(cls, volume: Volume, now: float) -> Resync | None:
        """The resync of a copy that is connected and not in sync, if there is one."""
        for copy in volume.copies:
            if copy.loaded and not copy.bit & (volume.flow.members | volume.adding):
                blank = copy.bit & volume.record.holders.blank
                if (copy.generation or 0) > volume.record.generation and not blank:
                    volume.lose(copy, "was in service after what the arbiters know", now)
                    return None
                return cls(volume, copy, now)
        return None

    def touch(self, grains: Iterable[int]) -> None:
        """A write of a host is done: it went to the other copies only."""
        self.stale.update(dict.fromkeys(grains))

    def go_on(self, now: float) -> None:
        """Copy what may be copied now."""
        if self._finishing:
            return
        volume = self._volume
        step = volume.geometry.grain
        self._budget = min(self._budget + (now - self._since) * volume.rate, 0.2 * volume.rate)
        self._since = now
        source = volume.flow.reader
        for grain in [*islice(self.stale, 2 * volume.settings.window)]:
            if len(self._running) >= volume.settings.window or (self._budget < 0 and not self._ending):
                break
            # Two writings of one grain at a time could end in the wrong order.
            if grain not in self._running and source is not None:
                del self.stale[grain]
                self._budget -= step
                job = self._running[grain] = CopyJob(volume, grain, source, (self.copy,), self._done)
                job.start(now)
        self._check(now)

    def _done(self, job: CopyJob, now: float) -> None:
        del self._running[job.grain]
        self.copied += 1
        if self._volume.resync is self:
            self.go_on(now)

    def _check(self, now: float) -> None:
        left = len(self.stale) + len(self._running)
        if self._ending:
            if not left:
                self._finish(now)
        elif not self._asked and (left <= self._volume.settings.near_end or self.copied > _PATIENCE * self.total):
            self._asked = True
            self._volume.flow.gates.ask(self._end, now)

    def _end(self, now: float) -> None:
        """The hosts' writes are held and none is under way: copy the rest."""
        self._ending = True
        self.frozen_since = now
        self.go_on(now)

    def _finish(self, now: float) -> None:
        """Nothing is stale: give the copy its bitmap and its header, and let the arbiters know."""
        self._finishing = True
        volume, copy, geometry = self._volume, self.copy, self._volume.geometry

        def durable(_data: Data, _now: float) -> None:
            volume.adding = copy.bit
            volume.record.want(volume.flow.members | volume.adding)

        def labelled(_data: Data, now: float) -> None:
            Single(volume, copy, durable).flush(now)

        def told(_data: Data, now: float) -> None:
            Single(volume, copy, labelled).write(geometry.size, geometry.header(volume.record.generation), now)

        Single(volume, copy, told).write(geometry.bitmap_at, bytes(volume.flow.marks.bits), now)

    def joined(self, now: float) -> None:
        """The copy is on record as in sync."""
        self.copy.fresh()
        self._volume.resync = None
        self._volume.flow.gates.withdraw(self._end, now)

    def lost(self, copy: Copy, now: float) -> None:
        """A copy is lost: this one, which ends it, or a source, and the copying starts again from another one."""
        self._volume.resync = None
        self._volume.flow.gates.withdraw(self._end, now)
        if copy is not self.copy:
            self._volume.lose(self.copy, f"{copy.array} was lost during its resync", now)
