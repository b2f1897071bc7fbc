"""What the plan says of hosts and servers: nothing here changes during a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Priority(IntEnum):
    """Which servers are restarted first."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2


@dataclass(frozen=True)
class HostSpec:
    """A host.

    Args:
        room: where it stands.
        cpu: cores.
        memory: bytes, or any unit that the servers use as well.
    """

    room: str
    cpu: float
    memory: float


@dataclass(frozen=True)
class ServerSpec:
    """A server.

    Args:
        cpu: cores that are reserved for it.
        memory: the same of memory.
        priority: which are restarted first.
        boot: seconds that it takes to start.
        prefers: a room, or "".
        must: whether it may run in no other room.
        twin: the other member of its pair, or "".
        volume: whether its disk lies on the storage.
        first: the host of its first start, or "".
    """

    cpu: float
    memory: float
    priority: Priority = Priority.MEDIUM
    boot: float = 0.0
    prefers: str = ""
    must: bool = False
    twin: str = ""
    volume: bool = True
    first: str = ""


@dataclass(frozen=True)
class Catalogue:
    """All of them, by name."""

    hosts: Mapping[str, HostSpec] = field(default_factory=dict)
    servers: Mapping[str, ServerSpec] = field(default_factory=dict)

    def sent(self, rooms: Mapping[str, str]) -> Catalogue:
        """The same, with servers that prefer the room to which a human sent them."""
        if not rooms:
            return self
        servers = {name: replace(spec, prefers=rooms.get(name, spec.prefers)) for name, spec in self.servers.items()}
        return Catalogue(self.hosts, servers)

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        servers = {name: asdict(spec) | {"priority": spec.priority.name.lower()} for name, spec in self.servers.items()}
        return {"hosts": {name: asdict(spec) for name, spec in self.hosts.items()}, "servers": servers}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Catalogue:
        """From a document."""
        servers = {
            name: ServerSpec(**(spec | {"priority": Priority[spec.get("priority", "medium").upper()]}))
            for name, spec in told["servers"].items()
        }
        return cls({name: HostSpec(**spec) for name, spec in told["hosts"].items()}, servers)
