"""Simulated time, connections and arbiters for the storage world."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lab.replica.arbiter.kv import MOST
from lab.replica.mirror.store import REFUSED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from lab.replica.mirror.store import Found, Swapped

ARBITERS = "arbiters"
USER_TIMEOUT, KEEPALIVE = 0.4, 3.0  # seconds: what the programs ask of the kernel


class Clock:
    """One heap of events."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self.events = 0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, delay: float, do: Callable[[], None]) -> None:
        self.events += 1
        heapq.heappush(self._heap, (self.now + delay, self.events, do))

    def run(self, until: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, do = heapq.heappop(heap)
            do()
        self.now = until


class Process:
    """Something that runs at a place; paused, it finds on waking all that happened meanwhile."""

    def __init__(self, clock: Clock, place: str) -> None:
        self.clock = clock
        self.place = place
        self.alive = True
        self._paused = False
        self._backlog: list[Callable[[], None]] = []

    def call(self, do: Callable[[], None]) -> None:
        if self._paused:
            self._backlog.append(do)
        elif self.alive:
            do()

    def pause(self) -> None:
        self._paused = True

    @property
    def answers(self) -> bool:
        return self.alive and not self._paused

    def wake(self) -> None:
        self._paused = False
        backlog, self._backlog = self._backlog, []
        for do in backlog:
            self.call(do)

    def die(self) -> None:
        self.alive = False
        self._backlog.clear()


class End:
    """One end of a connection: what it receives, and what it is told when the connection is lost."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.other: End
        self.open = True
        self.lost: Callable[[str], None] = lambda _reason: None
        self.queue: deque[tuple[float, Callable[[], None]]] = deque()  # on its way from here

    def tell_lost(self, reason: str) -> None:
        if self.open:
            self.open = False
            self.process.call(lambda: self.lost(reason))


def _receive(end: End, message: Callable[[], None]) -> None:
    if end.open:
        message()


class Network:
    """Who can speak with whom, and every connection."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._cuts: dict[frozenset[str], int] = {}
        self._wires: list[tuple[End, End]] = []

    def reaches(self, one: str, other: str) -> bool:
        return frozenset((one, other)) not in self._cuts

    def cut(self, one: str, other: str) -> None:
        pair = frozenset((one, other))
        self._cuts[pair] = self._cuts.get(pair, 0) + 1
        for end in self._ends(pair):
            self.clock.after(USER_TIMEOUT, partial(self._check, end, idle=False))
            self.clock.after(KEEPALIVE, partial(self._check, end, idle=True))

    def join(self, one: str, other: str) -> None:
        pair = frozenset((one, other))
        self._cuts[pair] -= 1
        if not self._cuts[pair]:
            del self._cuts[pair]
            for end in self._ends(pair):
                self._pump(end)

    def _ends(self, pair: frozenset[str]) -> list[End]:
        self._wires = [wire for wire in self._wires if wire[0].open or wire[1].open or wire[0].queue or wire[1].queue]
        return [end for wire in self._wires for end in wire if {end.process.place, end.other.process.place} == pair]

    def _check(self, end: End, *, idle: bool) -> None:
        if not self.reaches(end.process.place, end.other.process.place) and (idle or end.queue):
            end.tell_lost("timed out")

    def connect(self, client: Process, server: Process) -> tuple[End, End]:
        ends = End(client), End(server)
        ends[0].other, ends[1].other = ends[1], ends[0]
        self._wires.append(ends)
        return ends

    def delay(self) -> float:
        random = self.clock.random
        return 0.0002 + (0.02 if random.random() < 0.02 else 0.002) * random.random()

    def send(self, end: End, message: Callable[[], None]) -> None:
        """Send; in order, after a while, or not at all."""
        if not end.open:
            return
        queue = end.queue
        at = self.clock.now + self.delay()
        if queue:
            at = max(at, queue[-1][0])
        queue.append((at, message))
        if self.reaches(end.process.place, end.other.process.place):
            self.clock.after(at - self.clock.now, lambda: self._pump(end))
        else:
            self.clock.after(USER_TIMEOUT, lambda: self._check(end, idle=False))

    def _pump(self, end: End) -> None:
        """Deliver what is due."""
        if not self.reaches(end.process.place, end.other.process.place):
            return
        other, queue, now = end.other, end.queue, self.clock.now
        while queue and queue[0][0] <= now + 1e-9:
            _, message = queue.popleft()
            if other.open:
                other.process.call(partial(_receive, other, message))

    def reset(self, end: End) -> None:
        """RST: what is still in the kernel is dropped; what is on the wire may yet arrive before it."""
        end.open = False
        if not self.reaches(end.process.place, end.other.process.place) or self.clock.random.random() < 0.5:
            end.queue.clear()
        self._told(end, "reset")

    def gone(self, end: End) -> None:
        """The process died: its kernel still delivers what had been sent, even after a cut."""
        end.open = False
        self._told(end, "closed")

    def _told(self, end: End, reason: str) -> None:
        if self.reaches(end.process.place, end.other.process.place):
            at = max(end.queue[-1][0] - self.clock.now if end.queue else 0.0, self.delay())
            self.clock.after(at, lambda: end.other.tell_lost(reason))
        else:
            self.clock.after(KEEPALIVE, lambda: end.other.tell_lost("timed out"))


@dataclass(frozen=True)
class Entry:
    value: str = ""
    revision: int = 0


class Arbiters:
    """A linearizable store whose answers may be late, lost, or late beyond belief."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._clock = network.clock
        self.entries: dict[str, Entry] = {}
        self.revision = 1
        self.forgetful = 0.01  # share of the questions whose answer is lost
        self.down = 0

    def put(self, key: str, value: str) -> None:
        self.revision += 1
        self.entries[key] = Entry(value, self.revision)

    def asked_by(self, process: Process) -> Client:
        return Client(self, process)

    def _unheard(self, do: Callable[[], Callable[[], None]]) -> None:
        if not self.down:
            do()

    def ask(self, process: Process, do: Callable[[], Callable[[], None]], unknown: Callable[[], None]) -> None:
        """Ask; `do` acts and gives the call that answers."""
        clock, random = self._clock, self._clock.random
        late = clock.now + 0.4
        if self.down or not self._network.reaches(process.place, ARBITERS):
            clock.after(0.4, lambda: process.call(unknown))
            return
        if random.random() < self.forgetful:
            # Never made, made now, or made long after the asker has given up.
            fate = random.random()
            if fate < 0.7:
                clock.after(0.002 if fate < 0.3 else 3.0 * random.random(), partial(self._unheard, do))
            clock.after(0.4, lambda: process.call(unknown))
            return

        def act() -> None:
            answer = do()
            if self._network.reaches(process.place, ARBITERS) and not self.down:
                clock.after(self._network.delay(), lambda: process.call(answer))
            else:
                clock.after(max(0.0, late - clock.now), lambda: process.call(unknown))

        clock.after(self._network.delay(), act)


class Client:
    """The store as one process sees it."""

    def __init__(self, arbiters: Arbiters, process: Process) -> None:
        self._arbiters = arbiters
        self._process = process

    def read(self, keys: tuple[str, ...], then: Found) -> None:
        assert len(keys) <= MOST, "the arbiters refuse more"
        arbiters, clock = self._arbiters, self._process.clock

        def do() -> Callable[[], None]:
            found = {key: arbiters.entries.get(key, Entry()) for key in keys}
            return lambda: then(found, clock.now)

        arbiters.ask(self._process, do, lambda: then(None, clock.now))

    def swap(self, expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        assert len(put) <= MOST, "the arbiters refuse more"
        arbiters, clock = self._arbiters, self._process.clock

        def do() -> Callable[[], None]:
            if any(arbiters.entries.get(key, Entry()).revision != revision for key, revision in expect.items()):
                return lambda: then(REFUSED, clock.now)
            arbiters.revision += 1
            done = arbiters.revision
            arbiters.entries.update({key: Entry(value, done) for key, value in put.items()})
            return lambda: then(done, clock.now)

        arbiters.ask(self._process, do, lambda: then(UNKNOWN, clock.now))
