"""What runs on a disk while its node is killed again and again; runs in a node, with the standard library only.

`disk_load.py flushed FOLDER NOTES` appends numbered records to a file of the disk and notes each number, outside the
disk, once `fsync` has returned; `disk_load.py unflushed FOLDER NOTES` writes rising numbers into one block of the disk,
past all caches of this machine, flushes the first and none after it, and notes both. At its start each says in NOTES
what its last life has left, `{"noted": [lowest, highest], "found": number}` in `NOTES/KIND.found`. It is right when
lowest <= found; where found < highest the disk has forgotten something.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import time
from pathlib import Path

RECORD = struct.Struct("<Q56x")
BLOCK = 4096


class Notes:
    """Two numbers in a file that outlives the node."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        raw = os.pread(self._file, 16, 0)
        self.lowest, self.highest = struct.unpack("<2Q", raw) if len(raw) == 16 else (0, 0)

    def note(self, lowest: int, highest: int) -> None:
        """Keep them."""
        self.lowest, self.highest = lowest, highest
        os.pwrite(self._file, struct.pack("<2Q", lowest, highest), 0)


def records(folder: Path) -> int:
    """How many records follow each other from the first on; what comes behind them is cut off."""
    path = folder / "records"
    found = 0
    if path.exists():
        for (number,) in RECORD.iter_unpack(_whole(path.read_bytes())):
            if number != found + 1:
                break
            found = number
    os.truncate(os.open(path, os.O_RDWR | os.O_CREAT), found * RECORD.size)
    return found


def append(folder: Path, notes: Notes, found: int) -> None:
    """Records after `found`, each noted once it is flushed."""
    with (folder / "records").open("ab", buffering=0) as file:
        number = found
        while True:
            number += 1
            file.write(RECORD.pack(number))
            os.fsync(file.fileno())
            notes.note(number, number)


def _whole(raw: bytes) -> bytes:
    return raw[: len(raw) // RECORD.size * RECORD.size]


class Cell:
    """One block of the disk, written and read past the page cache."""

    def __init__(self, folder: Path) -> None:
        path = folder / "cell"
        if not path.exists():
            path.write_bytes(bytes(BLOCK))
        self._file = os.open(path, os.O_RDWR | os.O_DIRECT)
        self._page = mmap.mmap(-1, BLOCK)

    def read(self) -> int:
        """The number in it."""
        os.preadv(self._file, [self._page], 0)
        return int.from_bytes(self._page[:8], "little")

    def write(self, number: int) -> None:
        """Put a number into it; not flushed."""
        self._page[:8] = number.to_bytes(8, "little")
        os.pwritev(self._file, [self._page], 0)

    def flush(self) -> None:
        """Now it is."""
        os.fsync(self._file)


def rise(cell: Cell, notes: Notes) -> None:
    """Write rising numbers, the first flushed."""
    first = notes.highest + 1
    cell.write(first)
    cell.flush()
    notes.note(first, first)
    for number in range(first + 1, 1 << 62):
        cell.write(number)
        notes.note(first, number)
        time.sleep(0.002)  # noqa: TID251 - a slow load, in a program that imports nothing of ours


def main() -> None:
    """Say what was found, then load the disk."""
    kind, folder, place = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    notes = Notes(place / f"{kind}.notes")
    cell = Cell(folder) if kind == "unflushed" else None
    found = cell.read() if cell else records(folder)
    told = {"noted": [notes.lowest, notes.highest], "found": found}
    (place / f"{kind}.new").write_text(json.dumps(told))
    (place / f"{kind}.new").rename(place / f"{kind}.found")
    if cell:
        rise(cell, notes)
    else:
        append(folder, notes, found)


if __name__ == "__main__":
    main()
