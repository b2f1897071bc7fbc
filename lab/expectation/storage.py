"""Who serves the volumes once something is lost, from which copies, and whose servers are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.expectation.lease import Lease, arrays_of
from lab.expectation.prediction import capital
from lab.expectation.reach import reaches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from lab.expectation.prediction import Cause
    from lab.expectation.reach import Reach
    from lab.plan import Plan


@dataclass(frozen=True)
class Storage:
    """The storage after a loss.

    Attributes:
        active: The virtualiser that serves; None when no virtualiser may.
        usual: The virtualiser that serves while nothing is lost; None in a plan without virtualisers.
        in_sync: The arrays with copies in sync that the active virtualiser reaches; it leaves the others behind.
        majority: The arbiters that still decide together; empty without a majority.
        frozen: By server whose host lives and whose volume is not served, why: it holds its I/O, without error.
        cause: Why the active virtualiser is the one, or why there is none.
    """

    active: str | None
    usual: str | None
    in_sync: tuple[str, ...]
    majority: tuple[str, ...]
    frozen: Mapping[str, Cause]
    cause: Cause

    @property
    def moved(self) -> bool:
        """Whether another virtualiser serves than while nothing is lost."""
        return self.active is not None and self.active != self.usual

    @property
    def is_partly_frozen(self) -> bool:
        """Whether servers wait for a volume that is served elsewhere: another host could take them over."""
        return self.active is not None and bool(self.frozen)

    @property
    def reason(self) -> str:
        """Who serves, and which servers are frozen, in one English sentence."""
        return "; ".join([self.cause.en, *(cause.en for cause in self.frozen.values())]) + "."

    @property
    def sentence_fr(self) -> str:
        """The same in French."""
        return capital(" ; ".join([self.cause.fr, *(cause.fr for cause in self.frozen.values())])) + "."


def storage(plan: Plan, *lost: AbstractSet[str], placement: Mapping[str, str] | None = None) -> Storage:
    """Derive which virtualiser serves, and what is frozen, when something is lost.

    All copies are in sync before. What one set holds is lost at once, each set after the one before: a copy that one
    step leaves behind cannot serve after the next. ``placement`` says where servers run that are no longer where they
    started.

    Raises:
        UnknownNameError: A lost name, or one of the placement, is not in the plan; the sentence lists the known ones.
    """
    return storage_after(plan, reaches(plan, lost, placement))


def storage_after(plan: Plan, steps: Sequence[Reach]) -> Storage:
    """Derive the state of the storage from who can talk to whom after each step."""
    lease = Lease(plan, steps[0], arrays_of(plan), None)
    for step in steps[1:]:
        lease = Lease(plan, step, lease.in_sync if lease.active else lease.fresh, lease.active)
    reach = steps[-1]
    hit = {volume.name: lease.why_frozen(volume) for volume in plan.volumes.values() if volume.size}
    frozen = {name: why for name, why in hit.items() if why and reach.member_alive(name)}
    cause = lease.why_nobody() if lease.active is None else lease.why_active(lease.active)
    return Storage(lease.active, lease.usual, lease.in_sync, lease.majority, frozen, cause)
