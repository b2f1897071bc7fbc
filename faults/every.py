"""A fault that comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from faults.composing import Clock, begin, end, seconds, steps_of
from lab.plan import PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Fault, Felt, Site
    from lab.plan import Plan

_TWO_MINUTES = timedelta(minutes=2)


@dataclass(frozen=True)
class Every:
    """A fault that comes back: `Every(CableCut("fibre-a"), each=4 * s, lasts=1 * s, times=3)`; the last one stays."""

    fault: Fault
    each: timedelta
    lasts: timedelta
    times: int = 3
    deadline: timedelta = _TWO_MINUTES

    @property
    def parts(self) -> tuple[Fault, ...]:
        """The one."""
        return (self.fault,)

    def lost(self, plan: Plan) -> frozenset[str]:
        """What it takes, each time.

        Raises:
            PlanError: it would have to last longer than the time between two.
        """
        if self.times < 1 or not timedelta() < self.lasts < self.each:
            raise PlanError("a fault that comes back does so at least once, and lasts less than from one to the next")
        return self.fault.lost(plan)

    def steps(self, plan: Plan) -> tuple[frozenset[str], ...]:
        """What it takes: the same each time."""
        self.lost(plan)
        return steps_of(self.fault, plan)

    def scope(self, plan: Plan) -> Scope:
        """The fault's own."""
        self.lost(plan)
        return self.fault.scope(plan)

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"{self.fault.french}, {self.times} fois, toutes les {seconds(self.each)}"

    def inject(self, lab: Site) -> None:
        """All but the last time it ends again.

        Raises:
            FaultNotFeltError: it was not felt each time, or the deadline passed.
        """
        clock = Clock.of(self.deadline)
        for turn in range(1, self.times):
            begin(self.fault, lab)
            clock.pause(self.lasts)
            end(self.fault, lab)
            clock.check(f"turn {turn} of {self.times} was over")
            clock.pause(self.each - self.lasts)
        begin(self.fault, lab)
        clock.check("the last turn began")

    def holds(self, lab: Site) -> Felt:
        """It bites now."""
        return self.fault.holds(lab)

    def heal(self, lab: Site) -> None:
        """For the last time."""
        self.fault.heal(lab)
