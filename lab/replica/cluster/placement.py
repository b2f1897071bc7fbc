"""Where servers may start: one pure function, asked by the master."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .catalogue import HostSpec, ServerSpec

_SLACK = 1e-9  # sums of reservations are no exact numbers


@dataclass(frozen=True)
class Wanted:
    """A server that needs a host.

    Args:
        server: its name.
        may: the hosts that could start it now.
        likes: a host that is taken if it is possible at all: the target of a move.
        avoid: a host that is taken only if there is no other: it failed there.
    """

    server: str
    may: frozenset[str]
    likes: str = ""
    avoid: str = ""


def place(
    hosts: Mapping[str, HostSpec],
    servers: Mapping[str, ServerSpec],
    assigned: Mapping[str, str],
    wanted: Iterable[Wanted],
) -> dict[str, str]:
    """Find hosts for the wanted servers; those that fit nowhere are missing from the answer.

    Nobody else is moved. Everything in `assigned` keeps what is reserved for it, also a wanted server, until it is
    placed elsewhere: the host that has it may start it at any time.
    """
    floor = _Floor(hosts, servers, assigned)
    queue = sorted(wanted, key=lambda one: _urgency(servers[one.server], one.server))
    open_hosts = frozenset().union(*(one.may for one in queue))
    placed: dict[str, str] = {}
    again = True
    while again:
        again = False
        for one in tuple(queue):
            host = floor.best(one)
            if not host:
                continue
            queue.remove(one)
            left = floor.put(one.server, host)
            placed[one.server] = host
            if left in open_hosts and left != host:
                again = True  # its old place is free now: for the most urgent that waits
                break
    return placed


def _urgency(spec: ServerSpec, name: str) -> tuple[float | str, ...]:
    """The larger ones first within a priority: they fit in fewer places."""
    return spec.priority, -spec.memory, -spec.cpu, name


class _Floor:
    """What is used on each host."""

    def __init__(
        self, hosts: Mapping[str, HostSpec], servers: Mapping[str, ServerSpec], assigned: Mapping[str, str]
    ) -> None:
        self._hosts = hosts
        self._servers = servers
        self._on = {server: host for server, host in assigned.items() if host in hosts and server in servers}
        self._cpu: defaultdict[str, float] = defaultdict(float)
        self._memory: defaultdict[str, float] = defaultdict(float)
        for server, host in self._on.items():
            self._use(server, host, 1)

    def _use(self, server: str, host: str, sign: int) -> None:
        self._cpu[host] += sign * self._servers[server].cpu
        self._memory[host] += sign * self._servers[server].memory

    def put(self, server: str, host: str) -> str:
        """Take the place; returns the host that it left."""
        left = self._on.get(server, "")
        if left:
            self._use(server, left, -1)
        self._on[server] = host
        self._use(server, host, 1)
        return left

    def best(self, one: Wanted) -> str:
        """The best host for it, "" for none."""
        possible = [host for host in one.may if self._possible(one.server, host)]
        return min(possible, key=lambda host: self._cost(one, host), default="")

    def _possible(self, server: str, host: str) -> bool:
        spec, room = self._servers[server], self._hosts[host]
        if spec.must and spec.prefers and room.room != spec.prefers:
            return False
        return self._on.get(server) == host or (
            self._cpu[host] + spec.cpu <= room.cpu + _SLACK and self._memory[host] + spec.memory <= room.memory + _SLACK
        )

    def _cost(self, one: Wanted, host: str) -> tuple[float | bool | str, ...]:
        spec, there = self._servers[one.server], self._hosts[host]
        fullness = max(
            (self._cpu[host] + spec.cpu) / (there.cpu or 1), (self._memory[host] + spec.memory) / (there.memory or 1)
        )
        return (
            host != one.likes,
            host == one.avoid,
            self._beside_twin(spec, host),
            bool(spec.prefers) and there.room != spec.prefers,
            fullness,
            host,
        )

    def _beside_twin(self, spec: ServerSpec, host: str) -> int:
        """2 on the twin's host, 1 in its room, 0 apart."""
        twin = self._on.get(spec.twin, "")
        if not twin:
            return 0
        return (twin == host) + (self._hosts[twin].room == self._hosts[host].room)


def violates(
    hosts: Mapping[str, HostSpec],
    servers: Mapping[str, ServerSpec],
    assigned: Mapping[str, str],
    server: str,
    host: str,
) -> int:
    """How far a server on this host is from what its rules ask: 0 is well."""
    spec, twin = servers[server], assigned.get(servers[server].twin, "")
    beside = (twin == host) + (hosts[twin].room == hosts[host].room) if twin in hosts else 0
    return 2 * beside + (bool(spec.prefers) and hosts[host].room != spec.prefers)


def shares_used(
    hosts: Mapping[str, HostSpec], servers: Mapping[str, ServerSpec], started: Iterable[str]
) -> tuple[float, float]:
    """The shares of the whole cluster that these servers reserve: of its cores, and of its memory."""
    cpu = memory = 0.0
    for name in started:
        cpu, memory = cpu + servers[name].cpu, memory + servers[name].memory
    return (
        cpu / (sum(host.cpu for host in hosts.values()) or 1),
        memory / (sum(host.memory for host in hosts.values()) or 1),
    )
