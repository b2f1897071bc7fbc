"""What a dead node may have left in the kernel of the machine, and the cure for the worst of it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.enclosure import loops

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def fuse_control() -> Iterator[Path]:
    """The kernel's folder of FUSE connections, one folder a connection, named by its device's minor number."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(["mount", "-t", "fusectl", "none", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def connections(control: Path) -> set[int]:
    """Minor numbers of all FUSE connections of the machine."""
    return {int(entry.name) for entry in control.iterdir()}


def connection_of(folder: Path) -> int | None:
    """The connection behind a mounted folder, None if nothing is mounted there."""
    try:
        there, parent = folder.stat().st_dev, folder.parent.stat().st_dev
    except OSError:
        return None
    return os.minor(there) if there != parent else None


def abort(control: Path, minors: Iterable[int]) -> None:
    """End these connections, which must be our own: whoever waits for one gets an error."""
    for minor in minors:
        if (control / str(minor)).exists():
            (control / str(minor) / "abort").write_text("1")


@dataclass(frozen=True)
class Stuck:
    """A task in uninterruptible sleep."""

    pid: int
    name: str
    stack: str


def stuck() -> list[Stuck]:
    """All of the machine now; one alone says nothing, for whoever waits for a disk is in it for a moment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                if rest.split()[0] == "D":
                    found.append(Stuck(int(entry.name), name, (entry / "stack").read_text()))
            except OSError:
                continue
    return found


@dataclass
class Traces:
    """What one lab can leave: asked of the kernel's lists only, none of which a stuck device holds up."""

    control: Path
    lab: str
    minors: set[int]

    def left(self) -> list[str]:
        """In sentences."""
        bound = [f"loop{number} is bound" for number in loops.existing(self.lab) if loops.is_bound(number)]
        return bound + [f"FUSE connection {minor} lives" for minor in connections(self.control) & self.minors]
