"""The record: who is master, and which host has which server. One document, so that one swap decides."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

CLUSTER, MASTER_BEAT = "cluster", "cluster/beat"
AT_ONCE = 100
"""Servers in one question or swap, beside a few keys more: the arbiters take 128 (`..arbiter.kv.MOST`)."""

Order: TypeAlias = "dict[str, str]"


def session_key(server: str) -> str:
    """Where the session of a server stands (see `..arbiter.sessions`)."""
    return f"sessions/{server}"


@dataclass(frozen=True)
class Assignment:
    """Where a server belongs.

    Args:
        host: "" before its first start.
        number: of its session; each assignment has a new one, and no number comes back.
        attempt: how often it failed on the hosts that it was given to.
        given_up: it failed too often: a human orders what is next.
    """

    host: str = ""
    number: int = 0
    attempt: int = 0
    given_up: bool = False


@dataclass(frozen=True)
class Record:
    """The whole of it.

    Args:
        term: grows with each master.
        master: a host, or "" when the last one resigned.
        servers: by name.
        maintenance: hosts that take no servers, and give theirs away.
        moves: servers that are to stop where they are, and to start on another host.
        orders: of humans, the oldest first, until the master has taken them.
        obeyed: the ids of the last orders that were taken.
        rooms: by server, the room that a human sent it to, in the place of the one that it prefers.
    """

    term: int = 0
    master: str = ""
    servers: Mapping[str, Assignment] = field(default_factory=dict)
    maintenance: frozenset[str] = frozenset()
    moves: Mapping[str, str] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    obeyed: tuple[str, ...] = ()
    rooms: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """As it is stored."""
        told = {
            "term": self.term,
            "master": self.master,
            "servers": {name: asdict(one) for name, one in self.servers.items()},
            "maintenance": sorted(self.maintenance),
            "moves": dict(self.moves),
            "orders": list(self.orders),
            "obeyed": list(self.obeyed),
            "rooms": dict(self.rooms),
        }
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """As it was stored."""
        told = json.loads(text)
        return cls(
            told["term"],
            told["master"],
            {name: Assignment(**one) for name, one in told["servers"].items()},
            frozenset(told["maintenance"]),
            told["moves"],
            tuple(told["orders"]),
            tuple(told["obeyed"]),
            told["rooms"],
        )


def sessions(before: Record, after: Record) -> dict[str, str]:
    """The keys that must be written with this change: they fence the hosts that had the servers."""
    return {
        session_key(name): json.dumps({"host": one.host, "number": one.number})
        for name, one in after.servers.items()
        if one.host and one.number != before.servers.get(name, Assignment()).number
    }
