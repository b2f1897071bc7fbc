"""A wire that stays lit and loses some of what it carries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.wires import checked, french, ways
from lab.faulting import Felt
from lab.impairments import LOSS
from lab.plan import PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Loss:
    """A cable or a port loses frames by chance, both ways or towards one end: `Loss("fibre-a", 20)`."""

    wire: str
    percent: float
    towards: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it carries most of it."""
        checked(plan, self.wire, self.towards)
        if not 0 < self.percent < 100:  # noqa: PLR2004 - that is what percent means
            raise PlanError(f"a wire loses more than 0 and less than 100 % ({self.percent:g} %): a Blackhole loses all")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Perte de {self.percent:g} % des paquets, {french(self.wire, self.towards)}"

    def inject(self, lab: Site) -> None:
        """Drop that share; the kernel ends it if nobody does."""
        self.lost(lab.plan)
        lab.levers.wires.lose(ways(lab, self.wire, self.towards), self.percent / 100, lab.longest_hold)

    def holds(self, lab: Site) -> Felt:
        """Frames of our own get lost on every way, and not all of them; those of everybody are counted."""
        frames = math.ceil(700 / self.percent)  # none of them lost once in a thousand times
        named = ways(lab, self.wire, self.towards)
        crossed = [lab.levers.wires.cross(way, frames) for way in named]
        lost, sent = sum(one.lost for one in crossed), sum(one.sent for one in crossed)
        dropped = sum(lab.levers.wires.dropped(LOSS, [way.gate for way in named]))
        return Felt(
            all(one.lost and one.received for one in crossed),
            f"{lost} of {sent} frames sent through were lost, {dropped} dropped in all",
            f"trames envoyées : {sent}, perdues : {lost} ; rejetées en tout : {dropped}",
        )

    def heal(self, lab: Site) -> None:
        """Lose nothing any more."""
        lab.levers.wires.keep(way.gate for way in ways(lab, self.wire, self.towards))
