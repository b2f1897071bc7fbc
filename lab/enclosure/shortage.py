"""Whether the machine has what a lab needs to begin, and to go on: a lab that starves measures its own machine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lab.errors import Inconclusive

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 2**20
# To begin: `tiny` takes 1.1 GiB with its databases. To go on: what the kernel needs before it begins to kill.
BEGIN_MEMORY, BEGIN_DISK = 1536 * _MIB, 512 * _MIB
GO_ON_MEMORY, GO_ON_DISK = 256 * _MIB, 64 * _MIB


class ShortageError(Inconclusive):
    """The machine runs out of memory or disk: what would be measured is the machine, so the lab is healed and ends."""


def check(folder: Path, *, begins: bool) -> None:
    """Go on only if there is enough of both.

    Args:
        folder: Where run folders go.
        begins: Whether a lab is about to be built, which needs more than to go on with one.

    Raises:
        ShortageError: there is not; the sentence says of what, and how much.
    """
    memory, disk = (BEGIN_MEMORY, BEGIN_DISK) if begins else (GO_ON_MEMORY, GO_ON_DISK)
    free = available_memory()
    what = "begin" if begins else "go on"
    if free < memory:
        raise ShortageError(
            f"{free // _MIB} MiB of memory are available and a lab needs {memory // _MIB} to {what}: "
            "end other labs (`bascule doctor`) or other programs"
        )
    left = shutil.disk_usage(_existing(folder)).free
    if left < disk:
        raise ShortageError(
            f"{left // _MIB} MiB are free on the disk of {folder} and a run needs {disk // _MIB} to {what}: "
            "remove old runs"
        )


def available_memory() -> int:
    """Bytes that the kernel could give, as it says itself."""
    with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123 - a file of the kernel's, read each second
        words = next(line.split() for line in lines if line.startswith("MemAvailable:"))
    return int(words[1]) * 1024


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.resolve().parents) if place.exists())
