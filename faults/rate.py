"""A wire with less room than it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.wires import checked, french, ways
from lab.faulting import Felt
from lab.plan import PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan

_MEGABIT = 1e6
_SURPLUS = 1.5
"""What may come through above the rate: the first octets after a pause go out at once."""


@dataclass(frozen=True)
class Rate:
    """A cable or a port carries no more than so many Mbit/s, each way: `Rate("fibre-a", 10)`."""

    wire: str
    megabits: float
    towards: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it carries some."""
        checked(plan, self.wire, self.towards)
        if self.megabits <= 0:
            raise PlanError(f"a rate is more than 0 Mbit/s ({self.megabits:g}): a Blackhole carries nothing")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Débit limité à {self.megabits:g} Mbit/s, {french(self.wire, self.towards)}"

    def inject(self, lab: Site) -> None:
        """Put a narrow queue before the wire."""
        self.lost(lab.plan)
        lab.levers.wires.limit(ways(lab, self.wire, self.towards), self.megabits * _MEGABIT)

    def holds(self, lab: Site) -> Felt:
        """As much as we can send comes through no faster on any way, and not at naught."""
        seen = [lab.levers.wires.flood(way).rate / _MEGABIT for way in ways(lab, self.wire, self.towards)]
        most = max(seen, default=0.0)
        return Felt(
            0 < most <= _SURPLUS * self.megabits,
            f"{most:.1f} Mbit/s came through at most",
            f"débit mesuré : {most:.1f} Mbit/s au plus".replace(".", ","),
        )

    def heal(self, lab: Site) -> None:
        """Give it its room back."""
        lab.levers.wires.free(way.source for way in ways(lab, self.wire, self.towards))
