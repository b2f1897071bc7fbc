"""What a cluster must never do."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING

from lab.replica.cluster.record import CLUSTER, Record

from .cluster_places import STORAGE
from .storage_oracle import ViolationError

if TYPE_CHECKING:
    from .cluster_hosts import HostMachine
    from .cluster_world import World

_ON_THE_WAY = 0.5  # seconds: what the storage heard, until the master hears of it
_RECENT = 1.5  # seconds: what a master can know at best


class Oracle:
    """Watches the starts, the record and the master's words."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._owners: dict[tuple[str, int], str] = {}
        self._revision = 0
        self.healthy_at: dict[str, float] = {}
        self._signs: defaultdict[tuple[str, str], deque[float]] = defaultdict(partial(deque, maxlen=30))
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self.ordered: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.said: list[tuple[float, str, str, str]] = []

    def started(self, host: HostMachine, server: str, number: int) -> None:
        """No two hosts ever start the same session of a server."""
        owner = self._owners.setdefault((server, number), host.name)
        if owner != host.name:
            raise ViolationError(f"session {number} of {server} on {owner} and on {host.name}")
        self.counts["starts"] += 1

    @staticmethod
    def admitted(server: str, before: tuple[int, str], after: tuple[int, str]) -> None:
        """The storage lets in a newer session only."""
        if after[0] <= before[0]:
            raise ViolationError(f"{server} is let in on {after[1]} with session {after[0]}, after {before}")

    def beat_arrives(self, sender: str, to: str, count: tuple[int, int]) -> None:
        """One that was overtaken is no sign of life."""
        if count > self._counts.get((to, sender), (0, 0)):
            self._counts[to, sender] = count
            self.sign(to, sender)

    def sign(self, to: str, sender: str) -> None:
        """A host was heard by another, or by the storage."""
        self._signs[to, sender].append(self._world.clock.now)

    def loaded(self, host: HostMachine) -> None:
        """No host carries more than it can."""
        servers, spec = self._world.catalogue.servers, self._world.catalogue.hosts[host.name]
        there = [servers[name] for name, vm in host.servers.items() if not vm.failed]
        cpu, memory = sum(one.cpu for one in there), sum(one.memory for one in there)
        if cpu > spec.cpu or memory > spec.memory:
            raise ViolationError(f"{host.name} is over its capacity: {cpu:g} cores, {memory:g} of memory")

    def event(self, host: HostMachine, kind: str, detail: str) -> None:
        """Judge what a host says."""
        self.counts[kind] += 1
        self.said.append((self._world.clock.now, host.name, kind, detail))
        if self._world.trace:
            self._world.trace(f"{self._world.clock.now:7.2f} {host.name}: {kind}: {detail}")
        if kind == "dead":
            self._judge_death(host.name, detail.split(" ", maxsplit=1)[0])
        if kind == "move":
            self._judge_move(*detail.split(" ")[:3:2])

    def _judge_death(self, master: str, host: str) -> None:
        now, limit = self._world.clock.now, 0.7 * self._world.settings.host_dead
        signs = [*self._signs[STORAGE, host], *self._signs[master, host]]
        if any(_ON_THE_WAY < now - at < limit for at in signs):
            raise ViolationError(f"{master} declares {host} dead, which it has heard within {limit:g} s")

    def _judge_move(self, server: str, host: str) -> None:
        twin = self._world.catalogue.servers[server].twin
        record = Record.from_json(self._world.arbiters.entries[CLUSTER].value)
        if not twin and server not in self.ordered and host not in record.maintenance:
            raise ViolationError(f"{server}, which has no twin, is moved from {host} without an order")
        if twin and server not in self.ordered:
            silent = self._world.clock.now - self.healthy_at.get(twin, float("-inf"))
            if silent > _RECENT:
                raise ViolationError(f"{server} is moved while its twin {twin} has not served for {silent:.1f} s")

    def look(self) -> None:
        """Look at the record, when it has changed."""
        entries = self._world.arbiters.entries
        entry = entries.get(CLUSTER)
        if entry is None or entry.revision == self._revision:
            return
        self._revision = entry.revision
        self.counts["changes"] += 1
        record = Record.from_json(entry.value)
        for name, one in record.servers.items():
            if not one.host:
                continue
            session = json.loads(entries[f"sessions/{name}"].value)
            if session != {"host": one.host, "number": one.number}:
                raise ViolationError(f"{name} is on {one.host} with session {one.number}, its session is {session}")
        self._judge_pairs(record)

    def _judge_pairs(self, record: Record) -> None:
        for name in record.moves:
            twin = self._world.catalogue.servers[name].twin
            if twin in record.moves and not {name, twin} & self.ordered:
                raise ViolationError(f"{name} and its twin {twin} are moved at the same time")
