"""The arbiters' record of a volume: which copies are in sync. It is the truth that a next owner starts from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .store import OWNER, REFUSED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .store import Entry
    from .volume import Volume


@dataclass(frozen=True)
class Holders:
    """Which arrays hold a copy, as masks of copies.

    Args:
        members: those that do, in sync or not.
        blank: of these, those that came when the volume was in service and were never in sync since: whatever they
            may hold is not believed, and they get every grain.
        retiring: of these, those that go when all others are in sync.
    """

    members: int
    blank: int = 0
    retiring: int = 0


class Record:
    """What the arbiters know of a volume, and the changes on the way to them.

    A change whose outcome is unknown may still be made later: until one made after it is confirmed, every copy that it
    names counts as listed.

    Attributes:
        copies: mask of the copies in sync, as last confirmed.
        holders: which arrays hold a copy, as last confirmed.
        generation: how often the record was changed.
        revision: of the store, when the record was last changed; 0: there is none yet.
        outside: whether a stand-alone volume is served by its array itself, and by nobody here.
        ready: whether it was read, and no change is on its way.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.copies = 0
        self.holders = self._begun = Holders(sum(copy.bit for copy in volume.copies))
        self.outside = bool(volume.alone)
        self._then: Callable[[str], None] | None = None
        self.generation = 0
        self.revision = 0
        self.term = 0
        self._possible = 0
        self._certain = True
        self._asking = False
        self._again = False
        self.ready = False

    @property
    def key(self) -> str:
        """Where it is."""
        return f"volumes/{self._volume.name}"

    def restart(self) -> None:
        """Answers still to come are of no interest any more."""
        self.term += 1
        self._tell("the volume was closed meanwhile")
        self._asking = self._again = self.ready = False

    def tick(self) -> None:
        """Ask again what no arbiter answered."""
        if self._again:
            self.read()

    def read(self) -> None:
        """Ask for it; `Volume.looked` follows."""
        self._asking, self._again, self.ready = True, False, False
        self._volume.store.read((OWNER, self.key), partial(self._found, self.term))

    def _found(self, term: int, found: Mapping[str, Entry] | None, now: float) -> None:
        if term != self.term:
            return
        if found is None:
            self._again = True
            return
        self._asking, self.ready = False, True
        volume = self._volume
        if found[OWNER].revision != volume.epoch:
            volume.lease.deposed(now)
            return
        entry = found[self.key]
        # Swaps still on their way expect the revision known so far or an older one: past it, none of them can be made.
        self._certain = self._certain or entry.revision > self.revision
        self.revision = entry.revision
        if entry.revision:
            value = json.loads(entry.value)
            self.generation = int(value["generation"])
            self.copies = self._mask(value["in_sync"])
            self.holders = Holders(*(self._mask(value[key]) for key in ("copies", "blank", "retiring")))
            self.outside = bool(value.get("outside"))
            volume.hosts.session = max(volume.hosts.session, int(value.get("session", 0)))
        else:
            self.holders, self.outside = self._begun, bool(volume.alone)
        self._possible = self.copies | (0 if self._certain else self._possible)
        self._tell("the arbiters did not confirm it")
        volume.held(self.holders.members, now)
        if term == self.term:
            volume.looked(now)

    def _mask(self, names: list[str]) -> int:
        return sum(copy.bit for copy in self._volume.known if copy.array in names)

    def _names(self, mask: int) -> list[str]:
        return [copy.array for copy in self._volume.known if copy.bit & mask]

    def _tell(self, outcome: str) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(outcome)

    def put(self, copies: int, holders: Holders | None = None, then: Callable[[str], None] | None = None) -> None:
        """Change it; `Volume.recorded` follows when it is done, `Volume.looked` when it was not or is not known.

        Args:
            copies: mask of the copies that are in sync.
            holders: which arrays hold one from now on; None for those that do.
            then: called with "" when it is done, and with a sentence when it was not or is not known.
        """
        volume = self._volume
        asked = holders or self.holders
        told = Holders(asked.members, asked.blank & ~copies, asked.retiring)
        self._then = then
        self._asking, self.ready = True, False
        self._possible |= copies
        volume.flow.listed |= copies
        value = {
            "in_sync": self._names(copies),
            "generation": self.generation + 1,
            "copies": self._names(told.members),
            "blank": self._names(told.blank),
            "retiring": self._names(told.retiring),
        }
        expect = {OWNER: volume.epoch, self.key: self.revision}
        volume.store.swap(expect, {self.key: json.dumps(value)}, partial(self._swapped, self.term, copies, told))

    def _swapped(self, term: int, copies: int, holders: Holders, outcome: int, now: float) -> None:
        if term != self.term:
            return
        self._asking, self.ready = False, True
        if outcome in {REFUSED, UNKNOWN}:
            self._certain = False
            self.read()
            return
        self._certain = True
        self.revision, self.copies, self._possible = outcome, copies, copies
        self.holders = holders
        self.generation += 1
        self._tell("")
        self._volume.held(holders.members, now)
        if term == self.term:
            self._volume.recorded(now)

    def hand(self, then: Callable[[str], None], *, outside: bool) -> None:
        """Say who serves a stand-alone volume: its array (`outside`), or we, from the copy that it has there.

        The others are blank then. `Volume.reopen` follows, whatever comes of it: it starts from what the record says.

        Args:
            then: called with "" when it is done, and with a sentence when it was not or is not known.
            outside: whether it goes, or comes.
        """
        volume, term = self._volume, self.term
        only = self._mask([volume.alone])
        members = only if outside else self._begun.members
        value = {
            "in_sync": self._names(only),
            "generation": self.generation,  # none of ours: only an opening puts a copy in service
            "copies": self._names(members),
            "blank": self._names(members & ~only),
            "retiring": [],
            "outside": outside,
            "session": volume.hosts.session,  # the array is told of it, by whichever node is active then
        }

        def swapped(outcome: int, now: float) -> None:
            then("the arbiters did not confirm it" if outcome in {REFUSED, UNKNOWN} else "")
            if term == self.term:
                volume.reopen(now)

        expect = {OWNER: volume.epoch, self.key: self.revision}
        volume.store.swap(expect, {self.key: json.dumps(value)}, swapped)

    @property
    def listed(self) -> int:
        """Mask of the copies that it may name."""
        return self.copies | self._possible

    def settled(self, wanted: int) -> bool:
        """Whether it says this for certain."""
        return self._certain and self.copies == wanted

    def idle(self, wanted: int) -> bool:
        """Whether it says this for certain, and no question is on its way."""
        return not self._asking and self.settled(wanted)

    def want(self, wanted: int) -> None:
        """Make it say this, if it does not; only one question is on its way at a time."""
        if wanted and not self._asking and not self.settled(wanted):
            self.put(wanted)
