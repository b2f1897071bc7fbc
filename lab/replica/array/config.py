"""What an array is told at its start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..nbd.protocol import PORT

CONTROL = Path("/run/bascule/array.sock")


@dataclass(frozen=True)
class VolumeConfig:
    """One volume: bytes of data, the image that it begins with, and whether hosts use it without a virtualiser."""

    size: int
    template: Path | None = None
    alone: bool = False


@dataclass(frozen=True)
class ArrayConfig:
    """One array.

    Args:
        name: as the plan calls it.
        plan: name of the plan; files of another one are refused.
        address: where it listens, on `port`.
        folder: its disks.
        volumes: by name.
        capacity: bytes that may be written to in all volumes together.
        defects: planted ones, by name: `no-epoch-check`, `no-flush`, `host-not-fenced`.
        control: unix socket of the status and of the mischief.
        replication: its part in one (see `.replication`); None for an array of a mirror.
    """

    name: str
    plan: str
    address: str
    folder: Path
    volumes: dict[str, VolumeConfig]
    capacity: int
    port: int = PORT
    defects: frozenset[str] = frozenset()
    control: Path = CONTROL
    replication: dict[str, Any] | None = None


def read(path: Path) -> ArrayConfig:
    """The configuration in this JSON file; keys that are not ours are left alone."""
    told = json.loads(path.read_text(encoding="utf-8"))
    volumes = {
        name: VolumeConfig(
            volume["size"], Path(volume["template"]) if volume.get("template") else None, volume.get("alone", False)
        )
        for name, volume in told["volumes"].items()
    }
    return ArrayConfig(
        name=told["name"],
        plan=told["plan"],
        address=told["address"],
        folder=Path(told["folder"]),
        volumes=volumes,
        capacity=told["capacity"],
        port=told.get("port", PORT),
        defects=frozenset(told.get("defects", ())),
        control=Path(told.get("control", CONTROL)),
        replication=told.get("replication"),
    )
