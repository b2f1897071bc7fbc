"""Device files: the kernel makes them in the machine's /dev, not in a node's."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

FUSE = Path("/dev/fuse")
LOOP_CONTROL = Path("/dev/loop-control")
_CHARACTER = {FUSE: (10, 229), LOOP_CONTROL: (10, 237)}  # fixed numbers of <linux/miscdevice.h>
_MODE = 0o600


def character(path: Path) -> None:
    """Make this device file if the node has none."""
    _make(path, stat.S_IFCHR, *_CHARACTER[path])


def block(path: Path) -> None:
    """The same for a block device, whose numbers sysfs tells.

    Raises:
        FileNotFoundError: the machine has no such device.
    """
    major, minor = Path(f"/sys/block/{path.name}/dev").read_text(encoding="ascii").split(":")
    _make(path, stat.S_IFBLK, int(major), int(minor))


def _make(path: Path, kind: int, major: int, minor: int) -> None:
    with contextlib.suppress(FileExistsError):  # two carriers of a node make it at the same moment
        os.mknod(path, kind | _MODE, os.makedev(major, minor))
