"""The agent of a host: hears, reads the record, obeys it, and is master when the record says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import orders
from .beat import Beat, State
from .governing import Governing
from .isolation import Isolation
from .local import Local, Situation
from .neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..mirror.store import Store
    from .beat import Released, RunningState
    from .catalogue import Catalogue
    from .outside import Outside
    from .record import Order, Record
    from .settings import Settings

_LATE = 0.5
"""Seconds between two signs of its own life after which this host was asleep, and deaf."""
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
        self._seq = self._orders = 0
        self._ticked: float | None = None
        self._missed: set[str] = set()
        self.neighbours = Neighbours(host, catalogue.hosts, settings)
        self.local = Local(host, catalogue, settings, outside)
        self.isolation = Isolation(host, self.neighbours, settings, outside.event)
        self.governing = Governing(
            host,
            settings=settings,
            catalogue=catalogue,
            store=store,
            neighbours=self.neighbours,
            isolation=self.isolation,
            event=outside.event,
            own=self._own,
        )

    # What happens

    def heard(self, beat: Beat, now: float) -> None:
        """A heartbeat came over the management network."""
        self.neighbours.heard(beat, now)

    def stored(
        self,
        ages: Mapping[str, tuple[float, int, Mapping[str, Released]]],
        now: float,
        withheld: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """The storage network answered: for each host, how old its last sign there is, its boot, what it gave up.

        `withheld`: by server, the hosts that may not see its volume; None from whoever does not know.
        """
        self.neighbours.stored(ages, now)
        if withheld is not None:
            self.neighbours.withheld = withheld

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
    def record(self) -> Record | None:
        """As last read; None before."""
        return self.governing.record

    @property
    def is_master(self) -> bool:
        """Whether this host decides."""
        return self.governing.is_master

    def sees_storage(self, now: float) -> bool:
        """Whether a server with a volume could be started here."""
        held = max((state.held for state in self.local.running.values()), default=0.0)
        return max(now - self.neighbours.answered, held) < self._settings.storage_silent

    @property
    def beat(self) -> Beat:
        """The heartbeat to send now, to every host and to the storage; each has a number of its own."""
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

    def _own(self, now: float) -> Beat:
        self._wake(now)
        return self.beat

    def tick(self, now: float) -> None:
        """Look after time: every 0.1 s or so."""
        self._wake(now)
        self.isolation.tick(now, master=self.governing.is_named)
        if self.record is not None:
            self.local.tick(self.record, self._situation(now), now)
        self._note_missing(now)
        self.governing.tick(now)

    def _wake(self, now: float) -> None:
        if self._ticked is None:
            self.neighbours.begin(now)
            self.isolation.begin(now)
        elif now - self._ticked > _LATE:
            slept = now - self._ticked
            self.neighbours.forgive(slept, now)
            self.isolation.forgive(slept, now)
        self._ticked = now

    def _situation(self, now: float) -> Situation:
        return Situation(
            certain=now - self.governing.read_at < _CERTAIN,
            sees_storage=self.sees_storage(now),
            others_see_storage=bool(self.neighbours.see_storage(now)),
            isolated=self.isolation.respond,
            withheld=frozenset(name for name, hosts in self.neighbours.withheld.items() if self._host in hosts),
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


def _word(state: RunningState) -> str:
    return "booting" if state.state in {State.STARTING, State.BOOTING} else "running"
