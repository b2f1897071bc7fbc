"""Loop devices, by their kernel interface.

Never through `losetup -a`, which hangs for everybody once any loop device of the machine is stuck. And never through
`LOOP_CTL_GET_FREE`, which hands out numbers that the node's control group does not let it open.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import devices
from .errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Numbers of <linux/loop.h>.
_ADD = 0x4C80
_CONFIGURE = 0x4C0A
_AUTOCLEAR = 4
# Past the page cache of the file. Through it, the loop device writes one block at a time (808 random writes a second at
# depth 16 on a disk that answers in 1 ms; 3006 past it), and reads are answered from memory, not by the disk.
_DIRECT_IO = 16
_BLOCK = 4096  # bytes: ext4's own, so that what reaches the volume is whole blocks


@contextmanager
def bound(file: int, numbers: Iterable[int]) -> Iterator[Path]:
    """A loop device on this open file, the first of `numbers` that is free.

    It frees itself when its last user closes it: leave the block once it is mounted.

    Raises:
        DiskError: none is free.
    """
    tried = []
    for number in numbers:
        tried.append(number)
        with _opened(number) as (device, path):
            if device is not None and _configure(device, file):
                yield path
                return
    raise DiskError(f"none of the {len(tried)} loop devices that the lab may use is free ({_span(tried)})")


@contextmanager
def _opened(number: int) -> Iterator[tuple[int | None, Path]]:
    """The device of that number, made now if the machine has none; None if another user of the machine was faster."""
    path = Path(f"/dev/loop{number}")
    _make(number)
    try:
        devices.block(path)
        device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None, path
        return
    try:
        yield device, path
    finally:
        os.close(device)


def _make(number: int) -> None:
    devices.character(devices.LOOP_CONTROL)
    control = os.open(devices.LOOP_CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(control, _ADD, number)
    except FileExistsError:
        return
    finally:
        os.close(control)


def _configure(device: int, file: int) -> bool:
    flags = _AUTOCLEAR | _DIRECT_IO
    info = struct.pack("=5Q4I64s64s32s2Q", 0, 0, 0, 0, 0, 0, 0, 0, flags, b"", b"", b"", 0, 0)
    try:
        fcntl.ioctl(device, _CONFIGURE, struct.pack("=2I", file, _BLOCK) + info + bytes(64))
    except OSError as error:
        if error.errno in {errno.EBUSY, errno.ENXIO}:  # bound, or removed, by another user of the machine
            return False
        raise DiskError(f"the loop device refuses its file: {error.strerror}") from error
    return True


def _span(numbers: list[int]) -> str:
    return f"{numbers[0]} to {numbers[-1]}" if numbers else "none is allowed here"


def is_bound(number: int) -> bool:
    """Whether the device has a file. Asked of sysfs, which answers even if the device is stuck."""
    return Path(f"/sys/block/loop{number}/loop/backing_file").exists()


def number_of(path: Path) -> int:
    """The number of /dev/loopN."""
    return int(re.sub(r"\D", "", path.name))
