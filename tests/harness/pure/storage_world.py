"""A whole mirrored storage in simulated time: two arrays, two nodes, hosts, arbiters, and faults on a schedule.

The decisions are the real ones (`lab.replica.mirror`, `lab.replica.path`); connections, media and clock are not.
`python -m tests.harness.pure.storage_world --schedules 10000 --seed 1` plays as many random schedules and says how each
that fails is played again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING

from lab.replica.mirror.geometry import Geometry, Settings
from lab.replica.mirror.volume import Phase

from .storage_array import ATOM, Array
from .storage_network import ARBITERS, Arbiters, Clock, Network
from .storage_nodes import FIRST, HostMachine, VirtualisationNode
from .storage_oracle import Oracle, ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NEW = "baie-3"  # holds nothing at first
ROOMS = {"baie-1": 1, "svc-1": 1, "esx-1": 1, "baie-2": 2, "svc-2": 2, "esx-2": 2, ARBITERS: 3, NEW: 1}
GRAIN = 4 * ATOM
GRAINS = 12
FAULTS_UNTIL = 4.0  # seconds in which faults begin
LONGEST = 5.0  # seconds that a fault lasts: longer than a standby waits before it takes the lease
PATIENCE = 40.0  # seconds in which everything must have settled after the last repair


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
    alone: str = ""  # the array on which the volume is stand-alone at first


ARRAYS = (*FIRST, NEW)
PLACES = tuple(ROOMS)
CUTS = tuple(f"{one} {other}" for at, one in enumerate(PLACES) for other in PLACES[at + 1 :])
TARGETS: dict[str, tuple[str, ...]] = {
    "array loses power": ARRAYS,
    "array pauses": ARRAYS,
    "array rots": ARRAYS,
    "array is full": ARRAYS,
    "array loses power for a moment": ARRAYS,
    "array replaced": tuple(f"{old} {new}" for old, new in permutations(ARRAYS, 2)),
    "node dies": ("svc-1", "svc-2"),
    "node pauses": ("svc-1", "svc-2"),
    "node stops": ("svc-1", "svc-2"),
    "cut": CUTS,
    "room apart": ("1", "2"),
    "room dark": ("1", "2"),
    "all dark": ("both",),
    "arbiters down": (ARBITERS,),
    "arbiters forget": (ARBITERS,),
    "host dies": ("host",),
    "session taken": ("host",),
    "reset": ARRAYS,
    "verify": ("volume",),
}


class World:
    """The parts, the workload and the faults."""

    def __init__(self, schedule: Schedule) -> None:
        self.random = Random(schedule.seed)  # noqa: S311 - a simulation
        self.schedule = schedule
        self.clock = Clock(self.random)
        self.network = Network(self.clock)
        self.arbiters = Arbiters(self.network)
        self.geometry = Geometry("sim", "v", GRAINS * GRAIN - ATOM, GRAIN, piece=1)
        self.settings = Settings(
            kept_marks=3, window=2, stretch=3, rate=60 * GRAIN, near_end=2, defects=schedule.defects
        )
        self.atoms = self.geometry.size // ATOM
        self.oracle = Oracle(self.atoms)
        self.alone = bool(schedule.alone)  # whether it is to be, in the end
        self.arrays = {name: Array(self.clock, self.network, name, self.geometry, schedule.defects) for name in ARRAYS}
        self.nodes = {name: VirtualisationNode(self, name, preferred=name == "svc-1") for name in ("svc-1", "svc-2")}
        if schedule.alone:
            self.arrays[schedule.alone].newest = 0
        self.host: HostMachine
        self._sessions = self._newest = 0
        self._busy_until = FAULTS_UNTIL + LONGEST
        self.comparisons: Counter[str] = Counter()
        self.replacements: Counter[str] = Counter()

    @staticmethod
    def room(place: str) -> int:
        return ROOMS[place]

    # Hosts

    def new_host(self) -> None:
        """A host takes the session of the volume and goes to work."""
        self._sessions += 1
        place = self.random.choice(("esx-1", "esx-2"))
        self.arbiters.put("sessions/v", json.dumps({"host": place, "number": self._sessions}))
        self.oracle.begin(self._sessions)
        self.host = HostMachine(self, place, self._sessions)
        self._work(self.host)

    def _work(self, host: HostMachine) -> None:
        """A burst of requests, then a thought."""
        if not host.alive or host.path.stale or self.clock.now > self._busy_until:
            return
        random = self.random
        for _ in range(random.choice((1, 1, 2, 4))):
            if host.outstanding < 6:
                self._one(host)
        self.clock.after(random.choice((0.005, 0.02, 0.1)), lambda: self._work(host))

    def _one(self, host: HostMachine) -> None:
        random = self.random
        start = random.randrange(self.atoms) if random.random() < 0.5 else random.randrange(8)
        atoms = range(start, min(self.atoms, start + random.choice((1, 1, 2, 6))))
        what = random.random()
        if what < 0.35:
            host.write(atoms)
        elif what < 0.40:
            host.write(atoms, fua=True)
        elif what < 0.55:
            host.write(atoms)
            host.flush()
        elif what < 0.85:
            host.read(atoms)
        else:
            host.flush()

    # Faults

    def inject(self, fault: Fault) -> None:
        """Do it now, and undo it when it is over."""
        undo = self.inject_now(fault.kind, fault.target)
        if undo is not None:
            self.clock.after(fault.lasts, undo)

    def inject_now(self, kind: str, target: str) -> Callable[[], None] | None:  # noqa: C901, PLR0911, PLR0912 - one line a fault
        """Do it; returns what undoes it."""
        match kind:
            case "array loses power":
                return self._array_dark(target)
            case "array loses power for a moment":
                undo = self._array_dark(target)
                if undo is not None:
                    undo()
            case "array pauses" | "node pauses":
                process = (self.arrays | self.nodes)[target]
                if process.answers:
                    process.pause()
                    return process.wake
            case "array rots":
                self.arrays[target].rotten.add(self.random.randrange(self.atoms))
            case "array is full":
                self.arrays[target].full = True
                return lambda: setattr(self.arrays[target], "full", False)
            case "node dies":
                return self._node_dead(target)
            case "node stops":
                if self.nodes[target].answers:
                    self.nodes[target].core.stop(self.clock.now)
                    return lambda: (undo := self._node_dead(target)) and undo()
            case "cut":
                return self._cut([tuple(target.split(" "))])
            case "room apart":
                return self._cut([(a, b) for a in ROOMS for b in ROOMS if str(ROOMS[a]) == target != str(ROOMS[b])])
            case "room dark":
                return self._dark([place for place, room in ROOMS.items() if str(room) == target])
            case "all dark":
                return self._dark(list(ROOMS))
            case "arbiters down":
                self.arbiters.down += 1
                return lambda: setattr(self.arbiters, "down", self.arbiters.down - 1)
            case "arbiters forget":
                self.arbiters.forgetful = 0.5
                return lambda: setattr(self.arbiters, "forgetful", 0.01)
            case "host dies":
                self.host.crash()
                self.clock.after(0.3 * self.random.random(), self._next_host(self.host))
            case "session taken":
                self.new_host()
            case "reset":
                for session in self.arrays[target].sessions:
                    session.queue.clear()
                    session.other.queue.clear()
                    session.tell_lost("reset")
                    session.other.tell_lost("reset")
            case "verify":
                self.verify(lambda _answer: None)
            case "array replaced":
                self.replace(*target.split(" "))
            case "taken in" | "let go":
                self.alone = kind == "let go"
        return None

    def _hand(self) -> None:
        """Look after a stand-alone volume as the lab does: order until it is done, then present it to hosts."""
        self.clock.after(0.1, self._hand)
        array = self.arrays[self.schedule.alone]
        active = [node for node in self.nodes.values() if node.answers and node.core.lease.epoch]
        for volume in [node.core.volumes["v"] for node in active]:
            outside = volume.phase is Phase.OUTSIDE
            if not self.alone:
                if outside:
                    volume.take_in(self._handed)
            elif outside:
                array.present(self._newest)
            elif array.place not in [copy.array for copy in volume.copies]:
                self.alone = False  # it was replaced meanwhile: there is no way back
            else:
                self._newest = max(self._newest, volume.hosts.session)
                volume.let_go(self._handed)

    def _handed(self, refusal: str) -> None:
        self.replacements["not handed" if refusal else "handed"] += 1

    def replace(self, old: str, new: str) -> None:
        """Let the active node put an array in another's place; it may refuse, or turn back."""
        for node in self.nodes.values():
            if node.answers and node.core.lease.epoch:
                node.core.volumes["v"].replace(old, new, self._replaced)

    def _replaced(self, refusal: str) -> None:
        self.replacements["refused" if refusal else "ordered"] += 1

    def _next_host(self, after: HostMachine) -> Callable[[], None]:
        return lambda: self.new_host() if self.host is after else None

    def _array_dark(self, name: str) -> Callable[[], None] | None:
        array = self.arrays[name]
        if not array.alive:
            return None
        array.lose_power()
        return array.restart

    def _node_dead(self, name: str) -> Callable[[], None] | None:
        node = self.nodes[name]
        if not node.alive:
            return None
        node.crash()
        return node.start

    def _dark(self, places: list[str]) -> Callable[[], None]:
        undo = [self._array_dark(place) for place in places if place in self.arrays]
        undo += [self._node_dead(place) for place in places if place in self.nodes]
        if self.host.place in places and self.host.alive:
            self.host.crash()
            undo.append(self._next_host(self.host))
        return lambda: _all(do for do in undo if do is not None)

    def _cut(self, pairs: list[tuple[str, ...]]) -> Callable[[], None]:
        for one, other in pairs:
            self.network.cut(one, other)
        return lambda: _all(partial(self.network.join, one, other) for one, other in pairs)

    # The end

    def verify(self, then: Callable[[object], None]) -> None:
        """Let the active node compare the copies."""

        def judge(answer: object) -> None:
            match answer:
                case {"identical": True}:
                    self.comparisons["identical"] += 1
                case {"identical": False, "differing": differing}:
                    raise ViolationError(f"the copies differ in the grains {differing}")
                case _:
                    self.comparisons["not compared"] += 1
            then(answer)

        for node in self.nodes.values():
            if node.answers and node.core.lease.epoch:
                node.core.volumes["v"].verify(judge, self.clock.now)

    def play(self) -> None:
        """Play the schedule and judge.

        Raises:
            ViolationError: something was not as it must be.
        """
        self.clock.after(0.0, self.new_host)
        if self.schedule.alone:
            self._hand()
        for fault in self.schedule.faults:
            self.clock.after(fault.at, partial(self.inject, fault))
        self.play_out()

    def play_out(self) -> None:
        """Let the hosts work to their end, wait until all has settled, and judge."""
        self.clock.run(self._busy_until + 0.1)
        for array in self.arrays.values():
            array.rotten.clear()  # no copy can be brought back from one that cannot be read
        self._settle(lambda: not self.host.outstanding and self._in_sync(), "everything answered and in sync")
        self._settle(self._at_home, "the node of the preferred room serves")
        self.host.read(range(self.atoms))
        self._settle(lambda: not self.host.outstanding, "the last read answered")
        self.host.flush()
        self._settle(lambda: not self.host.outstanding, "the last flush answered")
        if self.alone:
            return  # nobody has a second copy
        answers: list[object] = []
        self.verify(answers.append)
        self._settle(lambda: bool(answers), "the copies compared")
        one, two = (bytes(self.arrays[name].durable[: self.geometry.size]) for name in self.holders())
        if one != two:
            differing = [
                at // GRAIN for at in range(0, len(one), GRAIN) if one[at : at + GRAIN] != two[at : at + GRAIN]
            ]
            raise ViolationError(f"after the last flush the media differ in the grains {differing}")

    def _settle(self, done: Callable[[], bool], what: str) -> None:
        until = self.clock.now + PATIENCE
        while not done():
            if self.clock.now >= until:
                raise ViolationError(f"not within {PATIENCE:g} s after the last repair: {what}; {self._state()}")
            self.clock.run(self.clock.now + 0.1)

    def _at_home(self) -> bool:
        """Whether the volumes are back where they belong, and whole."""
        return self.nodes["svc-1"].core.lease.epoch > 0 and self._in_sync()

    def _served_alone(self) -> bool:
        return self.host.path.node == self.schedule.alone

    def _in_sync(self) -> bool:
        for node in self.nodes.values():
            volume = node.core.volumes["v"]
            if self.alone and node.answers and volume.phase is Phase.OUTSIDE:
                return self._served_alone()
            if not self.alone and node.answers and node.core.lease.epoch and volume.phase is Phase.SERVING:
                few = len(volume.flow.marks.durable) <= self.settings.kept_marks
                whole = volume.record.settled(volume.flow.every) and volume.flow.members == volume.flow.every
                return whole and few and not volume.record.holders.retiring
        return False

    def holders(self) -> list[str]:
        """The arrays that hold a copy, as the arbiters have it."""
        copies: list[str] = json.loads(self.arbiters.entries["volumes/v"].value)["copies"]
        return copies

    def _state(self) -> str:
        said = []
        for name, node in self.nodes.items():
            volume = node.core.volumes["v"]
            flow = volume.flow
            said += [
                f"{name}: epoch {node.core.lease.epoch}, {volume.phase.value} {volume.trouble}",
                f"members {flow.members}, listed {flow.listed}, active {flow.active}, gates {len(flow.gates.shut)}",
                f"gated {len(flow.gated)}, held {len(flow.held)}, marks {len(flow.marks.durable)}",
                f"resync {volume.resync and volume.resync.stale}, {[copy.reason for copy in volume.copies]}",
            ]
        said.append(f"host: {self.host.outstanding} outstanding, on {self.host.path.node!r}, {self.host.path.stale!r}")
        return "; ".join(said)


def _all(deeds: Iterable[Callable[[], None]]) -> None:
    for do in deeds:
        do()


def random_schedule(seed: int, defects: frozenset[str] = frozenset(), alone: str = "") -> Schedule:
    """A schedule that this seed stands for; of a stand-alone volume, it comes into the mirror, and may go again."""
    random = Random(f"schedule {seed}")  # noqa: S311 - a simulation
    faults = []
    for _ in range(random.choice((1, 2, 3, 4, 6))):
        kind = random.choice(tuple(TARGETS))
        lasts = random.choice((0.1, 0.5, 1.0, 2.0, LONGEST)) * random.uniform(0.7, 1.0)
        faults.append(Fault(random.uniform(0.2, FAULTS_UNTIL), kind, random.choice(TARGETS[kind]), lasts))
    if alone:
        kinds = ("taken in", "let go", "taken in")[: random.choice((1, 2, 3))]
        whens = sorted(random.uniform(0.2, FAULTS_UNTIL) for _ in kinds)
        faults += [Fault(at, kind, "volume", 0.0) for at, kind in zip(whens, kinds, strict=True)]
    return Schedule(seed, tuple(sorted(faults, key=lambda fault: fault.at)), defects, alone)


def play(schedule: Schedule) -> World:
    """Play a schedule in a world of its own."""
    world = World(schedule)
    world.play()
    return world


def main() -> int:
    """Play many schedules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one; the others follow (default 1)")
    parser.add_argument("--alone", action="store_true", help="let the volume be stand-alone at first")
    parser.add_argument("--defect", action="append", default=[], help="plant this defect")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    begun = time.monotonic()
    for seed in range(asked.seed, asked.seed + asked.schedules):
        schedule = random_schedule(seed, frozenset(asked.defect), FIRST[0] if asked.alone else "")
        try:
            world = play(schedule)
        except ViolationError as error:
            counts["violations"] += 1
            sys.stdout.write(
                f"seed {seed}: {error}\n  replay: {'--alone ' if asked.alone else ''}--schedules 1 --seed {seed}\n"
            )
            for fault in schedule.faults:
                sys.stdout.write(f"  {fault.at:.3f} s: {fault.kind}, {fault.target}, for {fault.lasts:.3f} s\n")
        else:
            counts.update(world.oracle.done)
            counts.update(world.comparisons)
            counts.update({f"replacements {kind}": count for kind, count in world.replacements.items()})
            counts["events"] += world.clock.events
            counts["epochs"] += len(world.oracle.speakers)
        counts["schedules"] += 1
    said = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    sys.stdout.write(f"{said}; {counts['violations']} violations in {time.monotonic() - begun:.0f} s\n")
    return 1 if counts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
