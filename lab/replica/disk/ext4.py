"""The file system of a server's disk: what its first blocks say, and how it is mounted."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import DiskError

if TYPE_CHECKING:
    from pathlib import Path

_AT = 1024
_LENGTH = 1024
_MAGIC = 0xEF53
_ERRORS = 2  # of s_state
_MNT_DETACH = 2
_MS_NOATIME = 1024
# The times of a file that is only overwritten are no reason for a journal commit.
_MS_LAZYTIME = 1 << 25
_OPTIONS = b"errors=remount-ro"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Superblock:
    """Of an ext4: its length in bytes, and whether it has met an error since it was last checked."""

    length: int
    has_errors: bool


def superblock(raw: bytes) -> Superblock | None:
    """The superblock in these bytes, if they are one."""
    if len(raw) < _LENGTH:
        return None
    blocks, exponent, magic, state, blocks_high = (
        struct.unpack_from(shape, raw, at)[0]
        for shape, at in (("<I", 0x4), ("<I", 0x18), ("<H", 0x38), ("<H", 0x3A), ("<I", 0x150))
    )
    if magic != _MAGIC:
        return None
    return Superblock((blocks | blocks_high << 32) << (10 + exponent), bool(state & _ERRORS))


def examine(file: int, name: str) -> Superblock:
    """The superblock of this open disk.

    Raises:
        DiskError: it is no ext4, or the disk ends before its file system does.
    """
    length = os.fstat(file).st_size
    try:
        found = superblock(os.pread(file, _LENGTH, _AT))
    except OSError as error:
        raise DiskError(f"the disk {name} cannot be read: {error.strerror}") from error
    if found is None:
        raise DiskError(f"the disk {name} ({length} bytes) holds no ext4 file system")
    if found.length > length:
        raise DiskError(f"the disk {name} has {length} bytes, its file system {found.length}: its end is missing")
    return found


def mount(device: Path, where: Path) -> None:
    """Mount the file system on a folder.

    Raises:
        DiskError: the kernel refuses; its reason.
    """
    if _libc.mount(os.fsencode(device), os.fsencode(where), b"ext4", _MS_NOATIME | _MS_LAZYTIME, _OPTIONS):
        raise DiskError(f"{device} cannot be mounted on {where}: {os.strerror(ctypes.get_errno())}")


def unmount(where: Path, *, lazily: bool = False) -> None:
    """Unmount what is on a folder; lazily: out of sight now, in truth when its last user has gone.

    Raises:
        DiskError: the kernel refuses; its reason.
    """
    if _libc.umount2(os.fsencode(where), _MNT_DETACH if lazily else 0):
        raise DiskError(f"{where} cannot be unmounted: {os.strerror(ctypes.get_errno())}")
