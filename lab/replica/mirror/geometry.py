"""How a volume is laid out, and what may be tuned."""

from __future__ import annotations

from dataclasses import dataclass

from ..array.layout import BLOCK, GRAIN, Header


@dataclass(frozen=True)
class Geometry:
    """The layout of one volume, the same on every copy.

    Args:
        plan: name of the plan.
        volume: name of the volume.
        size: bytes of data; 0 for a volume that is a session and nothing else.
        grain: bytes that one bit of the bitmap stands for.
        piece: bytes of the bitmap that are written at once.
    """

    plan: str
    volume: str
    size: int
    grain: int = GRAIN
    piece: int = BLOCK

    @property
    def grains(self) -> int:
        """How many there are; the last may be shorter."""
        return -(-self.size // self.grain)

    @property
    def pieces(self) -> int:
        """How many pieces the bitmap has."""
        return -(-self.grains // (8 * self.piece))

    @property
    def bitmap_at(self) -> int:
        """Where the bitmap begins; the header lies between the data and the bitmap."""
        return self.size + BLOCK

    def extent(self, grain: int) -> tuple[int, int]:
        """Offset and length of a grain."""
        start = grain * self.grain
        return start, min(self.grain, self.size - start)

    def header(self, generation: int) -> bytes:
        """The header of a copy that was in sync in this generation."""
        return Header(self.plan, self.volume, self.size, generation, self.grain).encode()

    def generation(self, header: bytes | bytearray | memoryview) -> int:
        """The generation in a header.

        Raises:
            ValueError: it is no header, or another volume's.
        """
        found = Header.decode(header)
        if (found.plan, found.volume, found.size) != (self.plan, self.volume, self.size):
            raise ValueError(f"it holds {found.volume} of {found.plan}, {found.size} bytes")
        return found.generation


@dataclass(frozen=True)
class Settings:
    """What may be tuned.

    Args:
        answer: seconds an array may take for an answer before it counts as lost. Long enough for a busy disk, short
            enough for the accepted freeze of 5 s (feasibility trial: 1.5 s).
        gather: seconds an opening volume waits for its copies before it goes on without those it does not reach.
        kept_marks: grains that stay marked when all is quiet; each is copied again at a take-over (512: 32 MiB, 0.2 s).
        window: grains that are copied at the same time.
        stretch: grains that are compared while the hosts' writes are held (256: 16 MiB).
        rate: bytes a second of a resync beside the hosts' own work.
        near_end: grains still to copy at which the hosts' writes are held so that a resync can end.
        defects: planted defects, by name, from the configuration of a node.
    """

    answer: float = 1.5
    gather: float = 0.5
    kept_marks: int = 512
    window: int = 8
    stretch: int = 256
    rate: int = 256 << 20
    near_end: int = 16
    defects: frozenset[str] = frozenset()
