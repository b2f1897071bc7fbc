"""Hosts of the cluster's world: hypervisor, agent, and the storage that admits the newest session of a server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from lab.replica.cluster.agent import Agent
from lab.replica.cluster.beat import RunningState, State

from .cluster_places import GATES, STORAGE
from .storage_network import Process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.replica.cluster.beat import Beat, Released

    from .cluster_world import World

TICK = 0.2
STOPPING = 0.4  # seconds that a guest takes to stop when it is asked


@dataclass
class Vm:
    """A server that runs on a host."""

    number: int
    up_at: float
    failed: bool = False
    hung: bool = False
    held_since: float | None = None
    stops_at: float | None = None


class Storage:
    """What the virtualisers know: the newest session of each server, and when they heard each host."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.admitted: dict[str, tuple[int, str]] = {}
        self.signs: dict[str, tuple[float, int, Mapping[str, Released]]] = {}

    def admit(self, server: str, number: int, host: str) -> bool:
        """A server starts: only the session on record is let in, and ends the older one."""
        entry = self._world.arbiters.entries.get(f"sessions/{server}")
        if entry is None or json.loads(entry.value)["number"] != number:
            return False
        before = self.admitted.get(server)
        self.admitted[server] = number, host
        if before and before[1] != host:
            self._world.oracle.admitted(server, before, (number, host))
            self._world.hosts[before[1]].refused(server)
        return True


@dataclass
class HostMachine:
    """A host: what runs on it survives its agent, not its power."""

    world: World
    name: str
    alive: bool = False
    boot: int = 0
    servers: dict[str, Vm] = field(default_factory=dict)
    cannot_start: int = 0
    pdl: int = 0
    agent: Agent | None = None
    _process: Process = field(init=False)
    _beat_due: float = 0.0
    _paused: int = 0

    @property
    def now(self) -> float:
        return self.world.clock.now

    # Power and agent

    def power_on(self) -> None:
        self.alive = True
        self.start_agent()

    def power_off(self) -> None:
        self.alive = False
        self.servers.clear()
        self.stop_agent()

    def start_agent(self) -> None:
        if self.alive and self.agent is None:
            world = self.world
            self.boot += 1
            self._process = Process(world.clock, self.name)
            if self._paused:
                self._process.pause()
            store = world.arbiters.asked_by(self._process)
            self.agent = Agent(self.name, self.boot, world.settings, world.catalogue, store, self)
            self._beat_due = 0.0
            self._step(self._process)

    def stop_agent(self) -> None:
        if self.agent is not None:
            self.agent = None
            self._process.die()

    def pause(self) -> None:
        self._paused += 1
        if self.agent is not None:
            self._process.pause()

    def wake(self) -> None:
        self._paused -= 1
        if self._paused:
            return
        for server, vm in self.servers.items():
            if self.reaches_storage and self.world.storage.admitted.get(server) != (vm.number, self.name):
                vm.failed = True
        if self.agent is not None:
            self._process.wake()

    @property
    def answers(self) -> bool:
        return self.alive and not self._paused

    # Every tick

    def _step(self, process: Process) -> None:
        if process.alive:
            self.world.clock.after(TICK * self.world.random.uniform(0.9, 1.1), partial(self._step, process))
            process.call(self._look)

    def _look(self) -> None:
        agent, now = self.agent, self.now
        if agent is None:
            return
        agent.saw(self._states(), now)
        agent.tick(now)
        if now >= self._beat_due:
            self._beat_due = now + self.world.settings.heartbeat - TICK / 2
            self._send(agent.beat)
            reached = {gate for gate in GATES if self.world.management.reaches(self.name, gate)}
            agent.pinged(frozenset(reached), now)

    def _send(self, beat: Beat) -> None:
        for other in self.world.hosts.values():
            if other is not self:
                self.world.post(self.name, other, beat)
        if self.reaches_storage:
            storage = self.world.storage
            storage.signs[self.name] = self.now, beat.boot, beat.released
            self.world.oracle.sign(STORAGE, self.name)
            ages = {host: (self.now - at, boot, released) for host, (at, boot, released) in storage.signs.items()}
            if self.agent is not None:
                gone = frozenset(host.name for host in self.world.hosts.values() if host.pdl)
                withheld = dict.fromkeys(filter(self.has_volume, self.world.catalogue.servers), gone) if gone else {}
                self.agent.stored(ages, self.now, withheld)

    def receive(self, beat: Beat) -> None:
        """A beat arrives, or waits until the host wakes."""
        if self.agent is not None:
            agent = self.agent
            self._process.call(lambda: agent.heard(beat, self.now))

    # The hypervisor

    @property
    def reaches_storage(self) -> bool:
        return self.world.storage_network.reaches(self.name, STORAGE)

    def has_volume(self, server: str) -> bool:
        return self.world.catalogue.servers[server].volume

    def _states(self) -> dict[str, RunningState]:
        now, found = self.now, {}
        for server, vm in list(self.servers.items()):
            if vm.stops_at is not None and now >= vm.stops_at:
                del self.servers[server]
                continue
            vm.held_since = self._held(server, vm)
            state = self._state(vm)
            held = 0.0 if vm.held_since is None else now - vm.held_since
            healthy = state is State.RUNNING and not held
            if healthy:
                self.world.oracle.healthy_at[server] = now
            found[server] = RunningState(vm.number, state, healthy, held, self._gone(server))
        return found

    def _held(self, server: str, vm: Vm) -> float | None:
        if self.reaches_storage or not self.has_volume(server):
            if self.world.storage.admitted.get(server) != (vm.number, self.name):
                vm.failed = True  # its path has ended: another host has a newer session
            return None
        return self.now if vm.held_since is None else vm.held_since

    def _gone(self, server: str) -> bool:
        return bool(self.pdl) and self.has_volume(server)

    def _state(self, vm: Vm) -> State:
        if vm.failed:
            return State.FAILED
        if vm.hung:
            return State.HUNG
        return State.RUNNING if self.now >= vm.up_at else State.BOOTING

    def refused(self, server: str) -> None:
        """The storage ends the path of an older session."""
        vm = self.servers.get(server)
        if vm is not None and self.answers and (self.reaches_storage or not self.has_volume(server)):
            vm.failed = True

    def start(self, server: str, number: int) -> None:
        world, there = self.world, self.servers.get(server)
        if there is not None and not there.failed and there.number == number:
            return
        vm = self.servers[server] = Vm(number, self.now + world.catalogue.servers[server].boot)
        world.oracle.started(self, server, number)
        reaches = self.reaches_storage or not self.has_volume(server)
        vm.failed = bool(self.cannot_start) or not reaches or not world.storage.admit(server, number, self.name)
        world.oracle.loaded(self)

    def stop(self, server: str, reason: str, *, hard: bool) -> None:  # noqa: ARG002 - as the agent gives it
        vm = self.servers.get(server)
        if vm is not None:
            guest_obeys = hard or (not vm.hung and vm.held_since is None)
            if guest_obeys:
                vm.stops_at = self.now if hard or vm.failed else self.now + STOPPING

    def event(self, kind: str, detail: str) -> None:
        self.world.oracle.event(self, kind, detail)
