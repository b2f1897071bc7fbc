"""What the lab does to an array from within: slowness, bad blocks, silent rot, no more space."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from .layout import BLOCK, GRAIN

if TYPE_CHECKING:
    from .medium import Medium
    from .pool import Pool


class OrderError(Exception):
    """This order cannot be obeyed; the text says why."""


@dataclass
class Mischief:
    """The faults of one array. They do not outlive its process.

    Args:
        media: its volumes.
        pool: its space.

    Attributes:
        slow: seconds that each request waits before it is looked at.
        read_errors: volume, offset and length as ordered; within, a block that is written anew can be read again.
        failed_reads: reads answered with an error so far.
        refused_writes: writes refused for want of space so far.
        rotten: by volume and offset of every byte turned, the checksum of its block since; only writing mends it.
    """

    media: dict[str, Medium]
    pool: Pool
    slow: float = 0.0
    read_errors: list[tuple[str, int, int]] = field(default_factory=list)
    failed_reads: int = 0
    refused_writes: int = 0
    rotten: dict[tuple[str, int], int] = field(default_factory=dict)

    def obey(self, order: str) -> None:
        """Do what a line says.

        `slow SECONDS`, `read-error VOLUME OFFSET LENGTH`, `rot VOLUME OFFSET…`, `decay VOLUME GRAINS SEED`, `full`,
        `mend`.

        Raises:
            OrderError: it is none of these, or of a volume or a place that is not there.
        """
        match order.split():
            case ["slow", seconds]:
                self.slow = _number(seconds, float)
            case ["read-error", volume, offset, length]:
                at, long = _number(offset, int), _number(length, int)
                medium = self._medium(volume, at, long)
                medium.unreadable.update(range(at // BLOCK, (at + long - 1) // BLOCK + 1))
                self.read_errors.append((volume, at, long))
            case ["rot", volume, *offsets] if offsets:
                for offset in offsets:
                    self._rot(volume, _number(offset, int))
            case ["decay", volume, grains, seed]:
                self._decay(volume, _number(grains, int), Random(seed))  # noqa: S311 - a choice that can be made again
            case ["full"]:
                self.pool.is_shut = True
            case ["mend"]:
                self.mend()
            case _:
                raise OrderError(
                    f"nobody knows the order {order!r}; known: status, slow SECONDS, read-error VOLUME OFFSET LENGTH, "
                    "rot VOLUME OFFSET…, decay VOLUME GRAINS SEED, full, mend"
                )

    def _rot(self, volume: str, offset: int) -> None:
        medium = self._medium(volume, offset, 1)
        if [volume, offset] in self._still_rotten():
            return  # turned again it would be right again
        medium.rot(offset)
        self.rotten[volume, offset] = medium.fingerprint(offset)
        for place in self.rotten:
            if place[0] == volume and place[1] // BLOCK == offset // BLOCK:
                self.rotten[place] = self.rotten[volume, offset]

    def _still_rotten(self) -> list[list[str | int]]:
        """The places that nobody has written over."""
        return [[volume, at] for (volume, at), was in self.rotten.items() if self.media[volume].fingerprint(at) == was]

    def _decay(self, volume: str, grains: int, chance: Random) -> None:
        """Turn a byte in each of so many grains that were ever written, or in all of them if they are fewer."""
        written = self._medium(volume, 0, 1).written()
        for grain in chance.sample(written, min(grains, len(written))):
            self._rot(volume, min(grain * GRAIN + chance.randrange(GRAIN), self.media[volume].counted - 1))

    def mend(self) -> None:
        """Take back all that can be taken back; the counts stay."""
        self.slow = 0.0
        self.pool.is_shut = False
        self.read_errors.clear()
        for medium in self.media.values():
            medium.unreadable.clear()

    def picture(self) -> dict[str, Any]:
        """All of it, for the status."""
        return {
            "slow": self.slow,
            "read_errors": [list(error) for error in self.read_errors],
            "unreadable_blocks": sum(len(medium.unreadable) for medium in self.media.values()),
            "failed_reads": self.failed_reads,
            "full": self.pool.is_shut,
            "refused_writes": self.refused_writes,
            "rotten": self._still_rotten(),
        }

    def _medium(self, volume: str, offset: int, length: int) -> Medium:
        medium = self.media.get(volume)
        if medium is None:
            raise OrderError(f"there is no volume {volume!r} here; known: {', '.join(sorted(self.media)) or 'none'}")
        if length < 1 or offset < 0 or offset + length > medium.length:
            raise OrderError(f"volume {volume} has the bytes 0 to {medium.length}, not {offset} to {offset + length}")
        return medium


def _number(text: str, kind: type[float | int]) -> Any:  # noqa: ANN401 - int or float, as asked
    try:
        number = kind(text)
    except ValueError:
        raise OrderError(f"{text!r} is no number") from None
    if number < 0:
        raise OrderError(f"{text} is below zero")
    return number
