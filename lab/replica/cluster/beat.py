"""What hosts say of themselves, to each other and to their own agent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(Enum):
    """What the hypervisor says of a server."""

    STARTING = "starting"  # it is being powered on
    BOOTING = "booting"
    RUNNING = "running"
    FAILED = "failed"
    HUNG = "hung"


@dataclass(frozen=True)
class RunningState:
    """A server that runs here, or has just failed here.

    Args:
        number: of the session that it was started with.
        state: how it is.
        healthy: whether it serves.
        held: seconds for which its storage has answered nothing.
        pdl: its volume is gone for good.
        silent: seconds without a sign of the guest, when it is hung.
        idle: seconds without I/O, when it is hung.
    """

    number: int
    state: State
    healthy: bool = False
    held: float = 0.0
    pdl: bool = False
    silent: float = float("inf")
    idle: float = float("inf")


@dataclass(frozen=True)
class Released:
    """A host gave a server up, in this session; another host may have it.

    Args:
        number: of the session.
        reason: `isolated`, `storage`, `pdl`, `failed` or `move`.
    """

    number: int
    reason: str


@dataclass(frozen=True)
class Beat:
    """The heartbeat of a host.

    Args:
        host: whose.
        boot: of its agent; a later one is larger.
        seq: within the boot.
        term: of its mastership, or 0.
        sees_storage: whether it could start a server that has a volume.
        released: servers on record as its own that it gave up.
        running: its servers: `booting`, `running` or `healthy`.
    """

    host: str
    boot: int
    seq: int
    term: int = 0
    sees_storage: bool = True
    released: Mapping[str, Released] = field(default_factory=dict)
    running: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """As it is sent."""
        released = {name: {"number": one.number, "reason": one.reason} for name, one in self.released.items()}
        return json.dumps({**self.__dict__, "released": released}, separators=(",", ":"))

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Beat:
        """As it was sent, once its JSON was read."""
        return cls(**{**told, "released": {name: Released(**one) for name, one in told["released"].items()}})

    @classmethod
    def from_json(cls, text: str | bytes) -> Beat:
        """As it was sent."""
        return cls.of(json.loads(text))
