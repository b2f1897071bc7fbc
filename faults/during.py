"""A fault that strikes while another holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from faults.composing import Clock, begin, end, seconds, steps_of
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Fault, Site
    from lab.plan import Plan

_HALF_MINUTE = timedelta(seconds=30)


@dataclass(frozen=True)
class During:
    """While one fault holds, another begins `after` so long; with `lasts` it ends before the first one does.

    Not in time by the deadline, the scenario is inconclusive: it was not the one that was asked for.
    """

    outer: Fault
    inner: Fault
    after: timedelta = timedelta()
    lasts: timedelta | None = None
    scope_is: Scope = Scope.COMMON_MODE
    deadline: timedelta = _HALF_MINUTE

    @property
    def parts(self) -> tuple[Fault, ...]:
        """Both."""
        return self.outer, self.inner

    def lost(self, plan: Plan) -> frozenset[str]:
        """What both take."""
        return frozenset().union(*self.steps(plan))

    def steps(self, plan: Plan) -> tuple[frozenset[str], ...]:
        """The outer's, then the inner's: the worst that there is meanwhile."""
        return *steps_of(self.outer, plan), *steps_of(self.inner, plan)

    def scope(self, plan: Plan) -> Scope:
        """What was said."""
        self.lost(plan)
        return self.scope_is

    @property
    def french(self) -> str:
        """What the report calls it."""
        lasts = "" if self.lasts is None else f" (durée : {seconds(self.lasts)})"
        return f"{self.outer.french}, et pendant ce temps, après {seconds(self.after)} : {self.inner.french}{lasts}"

    def inject(self, lab: Site) -> None:
        """The outer, then the inner, which may be over when this returns.

        Raises:
            FaultNotFeltError: one was not felt, or the deadline passed.
        """
        clock = Clock.of(self.deadline)
        begin(self.outer, lab)
        clock.pause(self.after)
        clock.check(f"{self.inner} began")
        begin(self.inner, lab)
        if self.lasts is not None:
            clock.pause(self.lasts)
            end(self.inner, lab)
        clock.check("the last of them was over" if self.lasts is not None else "both held")

    def holds(self, lab: Site) -> Felt:
        """The outer still bites, and the inner too, unless it was to end."""
        outer, inner = self.outer.holds(lab), self.inner.holds(lab)
        return Felt(
            outer.holds and (self.lasts is not None or inner.holds),
            f"{outer.detail}; {inner.detail}",
            f"{outer.detail_fr} ; {inner.detail_fr}",
        )

    def heal(self, lab: Site) -> None:
        """The inner first."""
        self.inner.heal(lab)
        self.outer.heal(lab)
