"""What a hypervisor is told at its start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN = Path("/run/bascule")
CONTROL = RUN / "hypervisor.sock"
SERVERS = RUN / "servers"
"""Here each server has its number and its heartbeat, in memory: both are gone when the host loses its power."""


@dataclass(frozen=True)
class ServerSpec:
    """A server that may run here.

    Args:
        name: its name.
        rank: its place in the plan, which names its wire.
        address: on the servers network, with the prefix.
        mac: its hardware address, the same on every host.
        boot: seconds from power-on to the start of its program.
        program: module that it runs; None for a server of which nothing more is known, which then runs a guest.
        config: what the program is told.
        volume: `{"mount": folder, "nodes": {virtualiser: [address, port]}, "array": {array: [address, port]}}`, the
            last for a stand-alone one only; None for a server without data.
    """

    name: str
    rank: int
    address: str
    mac: str
    boot: float
    program: str | None = None
    config: dict[str, Any] | None = None
    volume: dict[str, Any] | None = None

    @property
    def logs(self) -> Path:
        """Where its console and its programs' logs lie."""
        return Path("/srv") / self.name / "logs"

    @property
    def heartbeat(self) -> Path:
        """What it touches while it lives, with what it says of its health."""
        return SERVERS / f"{self.name}.beat"

    @property
    def number(self) -> Path:
        """The number of the session under which it was started."""
        return SERVERS / f"{self.name}.number"

    @property
    def memory(self) -> Path:
        """What it keeps in memory; empty at each power-on."""
        return Path("/run/galera") / self.name


@dataclass(frozen=True)
class HostConfig:
    """One host.

    Args:
        name: as the plan calls it.
        servers: every server that it might run.
        arbiters: URLs of etcd, the nearest first.
        loops: numbers of loop devices that its servers may use.
        isolation: addresses which answer unless this host is isolated, on management.
        agent: what the agent is told (`..cluster.program`).
        isolated_after: seconds without an answer from any of them, after which the isolation response is due.
        leave_on: isolation response: whether servers are left running.
    """

    name: str
    servers: dict[str, ServerSpec]
    arbiters: tuple[str, ...]
    loops: tuple[int, ...]
    isolation: tuple[str, ...]
    agent: dict[str, Any]
    isolated_after: float
    leave_on: bool = True


def read(path: Path) -> HostConfig:
    """The configuration in this JSON file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    servers = {name: ServerSpec(name=name, **told) for name, told in raw["servers"].items()}
    return HostConfig(
        **raw
        | {
            "servers": servers,
            "arbiters": tuple(raw["arbiters"]),
            "loops": tuple(raw["loops"]),
            "isolation": tuple(raw["isolation"]),
        }
    )
