"""A disk: a file, and before it a cache that power loss forgets.

Writes go to the cache, reads come through it, a flush carries it to the file. Whoever kills the process takes the
power away: what was not flushed is gone. "Durable" means handed to the kernel of the lab's machine, by pwrite without
fsync: that kernel outlives every power loss of the replica, and the machine's own disk would add its stalls to the
figures.
"""

from __future__ import annotations

import errno
import os
import zlib
from itertools import groupby
from typing import TYPE_CHECKING

from .layout import BLOCK, GRAIN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .pool import Pool

CACHE = 64 << 20
"""Bytes of the cache; when they are full all go to the file, as a real cache destages. A host flushes far sooner."""

_PIECES = 512  # blocks in one pwritev; the kernel takes 1024


class Snapshot:
    """Grains of a medium as they were at one instant: copied when somebody is about to write over them.

    Args:
        medium: of which.
        grains: which are wanted; they are handed out once each.
    """

    def __init__(self, medium: Medium, grains: Iterable[int]) -> None:
        self._medium = medium
        self._left = set(grains)
        self._kept: dict[int, bytes | bytearray] = {}

    def keep(self, touched: Iterable[int]) -> None:
        """These are about to be written. Raises OSError."""
        for number in self._left.intersection(touched):
            self._kept[number] = self._medium.grain(number)
            self._left.discard(number)

    def take(self, number: int) -> bytes | bytearray:
        """A grain as it was. Raises OSError."""
        if number in self._kept:
            return self._kept.pop(number)
        self._left.discard(number)
        return self._medium.grain(number)


class Medium:
    """One volume or disk.

    Args:
        path: its file, which exists and has at least `length` bytes.
        length: bytes that can be read and written.
        pool: where its space comes from.
        counted: bytes at the beginning that take space from the pool; what lies behind is reserved beforehand.

    Attributes:
        unreadable: numbers of blocks that can no longer be read, until they are written anew (a fault case).
        flushed: bytes that went to the file so far.
        changed: numbers of the grains written since a replication last asked; None while nobody wants to know.
        snapshot: the state of an earlier instant that somebody still reads.
    """

    def __init__(self, path: Path, length: int, pool: Pool, *, counted: int, cache: int = CACHE) -> None:
        self.length = length
        self.unreadable: set[int] = set()
        self.flushed = 0
        self.changed: set[int] | None = None
        self.snapshot: Snapshot | None = None
        self._pool = pool
        self.counted = counted
        self._most = cache // BLOCK
        self._cache: dict[int, bytes] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._taken = bytearray(-(-counted // GRAIN))  # by grain, whether it has space
        for grain in _grains_with_data(self._file, counted):
            self._taken[grain] = 1
        self.used = self._space(grain for grain, taken in enumerate(self._taken) if taken)
        pool.used += self.used

    @property
    def dirty(self) -> int:
        """Bytes that power loss would forget."""
        return len(self._cache) * BLOCK

    def read(self, offset: int, length: int) -> bytes | bytearray:
        """What was last written there. Raises OSError."""
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        if self.unreadable and not self.unreadable.isdisjoint(range(first, last + 1)):
            raise OSError(errno.EIO, "unreadable block")
        if first == last and first in self._cache:
            skip = offset - first * BLOCK
            return self._cache[first][skip : skip + length]
        data = os.pread(self._file, length, offset)
        if len(data) < length:
            raise OSError(errno.EIO, "the file has been shortened")
        hits = [block for block in range(first, last + 1) if block in self._cache] if self._cache else []
        return self._overlay(bytearray(data), offset, hits) if hits else data

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Take data into the cache. Raises OSError."""
        length = len(data)
        first, skip = divmod(offset, BLOCK)
        self._claim(offset, length)
        if self.changed is not None:
            self._remember(offset, length)
        if length == BLOCK and not skip:
            self._cache[first] = bytes(data)
        else:
            self._cache.update(self._pieces(first, skip, memoryview(data)))
        if self.unreadable:
            self.unreadable.difference_update(range(first, (offset + length - 1) // BLOCK + 1))
        if len(self._cache) > self._most:
            self.flush()

    def zero(self, offset: int, length: int) -> None:
        """Write zeroes; where nothing was ever written this costs nothing. Raises OSError."""
        end = offset + length
        while offset < end:
            grain = offset // GRAIN
            step = min(end, (grain + 1) * GRAIN) - offset
            if grain >= len(self._taken) or self._taken[grain] or step < GRAIN:
                self.write(offset, bytes(step))
            offset += step

    def flush(self) -> None:
        """Carry the whole cache to the file. Raises OSError, and then keeps what is not there yet."""
        self._store(sorted(self._cache))

    def settle(self, offset: int, length: int) -> None:
        """Carry the blocks of a range to the file. Raises OSError."""
        blocks = range(offset // BLOCK, (offset + length - 1) // BLOCK + 1)
        self._store([block for block in blocks if block in self._cache])

    def rot(self, offset: int) -> None:
        """Turn the bits of one byte, in the file and in the cache, without a word to anyone."""
        block, place = divmod(offset, BLOCK)
        turned = os.pread(self._file, 1, offset)[0] ^ 0xFF
        os.pwrite(self._file, bytes((turned,)), offset)
        if offset < self.counted:
            self._taken[offset // GRAIN] = 1  # no hole any more: zeroes written there must mend it
        if block in self._cache:
            kept = bytearray(self._cache[block])
            kept[place] ^= 0xFF
            self._cache[block] = bytes(kept)

    def written(self) -> list[int]:
        """Numbers of the grains of data that were ever written."""
        return [grain for grain, taken in enumerate(self._taken) if taken]

    def fingerprint(self, offset: int) -> int:
        """A checksum of the block around a byte, as it is now."""
        start = offset // BLOCK * BLOCK
        kept = self._cache.get(offset // BLOCK)
        return zlib.crc32(os.pread(self._file, BLOCK, start) if kept is None else kept)

    def close(self) -> None:
        """Forget the cache and let the file go: what power loss does."""
        self._cache.clear()
        os.close(self._file)

    def grain(self, number: int) -> bytes | bytearray:
        """A whole grain, as it is now; the last one may be shorter. Raises OSError."""
        start = number * GRAIN
        return self.read(start, min(GRAIN, self.length - start))

    def used_grains(self) -> set[int]:
        """Every grain that may hold something: those of data that were written, and all of the metadata behind."""
        return {*self.written(), *range(self.counted // GRAIN, -(-self.length // GRAIN))}

    def _remember(self, offset: int, length: int) -> None:
        """Before a write: for the next copy, and for a snapshot, which keeps what was there."""
        touched = range(offset // GRAIN, (offset + length - 1) // GRAIN + 1)
        if self.changed is not None:
            self.changed.update(touched)
        if self.snapshot is not None:
            self.snapshot.keep(touched)

    def _claim(self, offset: int, length: int) -> None:
        end = min(offset + length, self.counted)
        if self._pool.is_shut:
            self._pool.take(0)
        first, last = offset // GRAIN, (end - 1) // GRAIN
        if offset >= end or (first == last and self._taken[first]):
            return
        fresh = [grain for grain in range(first, last + 1) if not self._taken[grain]]
        self._pool.take(self._space(fresh))
        self.used += self._space(fresh)
        for grain in fresh:
            self._taken[grain] = 1

    def _space(self, grains: Iterable[int]) -> int:
        return sum(min(GRAIN, self.counted - grain * GRAIN) for grain in grains)

    def _pieces(self, block: int, skip: int, view: memoryview) -> list[tuple[int, bytes]]:
        """The new blocks, whole: what is written of them over what was there."""
        pieces = []
        at = 0
        while at < len(view):
            piece = view[at : at + BLOCK - skip]
            if len(piece) == BLOCK:
                pieces.append((block, bytes(piece)))
            else:
                old = bytearray(self.read(block * BLOCK, min(BLOCK, self.length - block * BLOCK)))
                old[skip : skip + len(piece)] = piece
                pieces.append((block, bytes(old)))
            at += len(piece)
            block, skip = block + 1, 0
        return pieces

    def _overlay(self, data: bytearray, offset: int, hits: Iterable[int]) -> bytearray:
        end = offset + len(data)
        for block in hits:
            start = block * BLOCK
            low, high = max(start, offset), min(start + BLOCK, end)
            data[low - offset : high - offset] = self._cache[block][low - start : high - start]
        return data

    def _store(self, blocks: list[int]) -> None:
        """Write blocks of the cache, which are in order, run by run."""
        for _, run in groupby(enumerate(blocks), lambda pair: pair[1] - pair[0]):
            together = [block for _, block in run]
            for at in range(0, len(together), _PIECES):
                self._write_out(together[at : at + _PIECES])

    def _write_out(self, blocks: list[int]) -> None:
        wanted = sum(len(self._cache[block]) for block in blocks)
        written = os.pwritev(self._file, [self._cache[block] for block in blocks], blocks[0] * BLOCK)
        if written < wanted:
            raise OSError(errno.EIO, "the machine's own disk took only a part")
        self.flushed += written
        for block in blocks:
            del self._cache[block]


def _grains_with_data(file: int, end: int) -> Iterable[int]:
    """Numbers of the grains before `end` that are no hole of the file."""
    at = 0
    while at < end:
        try:
            start = os.lseek(file, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only a hole is left
                return
            raise
        if start >= end:
            return
        at = min(os.lseek(file, start, os.SEEK_HOLE), end)
        yield from range(start // GRAIN, -(-at // GRAIN))
