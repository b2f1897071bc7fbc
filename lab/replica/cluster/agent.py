"""The agent of a host: hears, reads the record, obeys it, and is master when the record says so."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..mirror.store import REFUSED, UNKNOWN
from . import orders
from .beat import Beat, State
from .facts import Facts
from .isolation import Isolation
from .local import Local, Situation
from .master import Master
from .mastership import Watch, patience
from .neighbours import NEVER, Neighbours
from .record import CLUSTER, MASTER_BEAT, Assignment, Record, session_key, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..mirror.store import Entry, Store
    from .beat import Released, RunningState
    from .catalogue import Catalogue
    from .outside import Outside
    from .record import Order
    from .settings import Settings

_LATE = 1.0
"""Seconds between two ticks after which this host was asleep, and deaf."""
_CERTAIN = 2.0
"""Seconds for which what was read may be acted upon."""


class Agent:
    """One host's agent.

    Args:
        host: its name.
        boot: of this life; a later one must be larger.
        settings: timers and policies.
        catalogue: hosts and servers of the plan.
        store: the arbiters.
        outside: hypervisor and journal.

    Attributes:
        record: as last read; None before.
        is_master: whether this host decides.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of its world, each named
        self, host: str, boot: int, settings: Settings, catalogue: Catalogue, store: Store, outside: Outside
    ) -> None:
        self._host = host
        self._boot = boot
        self._settings = settings
        self._catalogue = catalogue
        self._store = store
        self._outside = outside
        self._has_storage = any(spec.volume for spec in catalogue.servers.values())
        self._seq = 0
        self.neighbours = Neighbours(host, catalogue.hosts, settings)
        self.local = Local(host, catalogue, settings, outside)
        self.record: Record | None = None
        self._revision = 0
        self._watch = Watch(settings)
        self._master: Master | None = None
        self._master_since = NEVER
        self._declared: set[str] = set()  # dead, so that it is said once
        self._asking = False
        self._next_read = self._next_beat = NEVER
        self._read_at = NEVER
        self._ticked: float | None = None
        self._began = NEVER
        self.isolation = Isolation(host, self.neighbours, settings, outside.event)
        self._orders = 0
        self._blind_since: float | None = None
        self._missed: set[str] = set()

    # What happens

    def heard(self, beat: Beat, now: float) -> None:
        """A heartbeat came over the management network."""
        self.neighbours.heard(beat, now)

    def stored(self, ages: Mapping[str, tuple[float, int, Mapping[str, Released]]], now: float) -> None:
        """The storage network answered: for each host, how old its last sign there is, its boot, what it gave up."""
        self.neighbours.stored(ages, now)

    def pinged(self, reached: frozenset[str], now: float) -> None:
        """These isolation addresses answered."""
        if reached:
            self.isolation.answered(now)

    def saw(self, running: Mapping[str, RunningState], now: float) -> None:  # noqa: ARG002 - all calls carry it
        """What the hypervisor says: every server that it runs, or that failed."""
        self.local.running, self.local.looked = running, True

    def order(self, order: Order, then: Callable[[str], None]) -> None:
        """Write an order into the record; `then` hears "" or why it was not written.

        It may be called from any host; whether it was obeyed is an event of the master.
        """
        refused = orders.wrong(order, self._catalogue)
        if refused:
            then(refused)
        else:
            self._orders += 1
            orders.write(self._store, {**order, "id": f"{self._host}/{self._boot}/{self._orders}"}, then)

    @property
    def is_master(self) -> bool:
        """Whether this host decides."""
        return self._master is not None

    def sees_storage(self, now: float) -> bool:
        """Whether a server with a volume could be started here."""
        held = max((state.held for state in self.local.running.values()), default=0.0)
        return max(now - self.neighbours.answered, held) < self._settings.storage_silent

    @property
    def beat(self) -> Beat:
        """The heartbeat to send now, to every host and to the storage."""
        self._seq += 1
        running = {
            name: "healthy" if state.healthy and state.state is State.RUNNING else _word(state)
            for name, state in self.local.running.items()
            if state.state is not State.FAILED
        }
        released = {} if "forget-released" in self._settings.defects else self.local.given_up
        term = self.record.term if self.is_master and self.record else 0
        sees = self._ticked is not None and self.sees_storage(self._ticked)
        return Beat(self._host, self._boot, self._seq, term, sees, released, running)

    def tick(self, now: float) -> None:
        """Look after time: every 0.1 s or so."""
        self._wake(now)
        self.isolation.tick(now, master=self.is_master or (self.record or Record()).master == self._host)
        if self.isolation.declared and self.is_master:
            self._step_down(f"{self._host} is isolated")
        if self.record is not None:
            self.local.tick(self.record, self._situation(now), now)
        self._note_missing(now)
        if not self._asking and now >= self._next_read:
            self._asking = True
            self._store.read((CLUSTER, MASTER_BEAT), self._looked)

    def _wake(self, now: float) -> None:
        if self._ticked is None:
            self._began = now
            self.neighbours.begin(now)
            self.isolation.begin(now)
        elif now - self._ticked > _LATE:
            slept = now - self._ticked
            self.neighbours.forgive(slept, now)
            self.isolation.forgive(slept, now)
        self._ticked = now

    def _situation(self, now: float) -> Situation:
        return Situation(
            certain=now - self._read_at < _CERTAIN,
            sees_storage=self.sees_storage(now),
            others_see_storage=bool(self.neighbours.see_storage(now)),
            isolated=self.isolation.respond,
        )

    def _note_missing(self, now: float) -> None:
        """Say once when a host falls silent, and when it is back."""
        for host in self.neighbours.others:
            silent = self.neighbours.silence(host, now) >= self._settings.fresh
            if silent and host not in self._missed and host in self.neighbours.beats:
                self._missed.add(host)
                self._outside.event("detect", f"{self._host} hears nothing of {host}")
            elif not silent and host in self._missed:
                self._missed.remove(host)
                self._outside.event("heard", f"{self._host} hears {host} again")

    # The record

    def _looked(self, found: Mapping[str, Entry] | None, now: float) -> None:
        self._asking = False
        every = self._settings.master_reads_every if self.is_master else self._settings.read_every
        self._next_read = now + every
        if found is None:
            return
        cluster, beat = found[CLUSTER], found[MASTER_BEAT]
        self._read_at = now
        self._watch.look(cluster.revision, beat.revision, now)
        if not cluster.revision:
            self._found(now)
            return
        if cluster.revision != self._revision:
            self._learn(Record.from_json(cluster.value), cluster.revision, now)
        if self.is_master:
            self._govern(now)
        else:
            self._stand(cluster.revision, beat.revision, now)

    def _learn(self, record: Record, revision: int, now: float) -> None:
        before, self.record, self._revision = self.record, record, revision
        if record.master == self._host and self._master is None and not self.isolation.declared:
            if before is not None and (before.term, before.master) == (record.term, record.master):
                return  # it stepped down, and waits for another to see that
            self._master = Master(self._catalogue, self._settings, self._outside.event, now)
            self._master_since = now
            self._declared.clear()
            self._outside.event("master", f"{self._host} is master, term {record.term}")
        elif record.master != self._host and self._master is not None:
            self._step_down(f"the record names {record.master or 'nobody'}")
        if self._master is not None and before is not None:
            self._announce(before, record)

    def _announce(self, before: Record, after: Record) -> None:
        """Say what this master decided, once it is on record."""
        for name, one in after.servers.items():
            was = before.servers.get(name, Assignment())
            if (one.host, one.number) != (was.host, was.number):
                if was.host:
                    self._outside.event("fence", f"session {one.number} of {name} ends the one of {was.host}")
                self._outside.event("decide", f"{name} on {one.host}, session {one.number}")
        for name, host in after.moves.items():
            if name not in before.moves:
                self._outside.event("move", f"{name} from {after.servers[name].host} to {host}")

    def _step_down(self, why: str) -> None:
        self._master = None
        self._outside.event("stepped down", f"{self._host}: {why}")

    # Becoming master

    def _found(self, now: float) -> None:
        """There is no record: make it, with the numbers that sessions may have already."""
        if self.isolation.declared or now - self._began < self._settings.heartbeat:
            return
        names = tuple(self._catalogue.servers)
        self._asking = True

        def write(found: Mapping[str, Entry] | None, now: float) -> None:
            self._asking = False
            if found is None:
                return
            numbers = {name: _number(found[session_key(name)]) for name in names}
            record = Record(1, self._host, {name: Assignment(number=number) for name, number in numbers.items()})
            self._swap({CLUSTER: 0}, record, {}, now)

        self._store.read(tuple(session_key(name) for name in names), write)

    def _stand(self, cluster: int, beat: int, now: float) -> None:
        """Take mastership if the master's beat has stood still for long enough."""
        record = self.record
        if record is None or self.isolation.declared:
            return
        fresh = {self._host, *self.neighbours.fresh(now)}
        seeing = set(self.neighbours.see_storage(now)) | ({self._host} if self.sees_storage(now) else set())
        if self._watch.stood < patience(self._settings, record, self._host, fresh, seeing):
            return
        taken = replace(record, term=record.term + 1, master=self._host)
        self._outside.event("elect", f"{self._host} takes the place of {record.master or 'nobody'}")
        self._swap({CLUSTER: cluster, MASTER_BEAT: beat}, taken, {}, now)

    # Being master

    def _govern(self, now: float) -> None:
        record, master = self.record, self._master
        if record is None or master is None:
            return
        if self._should_give_way(now):
            self._outside.event("resign", f"{self._host} sees no storage: another host may decide")
            self._swap({CLUSTER: self._revision}, replace(record, master=""), {}, now)
            return
        after = master.decide(record, self._facts(now))
        if after is not record:
            self._swap({CLUSTER: self._revision}, after, sessions(record, after), now)
        elif now >= self._next_beat:
            self._next_beat = now + self._settings.heartbeat
            self._asking = True
            self._store.swap({CLUSTER: self._revision}, {MASTER_BEAT: self._host}, self._beaten)

    def _beaten(self, _outcome: int, now: float) -> None:
        self._asking = False
        self._next_read = min(self._next_read, now + self._settings.master_reads_every)

    def _should_give_way(self, now: float) -> bool:
        """Without storage it may be on the losing side of a cut: another that sees it, or is not heard, is better."""
        if self.sees_storage(now) or not self._has_storage:
            self._blind_since = None
            return False
        self._blind_since = now if self._blind_since is None else self._blind_since
        if now - self._blind_since < self._settings.master_isolation_declared:
            return False
        return bool(self.neighbours.see_storage(now)) or len(self.neighbours.fresh(now)) < len(self.neighbours.others)

    def _facts(self, now: float) -> Facts:
        settings, neighbours = self._settings, self.neighbours
        dead = frozenset[str]()
        settled = now - self._master_since >= settings.restarts_by_new_master - settings.new_master
        # Whoever hears nothing of the storage does not know who still beats there.
        if settled and (not self._has_storage or now - neighbours.answered < settings.fresh):
            dead = frozenset(host for host in neighbours.others if neighbours.is_dead(host, now))
        for host in sorted(dead - self._declared):
            self._outside.event("dead", f"{host} is dead, says {self._host}")
        self._declared = set(dead)
        fresh = frozenset({self._host, *neighbours.fresh(now)})
        own = self.beat
        states = {host: neighbours.beats[host].running for host in fresh if host != self._host}
        released: dict[str, Mapping[str, Released]] = {host: neighbours.released(host) for host in neighbours.others}
        return Facts(
            now=now,
            fresh=fresh,
            dead=dead,
            see_storage=neighbours.see_storage(now) | ({self._host} if own.sees_storage else frozenset()),
            states={**states, self._host: own.running},
            released={**released, self._host: own.released},
        )

    def _swap(self, expect: Mapping[str, int], record: Record, put: Mapping[str, str], now: float) -> None:
        """Write the record, and beat with it."""
        self._asking = True
        self._next_beat = now + self._settings.heartbeat
        told = {CLUSTER: record.to_json(), MASTER_BEAT: self._host, **put}
        self._store.swap(expect, told, partial(self._swapped, record))

    def _swapped(self, record: Record, outcome: int, now: float) -> None:
        self._asking = False
        self._next_read = now  # what is on record is read, not believed: also when nobody knows
        if outcome not in {REFUSED, UNKNOWN}:
            self._learn(record, outcome, now)


def _word(state: RunningState) -> str:
    return "booting" if state.state is State.BOOTING else "running"


def _number(entry: Entry) -> int:
    return int(json.loads(entry.value)["number"]) if entry.revision else 0
