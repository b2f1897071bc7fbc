"""A whole cluster in simulated time: four hosts, twelve servers, arbiters, two networks, and faults on a schedule.

The decisions are the real ones (`lab.replica.cluster`). `python -m tests.harness.pure.cluster_world --schedules 2000
--seed 1` plays as many random schedules and says how each that fails is played again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from lab.replica.cluster import orders
from lab.replica.cluster.placement import violates
from lab.replica.cluster.record import CLUSTER, Record
from lab.replica.cluster.settings import Settings

from .cluster_hosts import HostMachine, Storage
from .cluster_oracle import Oracle
from .cluster_places import CATALOGUE, HOSTS, ROOMS, STORAGE
from .storage_network import ARBITERS, Arbiters, Clock, Network
from .storage_oracle import ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.replica.cluster.beat import Beat
    from lab.replica.cluster.record import Order

FAULTS_FROM, FAULTS_UNTIL = 3.0, 14.0  # seconds in which faults begin
LONGEST = 12.0  # seconds that a fault lasts: longer than anything takes that waits
PATIENCE = 60.0  # seconds in which everything must have settled after the last repair


@dataclass(frozen=True)
class Fault:
    """A fault: when, what, to whom, for how long."""

    at: float
    kind: str
    target: str
    lasts: float


@dataclass(frozen=True)
class Schedule:
    """What happens in one world; the seed decides everything else."""

    seed: int
    faults: tuple[Fault, ...] = ()
    defects: frozenset[str] = field(default_factory=frozenset)


NAMES = tuple(HOSTS)
SERVERS = tuple(CATALOGUE.servers)
TARGETS: dict[str, tuple[str, ...]] = {
    "host loses power": NAMES,
    "host loses power for a moment": NAMES,
    "host dies for good": NAMES,
    "host hangs": NAMES,
    "agent dies": NAMES,
    "room dark": ("1", "2"),
    "all dark": ("both",),
    "arbiters down": (ARBITERS,),
    "arbiters forget": (ARBITERS,),
    "host cannot reach the arbiters": NAMES,
    "management apart": ("1", "2"),
    "two hosts apart": ("esx-11 esx-12", "esx-11 esx-21", "esx-12 esx-22", "esx-21 esx-22"),
    "storage apart": ("2",),
    "storage down": (STORAGE,),
    "rooms apart": ("2",),
    "host hears nothing": NAMES,
    "host isolated": NAMES,
    "host without storage": NAMES,
    "volumes unmapped": NAMES,
    "host starts nothing": NAMES,
    "server crashes": SERVERS,
    "server hangs": SERVERS,
    "beats get lost": ("all",),
    "maintenance": NAMES,
    "move": SERVERS,
}


def _settings(schedule: Schedule, random: Random) -> Settings:
    """A fifth of the vendor's timers; what waits longest is shorter still."""
    return Settings.scaled(
        0.2,
        apd_timeout=2.0,
        vmcp_delay=2.0,
        attempts=(0.0, 1.0, 3.0, 6.0, 12.0),
        guest_shutdown=3.0,
        guest_silent=1.0,
        guest_io_window=1.0,
        quick_failure=4.0,
        corrected_after=4.0,
        storage_silent=1.5,
        patience=2.0,
        power_ons=2,
        isolation_policy=random.choice(("leave", "stop")),
        defects=schedule.defects,
    )


class World:
    """The parts and the faults."""

    def __init__(
        self, schedule: Schedule, trace: Callable[[str], None] | None = None, policy: str = "", until: float = 0.0
    ) -> None:
        self.random = Random(schedule.seed)  # noqa: S311 - a simulation
        self.schedule = schedule
        self.trace = trace
        self.catalogue = CATALOGUE
        self.settings = _settings(schedule, self.random)
        if policy:
            self.settings = replace(self.settings, isolation_policy=policy)
        self.clock = Clock(self.random)
        self.management, self.storage_network = Network(self.clock), Network(self.clock)
        self.arbiters = Arbiters(self.management)
        self.oracle = Oracle(self)
        self.storage = Storage(self)
        self.hosts = {name: HostMachine(self, name) for name in HOSTS}
        self.lossy = 0.02
        self.lost: set[str] = set()
        self._unwritten: list[Order] = []
        self._off: Counter[str] = Counter()
        ends = [fault.at + fault.lasts for fault in schedule.faults if fault.kind != "host dies for good"]
        self._busy_until = max([FAULTS_FROM, until, *ends, *(fault.at for fault in schedule.faults)])

    def post(self, sender: str, to: HostMachine, beat: Beat) -> None:
        """Carry a beat: late, twice or not at all, now and then."""
        random = self.random
        if not self.management.reaches(sender, to.name) or random.random() < self.lossy:
            return
        for _ in range(2 if random.random() < 0.02 else 1):
            delay = random.uniform(0.0, 2.0) if random.random() < 0.02 else self.management.delay()
            self.clock.after(delay, partial(self._deliver, sender, to, beat))

    def _deliver(self, sender: str, to: HostMachine, beat: Beat) -> None:
        if self.management.reaches(sender, to.name):
            self.oracle.beat_arrives(sender, to.name, (beat.boot, beat.seq))
            to.receive(beat)

    # Faults

    def inject(self, fault: Fault) -> None:
        """Do it now, and undo it when it is over."""
        undo = self.inject_now(fault.kind, fault.target)
        if self.trace:
            self.trace(f"{self.clock.now:7.2f} FAULT {fault.kind}, {fault.target}, for {fault.lasts:.1f} s")
        if undo is not None:
            self.clock.after(fault.lasts, undo)

    def inject_now(self, kind: str, target: str) -> Callable[[], None] | None:  # noqa: C901, PLR0911, PLR0912 - one line a fault
        """Do it; returns what undoes it."""
        match kind:
            case "host loses power":
                return self._dark([target])
            case "host loses power for a moment":
                self._dark([target])()
            case "host dies for good":
                if not self.lost or self.random.random() < 0.3:
                    self.lost.add(target)
                    self._dark([target])
            case "host hangs":
                self.hosts[target].pause()
                return self.hosts[target].wake
            case "agent dies":
                self.hosts[target].stop_agent()
                return self.hosts[target].start_agent
            case "room dark":
                return self._dark([host for host, room in HOSTS.items() if str(room) == target])
            case "all dark":
                return self._dark(list(HOSTS))
            case "arbiters down":
                self.arbiters.down += 1
                return lambda: setattr(self.arbiters, "down", self.arbiters.down - 1)
            case "arbiters forget":
                self.arbiters.forgetful = 0.4
                return lambda: setattr(self.arbiters, "forgetful", 0.01)
            case "host cannot reach the arbiters":
                return _cut(self.management, [(target, ARBITERS)])
            case "management apart":
                return _cut(self.management, _between(target))
            case "two hosts apart":
                one, other = target.split(" ")
                return _cut(self.management, [(one, other)])
            case "storage apart":
                return _cut(self.storage_network, _between(target))
            case "storage down":
                return _cut(self.storage_network, [(host, STORAGE) for host in HOSTS])
            case "rooms apart":
                undo = _cut(self.management, _between(target)), _cut(self.storage_network, _between(target))
                return lambda: _all(undo)
            case "host hears nothing":
                return _cut(self.management, [(target, place) for place in ROOMS])
            case "host isolated":
                undo = (
                    _cut(self.management, [(target, place) for place in ROOMS]),
                    _cut(self.storage_network, [(target, STORAGE)]),
                )
                return lambda: _all(undo)
            case "host without storage":
                return _cut(self.storage_network, [(target, STORAGE)])
            case "volumes unmapped":
                self.hosts[target].pdl += 1
                return lambda: setattr(self.hosts[target], "pdl", self.hosts[target].pdl - 1)
            case "host starts nothing":
                self.hosts[target].cannot_start += 1
                return lambda: setattr(self.hosts[target], "cannot_start", self.hosts[target].cannot_start - 1)
            case "server crashes" | "server hangs":
                for host in self.hosts.values():
                    if target in host.servers:
                        setattr(host.servers[target], "failed" if kind == "server crashes" else "hung", True)
            case "beats get lost":
                self.lossy = 0.4
                return lambda: setattr(self, "lossy", 0.02)
            case "maintenance":
                self.order(orders.maintenance(target, on=True))
                return partial(self._end_maintenance, target)
            case "move":
                self.order(orders.move(target, self.random.choice(NAMES)))
        return None

    def _end_maintenance(self, host: str) -> None:
        """A human takes nothing back that is not written yet."""
        if orders.maintenance(host, on=True) in self._unwritten:
            self.clock.after(0.5, partial(self._end_maintenance, host))
        else:
            self.order(orders.maintenance(host, on=False))

    def order(self, order: Order) -> None:
        """Give an order, and insist. Two alike are two: each is written before a human takes back what it asks for."""
        self._unwritten.append(order)
        if order["kind"] == "move":
            self.oracle.ordered.add(order["server"])
        self._insist(order)

    def _insist(self, order: Order) -> None:
        """Give it to a host that answers, until it is written."""

        def answered(refused: str) -> None:
            if refused:
                self.clock.after(0.5, lambda: self._insist(order))
            else:
                self._unwritten.remove(order)

        able = [host for host in self.hosts.values() if host.answers and host.agent]
        if able and (agent := self.random.choice(able).agent):
            agent.order(order, answered)
        else:
            self.clock.after(0.5, lambda: self._insist(order))

    def _dark(self, hosts: list[str]) -> Callable[[], None]:
        for host in hosts:
            self._off[host] += 1
            if self.hosts[host].alive:
                self.hosts[host].power_off()
        return lambda: _all(partial(self._light, host) for host in hosts)

    def _light(self, host: str) -> None:
        self._off[host] -= 1
        if not self._off[host]:
            self.hosts[host].power_on()

    # The course of events

    def play(self) -> None:
        """Play the schedule and judge.

        Raises:
            ViolationError: something was not as it must be.
        """
        for host in self.hosts.values():
            self.clock.after(self.random.uniform(0.0, 1.0), partial(self._first_power, host))
        for fault in self.schedule.faults:
            self.clock.after(fault.at, partial(self.inject, fault))
        self._run(self._busy_until + 0.1)
        for host in self.hosts.values():  # an agent that died before its host came back
            host.start_agent()
        until = self.clock.now + PATIENCE
        while (wrong := self._wrong()) and self.clock.now < until:
            self._run(self.clock.now + 0.5)
        if wrong:
            raise ViolationError(f"not within {PATIENCE:g} s after the last repair: {wrong}")

    def _first_power(self, host: HostMachine) -> None:
        if not self._off[host.name] and not host.alive:
            host.power_on()

    def _run(self, until: float) -> None:
        while self.clock.now < until:
            self.clock.run(min(until, self.clock.now + 0.1))
            self.oracle.look()

    def _wrong(self) -> str:
        """What is not yet as it must be in the end, "" for nothing."""
        entry = self.arbiters.entries.get(CLUSTER)
        if entry is None:
            return "there is no record"
        record = Record.from_json(entry.value)
        if not record.master or not (agent := self.hosts[record.master].agent) or not agent.is_master:
            return f"{record.master or 'nobody'} is on record as master, and is not"
        for name in self.catalogue.servers:
            wrong = self._wrong_server(name, record)
            if wrong:
                return wrong
        if record.moves or record.orders or record.maintenance:
            return f"moves {record.moves}, orders {record.orders}, maintenance {sorted(record.maintenance)} are left"
        return self._wrong_pairs(record)

    def _wrong_server(self, name: str, record: Record) -> str:
        one = record.servers[name]
        there = [host for host in self.hosts.values() if name in host.servers]
        if one.given_up:
            self.order(orders.start(name))
            return f"{name} was given up"
        if any(host.name != one.host or host.servers[name].number != one.number for host in there):
            return f"{name} runs on {[host.name for host in there]}, on record on {one.host}"
        if len(there) == 1 and self.oracle.healthy_at.get(name, 0.0) > self.clock.now - 1.0:
            return ""
        if not there and not self._fits_somewhere(name, record):
            self.oracle.counts["without a place"] += 1
            return ""
        return f"{name} does not serve, on record on {one.host}, session {one.number}"

    def _fits_somewhere(self, name: str, record: Record) -> bool:
        spec = self.catalogue.servers[name]
        for host, there in self.catalogue.hosts.items():
            if host in self.lost or (spec.must and there.room != spec.prefers):
                continue
            used = [self.catalogue.servers[other] for other, one in record.servers.items() if one.host == host]
            used = [one for one in used if one is not spec]
            cpu, memory = sum(one.cpu for one in used), sum(one.memory for one in used)
            if cpu + spec.cpu <= there.cpu and memory + spec.memory <= there.memory:
                return True
        return False

    def _wrong_pairs(self, record: Record) -> str:
        """Members of a pair stand in two rooms again, where both rooms have all their hosts."""
        if self.lost:
            return ""
        hosts, servers = self.catalogue.hosts, self.catalogue.servers
        assigned = {name: one.host for name, one in record.servers.items()}
        for name, spec in servers.items():
            better = [
                host
                for host in hosts
                if spec.twin
                and violates(hosts, servers, assigned, name, host)
                < violates(hosts, servers, assigned, name, assigned[name])
                and self._has_place(host, name, assigned)
            ]
            if better:
                return f"{name} is on {assigned[name]}, its twin on {assigned[spec.twin]}; {better} would be better"
        return ""

    def _has_place(self, host: str, name: str, assigned: dict[str, str]) -> bool:
        servers, there = self.catalogue.servers, self.catalogue.hosts[host]
        used = [servers[other] for other, on in assigned.items() if on == host] + [servers[name]]
        return sum(one.cpu for one in used) <= there.cpu and sum(one.memory for one in used) <= there.memory


def _between(room: str) -> list[tuple[str, str]]:
    return [(a, b) for a in ROOMS for b in ROOMS if str(ROOMS[a]) == room and ROOMS[b] not in {ROOMS[a], 3}]


def _cut(network: Network, pairs: list[tuple[str, str]]) -> Callable[[], None]:
    for one, other in pairs:
        network.cut(one, other)
    return lambda: _all(partial(network.join, one, other) for one, other in pairs)


def _all(deeds: Iterable[Callable[[], None]]) -> None:
    for do in deeds:
        do()


def random_schedule(seed: int, defects: frozenset[str] = frozenset()) -> Schedule:
    """A schedule that this seed stands for."""
    random = Random(f"schedule {seed}")  # noqa: S311 - a simulation
    faults = []
    for _ in range(random.choice((1, 2, 2, 3, 4))):
        kind = random.choice(tuple(TARGETS))
        lasts = random.choice((0.3, 1.0, 3.0, 6.0, LONGEST)) * random.uniform(0.7, 1.0)
        faults.append(Fault(random.uniform(FAULTS_FROM, FAULTS_UNTIL), kind, random.choice(TARGETS[kind]), lasts))
    return Schedule(seed, tuple(sorted(faults, key=lambda fault: fault.at)), defects)


def play(schedule: Schedule, trace: Callable[[str], None] | None = None) -> World:
    """Play a schedule in a world of its own."""
    world = World(schedule, trace)
    world.play()
    return world


def main() -> int:
    """Play many schedules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one; the others follow (default 1)")
    parser.add_argument("--defect", action="append", default=[], help="plant this defect")
    parser.add_argument("--trace", action="store_true", help="print what the hosts say")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    begun = time.monotonic()
    trace = print if asked.trace else None
    for seed in range(asked.seed, asked.seed + asked.schedules):
        schedule = random_schedule(seed, frozenset(asked.defect))
        try:
            world = play(schedule, trace)
        except ViolationError as error:
            counts["violations"] += 1
            sys.stdout.write(f"seed {seed}: {error}\n  replay: --schedules 1 --seed {seed} --trace\n")
            for fault in schedule.faults:
                sys.stdout.write(f"  {fault.at:.3f} s: {fault.kind}, {fault.target}, for {fault.lasts:.3f} s\n")
        else:
            counts.update(world.oracle.counts)
            counts["events"] += world.clock.events
            counts["seconds"] += int(world.clock.now)
        counts["schedules"] += 1
    said = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    sys.stdout.write(f"{said}; {counts['violations']} violations in {time.monotonic() - begun:.0f} s\n")
    return 1 if counts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
