"""Faults one after the other, all of which hold together at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.composing import begin, steps_of
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Fault, Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Then:
    """Faults in this order, each felt before the next; healed in the opposite order.

    Args:
        faults: at least one.
        scope_is: whose objective applies.
    """

    faults: tuple[Fault, ...]
    scope_is: Scope

    def __init__(self, *faults: Fault, scope: Scope = Scope.COMMON_MODE) -> None:
        object.__setattr__(self, "faults", faults)
        object.__setattr__(self, "scope_is", scope)

    @property
    def parts(self) -> tuple[Fault, ...]:
        """The faults."""
        return self.faults

    def lost(self, plan: Plan) -> frozenset[str]:
        """All that each of them takes."""
        return frozenset().union(*self.steps(plan))

    def steps(self, plan: Plan) -> tuple[frozenset[str], ...]:
        """What each of them takes."""
        return tuple(step for fault in self.faults for step in steps_of(fault, plan))

    def scope(self, plan: Plan) -> Scope:
        """What was said."""
        self.lost(plan)
        return self.scope_is

    @property
    def french(self) -> str:
        """What the report calls it."""
        return ", puis ".join(fault.french for fault in self.faults)

    def inject(self, lab: Site) -> None:
        """One after the other.

        Raises:
            FaultNotFeltError: one of them was not felt before the next was due.
        """
        for fault in self.faults:
            begin(fault, lab)

    def holds(self, lab: Site) -> Felt:
        """Each of them still bites."""
        felt = [fault.holds(lab) for fault in self.faults]
        return Felt(
            all(one.holds for one in felt),
            "; ".join(one.detail for one in felt),
            " ; ".join(one.detail_fr for one in felt),
        )

    def heal(self, lab: Site) -> None:
        """The last first."""
        for fault in reversed(self.faults):
            fault.heal(lab)
