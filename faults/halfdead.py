"""A switch that those who watch it find well, and those who use it do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.fabric import Way
from lab.faulting import Felt
from lab.impairments import HOLLOW
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan

_FRAMES = 10


@dataclass(frozen=True)
class HalfDeadSwitch:
    """A switch whose monitor lives and whose ports are lit forwards nothing: its hellos pass, and nothing else."""

    switch: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The switch: what forwards nothing is no better than what is dead."""
        return frozenset([known(self.switch, plan.switches, "switch")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Commutateur {self.switch} à moitié mort (surveillance vivante, trafic jeté)"

    def _gates(self, lab: Site) -> list[str]:
        self.lost(lab.plan)
        return [f"{name} in" for name in lab.levers.layout.interfaces_of(self.switch)]

    def inject(self, lab: Site) -> None:
        """Drop all that comes in but hellos; the kernel ends it if nobody does."""
        lab.levers.wires.hollow(self._gates(lab), lab.longest_hold)

    def holds(self, lab: Site) -> Felt:
        """None of our own frames comes in from another switch, nor anybody else's since; the monitor is alive."""
        ends = [(s.end_at(self.switch), s.ends) for s in lab.levers.layout.strands if self.switch in s.switches]
        into = [Way(one if here == other else other, here) for here, (one, other) in ends]
        through = lab.arrivals(tuple(here for here, _ in ends))
        through += sum(lab.levers.wires.cross(way, _FRAMES).received for way in into)
        dropped = sum(lab.levers.wires.dropped(HOLLOW, self._gates(lab)))
        runs = lab.levers.firmware_runs(self.switch)
        return Felt(
            bool(dropped) and not through and runs,
            f"{dropped} packets swallowed, {through} through since, firmware {'alive' if runs else 'dead'}",
            f"paquets avalés : {dropped}, passés : {through} ; micrologiciel {'en marche' if runs else 'arrêté'}",
        )

    def heal(self, lab: Site) -> None:
        """Forward again."""
        lab.levers.wires.fill(self._gates(lab))
