"""What a virtualiser node is told at its start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..nbd.protocol import PORT

CONTROL = Path("/run/bascule/virtualiser.sock")


@dataclass(frozen=True)
class ArrayAddress:
    """Where an array answers, and in which room it stands."""

    address: str
    port: int
    room: str


@dataclass(frozen=True)
class VolumeConfig:
    """A volume: bytes of data, the arrays of its copies, and that which serves it alone until it is taken in."""

    size: int
    copies: tuple[str, ...]
    alone: str = ""


@dataclass(frozen=True)
class VirtualiserConfig:
    """One node.

    Args:
        name: as the plan calls it.
        plan: name of the plan; copies of another one are refused.
        room: where it stands: it reads from the array there.
        preferred: whether that is the preferred room.
        address: where it serves hosts, on `port`.
        arbiters: URLs of etcd, the nearest first.
        arrays: by name.
        volumes: by name.
        defects: planted ones, by name.
        control: unix socket of the status.
        replicated: whether the rooms are not mirrored, so that only the room in charge serves.
    """

    name: str
    plan: str
    room: str
    preferred: bool
    address: str
    arbiters: tuple[str, ...]
    arrays: dict[str, ArrayAddress]
    volumes: dict[str, VolumeConfig]
    port: int = PORT
    defects: frozenset[str] = frozenset()
    control: Path = CONTROL
    replicated: bool = False


def read(path: Path) -> VirtualiserConfig:
    """The configuration in this JSON file."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return VirtualiserConfig(
        name=told["name"],
        plan=told["plan"],
        room=told["room"],
        preferred=told["preferred"],
        address=told["address"],
        arbiters=tuple(told["arbiters"]),
        arrays={name: ArrayAddress(**array) for name, array in told["arrays"].items()},
        volumes={
            name: VolumeConfig(volume["size"], tuple(volume["copies"]), volume.get("alone", ""))
            for name, volume in told["volumes"].items()
        },
        port=told.get("port", PORT),
        defects=frozenset(told.get("defects", ())),
        control=Path(told.get("control", CONTROL)),
        replicated=told.get("replicated", False),
    )
