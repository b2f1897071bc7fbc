"""Which node is active: a lease in the arbiters' store, kept by beating, taken when the beats stop."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from .store import BEAT, CHARGE, OWNER, REFUSED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .store import Entry, Store

# Seconds. Every owner stops by itself before a standby may take it; the margin is for clocks that run at different
# speeds. The loss of the arbiters' leader costs 0.86 s (see `..arbiter`), which must not cost a lease.
EVERY = 0.25
VALID = 1.6
SILENT, SILENT_OTHER = 1.8, 2.1  # beats stopped: the node of the preferred room has a head start
RELEASED, RELEASED_OTHER = 0.0, 0.3
NEVER = float("-inf")


class Lease:
    """The lease, seen from one node.

    Args:
        node: its name.
        preferred: whether it stands in the preferred room.
        store: the arbiters.
        taken: called when this node has become active, with the epoch.
        dropped: called when it is not any more, with the reason.
        room: where the node stands, if only the room in charge may serve; "" where either may.

    Attributes:
        epoch: the revision at which it was taken; 0 while this node does not hold it.
        until: when it runs out; nothing is answered to a host afterwards.
        holder: name of the owner as last seen, "" for none.
        in_charge: whether its room may serve, as last seen.
    """

    def __init__(  # noqa: PLR0913 - the parts of its world, each named
        self,
        node: str,
        *,
        preferred: bool,
        store: Store,
        taken: Callable[[int, float], None],
        dropped: Callable[[str, float], None],
        room: str = "",
    ) -> None:
        self._room = room
        self.in_charge = preferred or not room
        self._node = node
        self._preferred = preferred
        self._store = store
        self._taken = taken
        self._dropped = dropped
        self.epoch = 0
        self.until = NEVER
        self.holder = ""
        self._asking = False
        self._next = NEVER
        self._not_before = NEVER
        self._seen: tuple[int, int] | None = None
        self._seen_at = NEVER

    def willing(self, now: float) -> bool:
        """Whether this node would take it."""
        return not self.epoch and now >= self._not_before

    def tick(self, now: float) -> None:
        """Beat, or look whether the owner does."""
        if self._asking or now < self._next:
            return
        if self.epoch:
            self._asking, self._next = True, now + EVERY
            self._store.swap({OWNER: self.epoch}, {BEAT: self._node}, partial(self._renewed, self.epoch, now))
        elif self.willing(now):
            self._asking, self._next = True, now + EVERY
            self._store.read((OWNER, BEAT, CHARGE) if self._room else (OWNER, BEAT), self._looked)

    def _renewed(self, epoch: int, sent: float, outcome: int, now: float) -> None:
        self._asking = False
        if epoch != self.epoch:
            return
        if outcome == REFUSED:
            self.deposed(now)
        elif outcome == UNKNOWN:
            self._next = now
        else:
            self.until = sent + VALID

    def _looked(self, found: Mapping[str, Entry] | None, now: float) -> None:
        self._asking = False
        if found is None:
            return
        owner, beat = found[OWNER], found[BEAT]
        if (owner.revision, beat.revision) != self._seen:
            self._seen, self._seen_at = (owner.revision, beat.revision), now
        self.holder = (json.loads(owner.value)["node"] or "") if owner.revision else ""
        if self._room:
            charge = found[CHARGE]
            self.in_charge = charge.value == self._room if charge.revision else self._preferred
            if not self.in_charge:
                return
        due = self._seen_at + self._patience()
        if now >= due:
            self._take(owner.revision, beat.revision, now)
        else:
            self._next = min(self._next, due)

    def _patience(self) -> float:
        """Seconds that the keys must have stood still."""
        if self.holder == self._node:  # an earlier life of this node: it is dead, or its taking was not confirmed
            return 0.0
        if self.holder:
            return SILENT if self._preferred else SILENT_OTHER
        return RELEASED if self._preferred else RELEASED_OTHER

    def _take(self, owner: int, beat: int, now: float) -> None:
        self._asking = True
        put = {OWNER: json.dumps({"node": self._node}), BEAT: self._node}
        self._store.swap({OWNER: owner, BEAT: beat}, put, partial(self._took, now))

    def _took(self, sent: float, outcome: int, now: float) -> None:
        self._asking = False
        if outcome in {REFUSED, UNKNOWN} or now < self._not_before:
            return
        self.epoch, self.until, self.holder = outcome, sent + VALID, self._node
        self._next = sent + EVERY
        self._taken(outcome, now)

    def deposed(self, now: float) -> None:
        """Another node has it."""
        self._drop("another node took the lease", now)

    def release(self, now: float, reason: str, pause: float) -> None:
        """Stop serving, then let another node have it at once; do not take it for `pause` seconds."""
        epoch, self._not_before = self.epoch, now + pause
        if epoch:
            self._drop(reason, now)
            put = {OWNER: json.dumps({"node": None}), BEAT: self._node}
            self._store.swap({OWNER: epoch}, put, lambda _outcome, _now: None)

    def _drop(self, reason: str, now: float) -> None:
        if self.epoch:
            self.epoch, self.until, self.holder = 0, NEVER, ""
            self._seen = None
            self._dropped(reason, now)
