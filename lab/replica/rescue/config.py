"""What room three is told at its start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RescueConfig:
    """The rescue node.

    Args:
        name: its name.
        interface: network interface on the servers network.
        folder: its disk: the database stands there.
        logs: where each program writes its log.
        password: with which rooms one and two come in.
        network: the servers network, from which they do.
        secret: key of the session tokens, as in rooms one and two.
        services: by name, the address which its clients use; the database has the service's name.
        defects: planted defects, by name.
    """

    name: str
    interface: str
    folder: Path
    logs: Path
    password: str
    network: str
    secret: str
    services: dict[str, IPv4Interface]
    defects: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        """Where PostgreSQL keeps its files."""
        return self.folder / "data"

    def application(self, service: str) -> dict[str, Any]:
        """What the application of a service is told."""
        return {
            "server": self.name,
            "secret": self.secret,
            "defects": list(self.defects),
            "listens": str(self.services[service].ip),
            "postgresql": {"folder": str(SOCKETS), "database": service},
        }


SOCKETS = Path("/run/postgresql")
"""Folder of the database's unix socket, for those on the node."""


def read(path: Path) -> RescueConfig:
    """The configuration in this JSON file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return RescueConfig(
        **raw
        | {
            "folder": Path(raw["folder"]),
            "logs": Path(raw["logs"]),
            "services": {name: IPv4Interface(address) for name, address in raw["services"].items()},
            "defects": tuple(raw.get("defects", ())),
        }
    )
