"""Which grains may differ between the copies: in memory, and durable on every copy in sync before data is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .requests import HostWork, Mirrored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .flow import Flow
    from .work import ArrayLink


class Marks:
    """The bitmap.

    Attributes:
        bits: what the copies' bitmaps are to say, or say already.
        durable: the marked grains whose bit is durable on every copy in sync, with the number of flushes that were
            begun when they were last written; the one that was not written for longest comes first.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        geometry = flow.volume.geometry
        self._per_piece = 8 * geometry.piece
        self.bits = bytearray(geometry.pieces * geometry.piece)
        self.durable: dict[int, int] = {}
        self.pieces = [_Piece(self, number) for number in range(geometry.pieces)]

    def load(self, bits: bytearray) -> None:
        """Take over what the copies' bitmaps say, all of them the same."""
        self.bits = bits
        self.durable = dict.fromkeys(marked(bits), self._flow.flushes)

    def hold(self, work: HostWork, now: float) -> bool:
        """Whether all of its grains are marked; otherwise it is sent when they are."""
        durable = self.durable
        for grain in work.grains:
            if grain not in durable:
                self._mark(work, now)
                return False
        return True

    def _mark(self, work: HostWork, now: float) -> None:
        touched = []
        for grain in work.grains:
            if grain not in self.durable:
                piece = self.pieces[grain // self._per_piece]
                self.bits[grain >> 3] |= 1 << (grain & 7)
                piece.wait(work, grain)
                touched.append(piece)
        for piece in touched:
            piece.write(now)

    def suspect(self, grains: Iterable[int], now: float) -> None:
        """A copy could not read these grains: they are to be written anew."""
        for grain in grains:
            if grain not in self.durable:
                piece = self.pieces[grain // self._per_piece]
                self.bits[grain >> 3] |= 1 << (grain & 7)
                piece.new.add(grain)
                piece.write(now)

    def touch(self, grains: Iterable[int]) -> None:
        """These grains were written."""
        durable, flushes = self.durable, self._flow.flushes
        for grain in grains:
            durable.pop(grain, None)
            durable[grain] = flushes

    def flushed(self, flush: Mirrored, number: int, now: float) -> None:
        """A flush is done: forget the oldest marks that it covers, if there are more than are to be kept.

        Only when all copies of the plan have flushed, and not of a grain that is being written.
        """
        flow = self._flow
        keep = flow.volume.settings.kept_marks
        if len(self.durable) <= keep or not flow.every == flush.have == flow.members == flow.listed or flow.gates.shut:
            return
        found: list[int] = []
        for grain, last in self.durable.items():
            # An eighth more than must be, so that not every flush writes the bitmap.
            if last >= number or len(self.durable) - len(found) <= keep - keep // 8:
                break
            if grain not in flow.busy:
                found.append(grain)
        pieces = set()
        for grain in found:
            del self.durable[grain]
            self.bits[grain >> 3] &= ~(1 << (grain & 7))
            pieces.add(grain // self._per_piece)
        for piece in pieces:
            self.pieces[piece].changed = True
            self.pieces[piece].write(now)


class _Piece:
    """A part of the bitmap that is written at once, and once at a time."""

    def __init__(self, marks: Marks, number: int) -> None:
        self.marks = marks
        self.number = number
        self.new: set[int] = set()
        self.waiting: list[HostWork] = []
        self.writing: _PieceWrite | None = None
        self.changed = False

    def wait(self, work: HostWork, grain: int) -> None:
        """A request waits for the mark of a grain."""
        work.holds += 1
        if self.writing is not None and grain in self.writing.grains:
            self.writing.works.append(work)
        else:
            self.new.add(grain)
            self.waiting.append(work)

    def write(self, now: float) -> None:
        """Write what has changed, unless that is being done: then afterwards."""
        if self.writing is None and (self.new or self.changed):
            self.writing = _PieceWrite(self)
            self.new, self.waiting, self.changed = set(), [], False
            self.marks._flow.mirror(self.writing, now)  # noqa: SLF001 - one thing in two classes


class _PieceWrite(Mirrored):
    """One writing of a piece of the bitmap to every copy in sync."""

    __slots__ = ("bits", "grains", "piece", "works")

    def __init__(self, piece: _Piece) -> None:
        super().__init__(piece.marks._flow)  # noqa: SLF001 - one thing in two classes
        self.piece = piece
        self.grains, self.works = piece.new, piece.waiting
        step = self.flow.volume.geometry.piece
        self.bits = bytes(piece.marks.bits[piece.number * step : (piece.number + 1) * step])

    def send(self, link: ArrayLink) -> None:
        """Ask one copy."""
        geometry = self.flow.volume.geometry
        link.write(self, geometry.bitmap_at + self.piece.number * geometry.piece, self.bits, fua=True)

    def complete(self, now: float) -> None:
        """Durable on every copy that counts: what waited for it may be written."""
        piece, flow = self.piece, self.flow
        piece.writing = None
        if not self.error:
            piece.marks.touch(self.grains)
        for work in self.works:
            work.holds -= 1
            work.error = work.error or self.error
            if not work.holds:
                if work.error:
                    flow.written(work, now)
                else:
                    flow.send(work, now)
        piece.write(now)
        flow.left(now)


def marked(bits: bytes | bytearray) -> list[int]:
    """The numbers of the bits that are set."""
    return [8 * at + bit for at, byte in enumerate(bits) if byte for bit in range(8) if byte >> bit & 1]
