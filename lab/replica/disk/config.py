"""What the two sides of a disk are told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DISKS = Path("/run/disks")


@dataclass(frozen=True)
class DiskConfig:
    """One server's disk.

    Args:
        name: the disk's, in sentences and in folders.
        socket: unix socket of the NBD server behind it.
        mount: folder on which the file system appears, for the program alone.
        loops: numbers of the loop devices that the lab may use.
        program: what runs on the disk: its command line.
        backing: command line of the NBD server, if the carrier is to run it; else it runs already.
        network: network namespace of the program; None for the node's own.
        export: name of the NBD export.
        farewell: seconds that the program has for a clean stop.
    """

    name: str
    socket: Path
    mount: Path
    loops: tuple[int, ...]
    program: tuple[str, ...]
    backing: tuple[str, ...] = ()
    network: str | None = None
    export: str = ""
    farewell: float = 30.0

    @property
    def folder(self) -> Path:
        """Where the disk's file is served."""
        return DISKS / self.name

    @property
    def file(self) -> Path:
        """The disk as one file."""
        return self.folder / "disk"

    @property
    def state(self) -> Path:
        """Holds the number of the loop device while the disk is mounted."""
        return DISKS / f"{self.name}.loop"


def read(path: Path) -> DiskConfig:
    """The configuration in this JSON file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return DiskConfig(
        **raw
        | {
            "socket": Path(raw["socket"]),
            "mount": Path(raw["mount"]),
            "loops": tuple(raw["loops"]),
            "program": tuple(raw["program"]),
            "backing": tuple(raw.get("backing", ())),
        }
    )
