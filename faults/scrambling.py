"""Wires that deliver twice, or in another order; only kernels with netem can play them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.wires import checked, french, ways
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Duplication:
    """A cable or a port delivers a share of its frames twice."""

    wire: str
    percent: float
    towards: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing."""
        checked(plan, self.wire, self.towards)
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"{self.percent:g} % des paquets en double, {french(self.wire, self.towards)}"

    def inject(self, lab: Site) -> None:
        """Let netem double that share."""
        lab.levers.wires.scramble(ways(lab, self.wire, self.towards), duplicate=self.percent / 100)

    def holds(self, lab: Site) -> Felt:
        """Frames of our own arrive twice on every way."""
        crossed = [lab.levers.wires.cross(way, 1000) for way in ways(lab, self.wire, self.towards)]
        twice, sent = sum(one.twice for one in crossed), sum(one.sent for one in crossed)
        fr = f"trames envoyées : {sent}, reçues deux fois : {twice}"
        return Felt(all(one.twice for one in crossed), f"{twice} of {sent} frames came twice", fr)

    def heal(self, lab: Site) -> None:
        """Deliver once."""
        lab.levers.wires.free(way.source for way in ways(lab, self.wire, self.towards))


@dataclass(frozen=True)
class Reordering:
    """A cable or a port lets a share of its frames overtake the others, which are 5 ms late."""

    wire: str
    percent: float
    towards: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing."""
        checked(plan, self.wire, self.towards)
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"{self.percent:g} % des paquets en désordre, {french(self.wire, self.towards)}"

    def inject(self, lab: Site) -> None:
        """Let netem send that share ahead of the others."""
        lab.levers.wires.scramble(ways(lab, self.wire, self.towards), reorder=self.percent / 100)

    def holds(self, lab: Site) -> Felt:
        """Frames of our own arrive after some that left later, on every way."""
        crossed = [lab.levers.wires.cross(way, 1000) for way in ways(lab, self.wire, self.towards)]
        wild, sent = sum(one.disordered for one in crossed), sum(one.sent for one in crossed)
        fr = f"trames envoyées : {sent}, reçues en désordre : {wild}"
        return Felt(all(one.disordered for one in crossed), f"{wild} of {sent} frames came out of order", fr)

    def heal(self, lab: Site) -> None:
        """Deliver in order."""
        lab.levers.wires.free(way.source for way in ways(lab, self.wire, self.towards))
