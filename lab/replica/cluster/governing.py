"""The record as one host reads it, and what it writes there: as a candidate, and as the master."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..mirror.store import REFUSED, UNKNOWN
from .facts import Facts
from .master import Master
from .mastership import Watch, patience
from .neighbours import NEVER
from .record import AT_ONCE, CLUSTER, MASTER_BEAT, Assignment, Record, session_key, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..mirror.store import Entry, Store
    from .beat import Beat, Released
    from .catalogue import Catalogue
    from .isolation import Isolation
    from .neighbours import Neighbours
    from .settings import Settings


# Seconds between two looks before there is a record: hosts start together with the arbiters, and everything waits.
_NONE_YET = 0.1


class Governing:
    """Reads the record now and then; takes mastership when it is vacant; decides while this host is master.

    Every decision is a swap of the revision from which it was made: whoever is master no more writes nothing.

    Args:
        host: this one.
        settings: the timers.
        catalogue: hosts and servers.
        store: the arbiters.
        neighbours: whom it hears.
        isolation: its verdict on itself.
        event: told what explains an outage.
        own: the beat that it would send now; called before anything is judged, so that a late host notices.

    Attributes:
        record: as last read; None before.
        read_at: when that was.
    """

    def __init__(  # noqa: PLR0913 - the parts of its world, each named
        self,
        host: str,
        *,
        settings: Settings,
        catalogue: Catalogue,
        store: Store,
        neighbours: Neighbours,
        isolation: Isolation,
        event: Callable[[str, str], None],
        own: Callable[[float], Beat],
    ) -> None:
        self._host = host
        self._settings = settings
        self._catalogue = catalogue
        self._store = store
        self._neighbours = neighbours
        self._isolation = isolation
        self._event = event
        self._own = own
        self._has_storage = any(spec.volume for spec in catalogue.servers.values())
        self.record: Record | None = None
        self.read_at = NEVER
        self._revision = 0
        self._watch = Watch(settings)
        self._master: Master | None = None
        self._master_since = NEVER
        self._declared: frozenset[str] = frozenset()  # dead, so that it is said once
        self._asking = False
        self._began: float | None = None
        self._next_read = self._next_beat = NEVER
        self._blind_since: float | None = None

    @property
    def is_master(self) -> bool:
        """Whether this host decides."""
        return self._master is not None

    @property
    def is_named(self) -> bool:
        """Whether the record names this host as master, be it isolated or not."""
        return self.record is not None and self.record.master == self._host

    def tick(self, now: float) -> None:
        """Read, when it is time."""
        self._began = now if self._began is None else self._began
        if self.is_master and self._isolation.declared:
            self._step_down(f"{self._host} is isolated")
        if not self._asking and now >= self._next_read:
            self._asking = True
            self._store.read((CLUSTER, MASTER_BEAT), self._looked)

    def _looked(self, found: Mapping[str, Entry] | None, now: float) -> None:
        self._asking = False
        every = self._settings.master_reads_every if self.is_master else self._settings.read_every
        self._next_read = now + (_NONE_YET if self.record is None else every)
        if found is None:
            return
        own = self._own(now)
        cluster, beat = found[CLUSTER], found[MASTER_BEAT]
        self.read_at = now
        self._watch.look(cluster.revision, beat.revision, now)
        if not cluster.revision:
            self._found(now)
            return
        if cluster.revision != self._revision:
            self._learn(Record.from_json(cluster.value), cluster.revision, now)
        if self.is_master:
            self._govern(own, now)
        else:
            self._stand(own, (cluster.revision, beat.revision), now)

    def _learn(self, record: Record, revision: int, now: float) -> None:
        before, self.record, self._revision = self.record, record, revision
        if record.master == self._host and self._master is None and not self._isolation.declared:
            if before is not None and (before.term, before.master) == (record.term, record.master):
                return  # it stepped down, and waits for another to see that
            self._master = Master(self._catalogue, self._settings, self._event, now)
            self._master_since = now
            self._declared = frozenset()
            self._event("master", f"{self._host} is master, term {record.term}")
        elif record.master != self._host and self._master is not None:
            self._step_down(f"the record names {record.master or 'nobody'}")
        if self._master is not None and before is not None:
            _announce(before, record, self._event)

    def _step_down(self, why: str) -> None:
        self._master = None
        self._event("stepped down", f"{self._host}: {why}")

    # Becoming master

    def _found(self, now: float) -> None:
        """There is no record: make it, with the numbers that sessions may have already."""
        if self._isolation.declared or self._began is None or now - self._began < self._settings.heartbeat:
            return
        self._asking = True
        self._number(tuple(self._catalogue.servers), {})

    def _number(self, left: tuple[str, ...], known: dict[str, Assignment]) -> None:
        """Read the numbers of these sessions, as many at once as the arbiters take; then write the record."""
        part, rest = left[:AT_ONCE], left[AT_ONCE:]

        def read(found: Mapping[str, Entry] | None, now: float) -> None:
            if found is None:
                self._asking = False
                return
            known.update({name: Assignment(number=_number(found[session_key(name)])) for name in part})
            if rest:
                self._number(rest, known)
            else:
                self._swap({CLUSTER: 0}, Record(1, self._host, known), {}, now)

        self._store.read(tuple(session_key(name) for name in part), read)

    def _stand(self, own: Beat, revisions: tuple[int, int], now: float) -> None:
        """Take mastership if the master's beat has stood still for long enough."""
        record = self.record
        if record is None or self._isolation.declared:
            return
        fresh = {self._host, *self._neighbours.fresh(now)}
        seeing = set(self._neighbours.see_storage(now)) | ({self._host} if own.sees_storage else set())
        if self._watch.stood < patience(self._settings, record, self._host, fresh, seeing):
            return
        taken = replace(record, term=record.term + 1, master=self._host)
        self._event("elect", f"{self._host} takes the place of {record.master or 'nobody'}")
        self._swap(dict(zip((CLUSTER, MASTER_BEAT), revisions, strict=True)), taken, {}, now)

    # Being master

    def _govern(self, own: Beat, now: float) -> None:
        record, master = self.record, self._master
        if record is None or master is None:
            return
        if self._should_give_way(own, now):
            self._event("resign", f"{self._host} sees no storage: another host may decide")
            self._swap({CLUSTER: self._revision}, replace(record, master=""), {}, now)
            return
        after = master.decide(record, self._facts(own, now))
        if after is not record:
            self._swap({CLUSTER: self._revision}, after, sessions(record, after), now)
        elif now >= self._next_beat:
            self._next_beat = now + self._settings.heartbeat
            self._asking = True
            self._store.swap({CLUSTER: self._revision}, {MASTER_BEAT: self._host}, self._beaten)

    def _beaten(self, _outcome: int, now: float) -> None:
        self._asking = False
        self._next_read = min(self._next_read, now + self._settings.master_reads_every)

    def _should_give_way(self, own: Beat, now: float) -> bool:
        """Without storage it may be on the losing side of a cut: another that sees it, or is not heard, is better."""
        if own.sees_storage or not self._has_storage:
            self._blind_since = None
            return False
        self._blind_since = now if self._blind_since is None else self._blind_since
        if now - self._blind_since < self._settings.master_isolation_declared:
            return False
        return bool(self._neighbours.see_storage(now)) or len(self._neighbours.fresh(now)) < len(
            self._neighbours.others
        )

    def _facts(self, own: Beat, now: float) -> Facts:
        settings, neighbours = self._settings, self._neighbours
        dead = frozenset[str]()
        settled = now - self._master_since >= settings.restarts_by_new_master - settings.new_master
        # Whoever hears nothing of the storage does not know who still beats there.
        if settled and (not self._has_storage or now - neighbours.answered < settings.fresh):
            dead = frozenset(host for host in neighbours.others if neighbours.is_dead(host, now))
        for host in sorted(dead - self._declared):
            self._event("dead", f"{host} is dead, says {self._host}")
        self._declared = dead
        fresh = frozenset({self._host, *neighbours.fresh(now)})
        states = {host: neighbours.beats[host].running for host in fresh if host != self._host}
        released: dict[str, Mapping[str, Released]] = {host: neighbours.released(host) for host in neighbours.others}
        return Facts(
            now=now,
            fresh=fresh,
            dead=dead,
            see_storage=neighbours.see_storage(now) | ({self._host} if own.sees_storage else frozenset()),
            states={**states, self._host: own.running},
            released={**released, self._host: own.released},
            withheld=neighbours.withheld,
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


def _announce(before: Record, after: Record, event: Callable[[str, str], None]) -> None:
    """Say what this master decided, once it is on record."""
    for name, one in after.servers.items():
        was = before.servers.get(name, Assignment())
        if (one.host, one.number) != (was.host, was.number):
            if was.host:
                event("fence", f"session {one.number} of {name} ends the one of {was.host}")
            event("decide", f"{name} on {one.host}, session {one.number}")
    for name, host in after.moves.items():
        if name not in before.moves:
            event("move", f"{name} from {after.servers[name].host} to {host}")


def _number(entry: Entry) -> int:
    return int(json.loads(entry.value)["number"]) if entry.revision else 0
