"""Opening a volume: gather the copies that are in sync, record who is there, make them equal where they are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .copying import CopyJob, Single
from .marks import marked
from .requests import OwnFlush

if TYPE_CHECKING:
    from ..nbd.protocol import Data
    from .copies import Copy
    from .volume import Volume


class Opening:
    """One opening, from the question to the arbiters to the last grain.

    Args:
        volume: which.
        now: when it began.
        after: seconds to wait before anything is done.
    """

    def __init__(self, volume: Volume, now: float, after: float = 0.0) -> None:
        self._volume = volume
        self._since = now + after
        self._known = False
        self._asked = False
        self._chosen: tuple[Copy, ...] = ()
        self._unlabelled = 0
        self._todo: list[int] = []
        self._running = 0

    # Gather

    @staticmethod
    def load(volume: Volume, copy: Copy, now: float) -> None:
        """Read the header and the bitmap of a copy whose session has just been opened."""
        geometry = volume.geometry

        def header(data: Data, now: float) -> None:
            try:
                copy.generation = geometry.generation(data)
            except ValueError as error:
                copy.broken = True
                volume.lose(copy, f"not a copy of this volume: {error}", now)
            else:
                volume.loaded(now)

        def bitmap(data: Data, now: float) -> None:
            copy.bits = bytes(data)
            Single(volume, copy, header).read(geometry.size, geometry.bitmap_at - geometry.size, now)

        Single(volume, copy, bitmap).read(geometry.bitmap_at, geometry.pieces * geometry.piece, now)

    def go_on(self, now: float) -> None:
        """Something happened, or time passed."""
        volume = self._volume
        if now < self._since or self._chosen:
            return
        if not self._asked:
            self._asked = True
            volume.record.read()
        elif volume.record.ready:
            self._choose(now)

    def _choose(self, now: float) -> None:
        volume, record = self._volume, self._volume.record
        if record.outside:
            volume.stay_outside(now)
            return
        volume.ours = True
        loaded = [copy for copy in volume.copies if copy.loaded]
        if not record.generation:
            begin = [copy for copy in volume.copies if not copy.bit & record.holders.blank]
            if all(copy.loaded for copy in begin):
                self._begin_life(begin, now)
            return
        blank = record.holders.blank
        newer = [copy.array for copy in loaded if (copy.generation or 0) > record.generation and not copy.bit & blank]
        if newer:
            volume.refuse(_NEWER.format(volume.name, " and ".join(newer)), now)
            return
        listed = [copy for copy in volume.copies if copy.bit & record.copies]
        # A copy of generation 0 has been replaced by a blank one since it was recorded.
        usable = [copy for copy in listed if copy.loaded and copy.generation]
        gathered = all(copy.loaded for copy in listed)
        if not usable:
            if gathered:
                volume.refuse((_BLANK if listed else _AWAY).format(volume.name), now)
            return
        if gathered or now >= self._since + volume.settings.gather:
            sound = [copy for copy in usable if not copy.broken] or usable
            self._chosen = tuple(sound)
            record.put(sum(copy.bit for copy in sound))

    def _begin_life(self, loaded: list[Copy], now: float) -> None:
        """None has been in service here: all copies were made from the same image, or it is the one of a host."""
        volume = self._volume
        used = [copy.array for copy in loaded if (copy.generation or 0) > 1]
        if used:
            volume.refuse(_NEWER.format(volume.name, " and ".join(used)), now)
            return
        self._chosen = tuple(loaded)
        self._unlabelled = len(loaded)

        def labelled(_data: Data, _now: float) -> None:
            self._unlabelled -= 1
            if not self._unlabelled:
                volume.record.put(sum(copy.bit for copy in loaded))

        # Before the record: a copy without generation is a blank one from now on.
        for copy in loaded:
            Single(volume, copy, labelled).write(volume.geometry.size, volume.geometry.header(1), now)

    def looked(self, now: float) -> None:
        """The record was read: for the first time, or because a change was refused or its outcome is unknown."""
        self._chosen = ()
        self.go_on(now)

    # Make equal

    def recorded(self, now: float) -> None:
        """The record names those who are here: copy what is marked from one to the others, then flush them all."""
        volume, flow = self._volume, self._volume.flow
        for copy in self._chosen:
            copy.fresh()
        flow.use(self._chosen)
        flow.listed = volume.record.listed
        bits = bytearray(volume.geometry.pieces * volume.geometry.piece)
        for copy in self._chosen:
            for at, byte in enumerate(copy.bits):
                bits[at] |= byte
        flow.marks.load(bits)
        if len(self._chosen) > 1:
            self._todo = marked(bits)
            self._todo.reverse()
            for piece in flow.marks.pieces:
                piece.changed = any(copy.bits != bits for copy in self._chosen)
                piece.write(now)
        self._continue(now)

    def _continue(self, now: float) -> None:
        volume, flow = self._volume, self._volume.flow
        source = flow.reader
        while source is not None and self._todo and self._running < volume.settings.window:
            self._running += 1
            targets = tuple(copy for copy in flow.targets if copy is not source)
            CopyJob(volume, self._todo.pop(), source, targets, self._copied).start(now)
        if not self._running:
            flow.label(volume.record.generation, now)
            flow.gates.ask(self._settle, now)

    def _settle(self, now: float) -> None:
        """Nothing is under way any more: what hosts will read must be durable, or a power loss could take it back."""
        flow = self._volume.flow

        def durable(now: float) -> None:
            self._volume.serve(now)
            flow.gates.done(now)

        flow.mirror(OwnFlush(flow, durable), now)

    def _copied(self, _job: CopyJob, now: float) -> None:
        self._running -= 1
        self._continue(now)

    def lost(self, copy: Copy, now: float) -> None:
        """A copy is lost: if it is one that was counted on, begin again."""
        if copy in self._chosen:
            self._volume.reopen(now)


_NEWER = (
    "{0}: both claim to be newer. {1} was in service after what the arbiters know of it: the arbiters were set back to "
    "an older state, and which copy is the newest is for a human to say"
)
_AWAY = "{0}: the copies that are recorded as in sync are in another room, which has it in its charge"
_BLANK = "{0}: every copy that is recorded as in sync is blank: its disks were replaced, and the data is gone"
