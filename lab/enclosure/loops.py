"""Loop devices for the disks of a lab: which numbers, and that none stays.

Loop numbers belong to the whole machine. Each lab may use one block of high numbers, which its name decides; its
nodes' control groups allow no other. Nothing is reserved: a node makes the device when it needs it and takes the next
number of its block when that one is bound. Two labs whose names fall on one block therefore share it without harm, and
so do labs which cannot see each other because they run in two containers of a CI machine. The kernel refuses to remove
a device in use, and removing an idle one harms nobody, for who needs it makes it again.

None exists before it is needed, and the sweep removes them: an idle one would be handed out by `losetup --find`.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = 4096  # above what distributions and people use
SPAN = 64  # numbers a lab; the default plan mounts about ten disks
_BLOCKS = 128
_REMOVE = 0x4C81  # LOOP_CTL_REMOVE of <linux/loop.h>
_SYS = Path("/sys/block")
_MAX_PART = Path("/sys/module/loop/parameters/max_part")


def numbers(lab: str) -> range:
    """The loop numbers that the lab of this name may use."""
    first = FIRST + SPAN * (zlib.crc32(lab.encode()) % _BLOCKS)
    return range(first, first + SPAN)


def rules(lab: str) -> list[str]:
    """Device rules for the control groups of the lab's nodes: its loop devices, and what makes and serves them."""
    shift = _partition_bits()
    return [
        "c 10:229 rwm",  # /dev/fuse
        "c 10:237 rwm",  # /dev/loop-control
        *(f"b 7:{number << shift} rwm" for number in numbers(lab)),
    ]


def _partition_bits() -> int:
    """How many bits of a loop device's minor number are its partition's."""
    try:
        return int(_MAX_PART.read_text(encoding="ascii")).bit_length()
    except FileNotFoundError:  # the module comes with its first device
        return 0


def existing(lab: str) -> list[int]:
    """The lab's loop devices that the machine has now."""
    return [number for number in numbers(lab) if (_SYS / f"loop{number}").exists()]


def strays(alive: Iterable[str]) -> list[int]:
    """Loop devices out of any lab's block that belong to none of these living labs."""
    taken = {number for lab in alive for number in numbers(lab)}
    ours = range(FIRST, FIRST + SPAN * _BLOCKS)
    found = (int(entry.name[4:]) for entry in _SYS.glob("loop[0-9]*") if entry.name[4:].isdecimal())
    return sorted(number for number in found if number in ours and number not in taken)


def is_bound(number: int) -> bool:
    """Whether the device has a file. Asked of sysfs, which answers even where the device is stuck."""
    return (_SYS / f"loop{number}/loop/backing_file").exists()


def remove(found: Iterable[int]) -> list[int]:
    """Remove the idle ones of these loop devices (40 ms each); return those that are in use."""
    found = list(found)
    idle = [number for number in found if not is_bound(number)]
    if idle:
        control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
        try:
            return [number for number in found if number not in idle or not _removed(control, number)]
        finally:
            os.close(control)
    return found


def _removed(control: int, number: int) -> bool:
    try:
        fcntl.ioctl(control, _REMOVE, number)
    except OSError:  # EBUSY: bound again, or open; ENODEV: another sweep was faster
        return not (_SYS / f"loop{number}").exists()
    return True
