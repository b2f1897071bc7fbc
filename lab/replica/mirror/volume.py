"""One mirrored volume on the active node: its copies, its phases, its hosts."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from .copies import Copy
from .flow import Flow
from .geometry import Settings
from .hosts import Hosts
from .opening import Opening
from .record import Holders, Record
from .requests import OwnFlush
from .resync import Resync
from .verify import Verify

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ..nbd.protocol import Data
    from .geometry import Geometry
    from .lease import Lease
    from .store import Entry, Store
    from .verify import Comparison
    from .work import ArrayLink, Op, Outside

# Seconds by which a tick may be late before this node, and not an array, counts as the one that did not answer.
_LATE = 0.4
_REDUNDANT = 2  # copies in sync, of which one may be lost


class Phase(StrEnum):
    """Where a volume stands on this node."""

    CLOSED = "closed"  # the node is not active
    OPENING = "opening"  # the copies are being gathered and made equal where they are marked
    SERVING = "serving"
    REFUSED = "refused"  # something is wrong that a human must look at
    OUTSIDE = "outside"  # a stand-alone volume: its array serves the host, and this node has no part in it


class Volume:
    """A volume.

    Args:
        geometry: its layout; size 0 for a volume that is nothing but the session of a host.
        arrays: the arrays that may hold a copy, each with whether it is near.
        begins: those of them that hold one when nothing is on record; None for all.
        alone: of a stand-alone volume: the array that serves it until it is taken in.
        outside: opens sessions on arrays.
        store: the arbiters.
        lease: this node's.
        settings: what may be tuned.
    """

    def __init__(  # noqa: PLR0913 - the parts of its world, each named
        self,
        geometry: Geometry,
        arrays: Iterable[tuple[str, bool]],
        *,
        begins: Collection[str] | None = None,
        alone: str = "",
        outside: Outside,
        store: Store,
        lease: Lease,
        settings: Settings | None = None,
    ) -> None:
        self.name = geometry.volume
        self.geometry = geometry
        self.settings = settings or Settings()
        self.rate = self.settings.rate  # of a resync; an operator may change it
        self.store = store
        self.lease = lease
        self.known = [Copy(array, 1 << at, near=near) for at, (array, near) in enumerate(arrays) if geometry.size]
        self.copies = [copy for copy in self.known if begins is None or copy.array in begins]  # as the record has it
        self.alone = alone
        self.ours = not alone  # whether its copies may be opened: of a stand-alone one, the record has to say so
        self._outside = outside
        self.epoch = 0
        self.phase = Phase.CLOSED
        self.trouble = ""  # the sentence of a refused volume
        self.flow = Flow(self)
        self.hosts = Hosts(self)
        self.record = Record(self)
        self.opening: Opening | None = None
        self.resync: Resync | None = None
        self.verifying: Verify | None = None
        self.adding = 0  # mask of the copy that has everything and is being recorded as in sync
        self.unreached_since: float | None = None
        self._leaving: Callable[[str], None] | None = None
        self.bare = 0.0  # seconds in this epoch for which fewer than two copies were in sync
        self._ticked = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it is served, all of its copies are in sync, and nobody compares them just now; or it is not ours."""
        in_sync = len(self.flow.targets) == len(self.copies)
        return self.phase is Phase.OUTSIDE or (self.phase is Phase.SERVING and in_sync and not self.verifying)

    # The node's side

    def open(self, epoch: int, now: float) -> None:
        """The node holds the lease."""
        self.epoch = epoch
        self.bare, self._ticked = 0.0, now
        self.reopen(now)

    def close(self, now: float) -> None:
        """The node does not hold the lease any more: cut everything."""
        self._stop(now)
        self.phase = Phase.CLOSED
        self.epoch = 0
        self.unreached_since = None

    def _stop(self, now: float) -> None:
        self.hosts.cut()
        if self.verifying is not None:
            self.verifying.give_up("the volume was closed meanwhile", now)
        if self._leaving is not None:
            self._leaving("the volume was closed meanwhile")
        self._leaving, self.ours = None, not self.alone
        for copy in self.known:
            copy.forget()
            copy.retry_at = 0.0
        self.record.restart()
        self.flow.clear()
        self.opening = self.resync = None
        self.adding = 0

    def reopen(self, now: float) -> None:
        """Start from what the arbiters and the arrays say. All sessions are new: nothing sent on older ones arrives."""
        self._stop(now)
        if self.copies:
            self.phase = Phase.OPENING
            self.opening = Opening(self, now)
            self.tick(now)
        else:
            self.serve(now)

    def refuse(self, sentence: str, now: float) -> None:
        """Serve nobody until a human has looked; try again meanwhile, for it may be mended."""
        self._stop(now)
        self.phase, self.trouble = Phase.REFUSED, sentence
        self.opening = Opening(self, now, after=5.0)

    def stay_outside(self, now: float) -> None:
        """The record says that the array of a stand-alone volume serves it."""
        self._stop(now)
        self.phase, self.opening, self.unreached_since = Phase.OUTSIDE, None, None

    def serve(self, now: float) -> None:
        """The copies in sync are equal and durable: let the hosts in."""
        self.phase, self.opening, self.trouble = Phase.SERVING, None, ""
        self.tick(now)

    def tick(self, now: float) -> None:
        """Look after time: every 0.1 s or so."""
        since, self._ticked = now - self._ticked, now
        late = since > _LATE
        if self.phase in {Phase.CLOSED, Phase.OUTSIDE}:
            return
        if len(self.flow.targets) < _REDUNDANT:
            self.bare += since
        for copy in self.copies if self.ours else ():
            if not late and copy.overdue(now, self.settings.answer):
                self.lose(copy, f"no answer for {self.settings.answer:g} s", now)
            if copy.link is None and not copy.connecting and now >= copy.retry_at:
                copy.connecting = True
                self._outside.connect(copy, f"{self.name}@{self.epoch}", copy.attempt)
        self.record.tick()
        if self.opening is not None:
            self.opening.go_on(now)
        elif self.phase is Phase.SERVING:
            self._keep(now)
        listed = self.record.copies or self.flow.every
        reached = not self.copies or any(copy.link and copy.bit & listed for copy in self.copies)
        self.unreached_since = None if reached else self.unreached_since or now

    def _keep(self, now: float) -> None:
        flow = self.flow
        self.record.want(flow.members | self.adding)
        if self.record.settled(flow.members):
            flow.label(self.record.generation, now)
        if self.resync is None:
            self.resync = Resync.of(self, now)
        if self.resync is not None:
            self.resync.go_on(now)
        self._retire()
        flow.tidy(now)

    # An array takes another's place

    def replace(self, old: str, new: str, then: Callable[[str], None]) -> None:
        """Give a volume a copy on another array, and take the one on the old array away when all others are in sync.

        Both are on record before they are done, so that the next owner of the lease goes on with them. Asked the other
        way round before the end, it turns back.

        Args:
            old: array whose copy goes.
            new: array that gets every grain; nothing that it may hold is believed.
            then: called with "" once it is on record, or with why it is not.
        """
        copies = {copy.array: copy for copy in self.known}
        unknown = [array for array in (old, new) if array not in copies]
        if unknown:
            then(f"no array is called {unknown[0]}: there are {', '.join(sorted(copies))}")
        elif self.phase is not Phase.SERVING or self.adding or not self.record.idle(self.flow.members):
            then(f"{self.name} is {'being recorded' if self.phase is Phase.SERVING else self.phase.value}; ask again")
        else:
            goes, comes, held = copies[old].bit, copies[new].bit, self.record.holders
            if goes & ~held.members or comes & held.members & ~held.retiring:
                names = ", ".join(copy.array for copy in self.copies)
                then(f"{self.name} cannot go from {old} to {new}: it has its copies on {names}")
            else:
                blank = held.blank | comes & ~held.members
                retiring = (held.retiring | goes) & ~comes
                self.record.put(self.record.copies, Holders(held.members | comes, blank, retiring), then)

    def _retire(self) -> None:
        """Let the copies go that are to go, if every other one is in sync and on record as such."""
        record, flow = self.record, self.flow
        left = record.holders.members & ~record.holders.retiring
        if record.holders.retiring and left & flow.members == left and not self.adding and record.idle(flow.members):
            record.put(left, Holders(left, record.holders.blank & left))

    # A stand-alone volume comes, and goes

    def take_in(self, then: Callable[[str], None]) -> None:
        """Serve a stand-alone volume from now on, and give it its second copy.

        It is on record first. The array cuts its host when we open it in our epoch, and lets it write no more; what
        that host had not flushed, its path brings here.

        Args:
            then: called with "" once it is on record, or with why it is not.
        """
        if self.phase is Phase.OUTSIDE:
            self.record.hand(then, outside=False)
        else:
            then(f"{self.name} is {self.phase.value}: only a volume that is outside can be taken in")

    def let_go(self, then: Callable[[str], None]) -> None:
        """Leave a volume that was stand-alone to its array again, with all that was acknowledged durable there.

        `Hosts.session` is the newest then, of which the array must hear.

        Args:
            then: called with "" once it is on record, or with why it is not.
        """
        flow, record = self.flow, self.record
        alone = next((copy for copy in self.copies if copy.array == self.alone), None)
        if alone is None or self.phase is not Phase.SERVING:
            where = f"holds no copy on {self.alone}" if self.alone else "never was stand-alone"
            then(f"{self.name} is {self.phase.value}" if alone else f"{self.name} {where}")
        elif self._leaving or not alone.bit & flow.members or not record.idle(flow.members):
            then(f"{self.name} is not at rest, or its copy on {self.alone} is not in sync; ask again")
        else:
            self._leaving = then

            def durable(now: float) -> None:
                self._leaving = None
                if alone.bit & flow.members:
                    record.hand(then, outside=True)
                else:
                    then(f"its copy on {self.alone} was lost meanwhile")
                    flow.gates.done(now)

            def known(found: Mapping[str, Entry] | None, now: float) -> None:
                if self._leaving is not then:
                    return
                if found is None:
                    self._leaving = None
                    then("no arbiter answers")
                    return
                entry = found[key]
                newest = int(json.loads(entry.value)["number"]) if entry.revision else 0
                self.hosts.session = max(newest, self.hosts.session)
                flow.gates.ask(lambda now: flow.mirror(OwnFlush(flow, durable), now), now)

            key = f"sessions/{self.name}"
            self.store.read((key,), known)

    def held(self, members: int, now: float) -> None:
        """The record says who holds a copy: whoever holds none any more is cut."""
        gone = [copy for copy in self.copies if not copy.bit & members]
        self.copies = [copy for copy in self.known if copy.bit & members]
        self.flow.every = members
        for copy in gone:
            if self.opening is None:
                self.lose(copy, "retired", now)
            copy.forget()
            copy.fresh()

    # The arbiters' side

    def looked(self, now: float) -> None:
        """The record was read."""
        if self.opening is not None:
            self.opening.looked(now)
        else:
            self.recorded(now)

    def recorded(self, now: float) -> None:
        """The record was changed, or read again after a change that may not have been made."""
        if self.opening is not None:
            self.opening.recorded(now)
            return
        flow, record = self.flow, self.record
        flow.listed = record.listed
        if self.adding and record.settled(flow.members | self.adding):
            flow.use(tuple(copy for copy in self.copies if copy.bit & (flow.members | self.adding)))
            self.adding = 0
            if self.resync is not None:
                self.resync.joined(now)
        record.want(flow.members | self.adding)
        flow.recorded(now)

    # The arrays' side

    def connected(self, copy: Copy, attempt: int, link: ArrayLink, now: float) -> None:
        """An array opened the session that was asked for."""
        if attempt != copy.attempt:
            link.abort()
            return
        copy.connecting, copy.link = False, link
        Opening.load(self, copy, now)

    def unreachable(self, copy: Copy, attempt: int, reason: str, now: float) -> None:
        """An array did not open it."""
        if attempt == copy.attempt:
            copy.connecting = False
            copy.reason = reason
            copy.later(now)

    def lost(self, copy: Copy, link: ArrayLink, reason: str, now: float) -> None:
        """The session on an array ended: even if it comes back at once, what was not flushed may be gone."""
        if copy.link is link:
            self.lose(copy, reason, now)

    def done(self, copy: Copy, op: Op, error: int, data: Data, now: float) -> None:
        """A copy answered. Call it only for the session that stands."""
        if copy.pending.pop(op, None) is None:
            return
        if error:
            op.failed(copy, error, now)
        else:
            op.landed(copy, data, now)

    def loaded(self, now: float) -> None:
        """The header and the bitmap of a copy were read."""
        if self.opening is not None:
            self.opening.go_on(now)
        elif self.phase is Phase.SERVING:
            self._keep(now)

    def fault(self, copy: Copy, error: int, now: float) -> None:
        """A copy answered with an error: its array is full or broken."""
        copy.broken = True
        self.lose(copy, f"error {error}", now)

    def lose(self, copy: Copy, reason: str, now: float) -> None:
        """Go on without a copy: at once, but nothing is acknowledged before the arbiters know."""
        pending = copy.forget()
        copy.reason = reason
        copy.later(now)
        flow = self.flow
        if self.opening is not None:
            self.opening.lost(copy, now)
            return
        flow.use(tuple(target for target in flow.targets if target is not copy))
        if not flow.targets:
            self.reopen(now)
            return
        self.adding &= ~copy.bit
        for op in pending:
            op.dropped(copy, now)
        if self.resync is not None:
            self.resync.lost(copy, now)
        if self.verifying is not None:
            self.verifying.give_up(f"{copy.array} was lost meanwhile", now)
        self.record.want(flow.members | self.adding)

    # The hosts' side

    def cut(self) -> None:
        """Cut the hosts: this node may not speak for the volume."""
        self.hosts.cut()

    def verify(self, then: Callable[[Comparison], None], now: float, repair: str = "") -> None:
        """Compare the copies while the hosts' writes are held.

        Args:
            then: called with the answer.
            now: the time.
            repair: array whose copy gets the other's grains where they differ; it is out of sync meanwhile.
        """
        if self.phase is not Phase.SERVING or self.verifying is not None:
            then({"error": f"{self.name} is {'being compared' if self.verifying else self.phase.value}"})
        else:
            self.verifying = Verify(self, then, repair)
            self.verifying.begin(now)
