"""Machines that are neither dead nor well: those who watch them find nothing, those who use them do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.fabric import Way
from lab.faulting import Felt
from lab.impairments import HOLLOW
from lab.nodes import NodeError
from lab.plan import NodeKind, PlanError, Scope

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


@dataclass(frozen=True)
class Starved:
    """A machine gets next to no processor, as one does whose firmware saves power or whose neighbour takes all."""

    node: str
    percent: float = 1

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it answers, some time."""
        names = [node.name for node in plan.nodes.values() if node.kind is not NodeKind.WARD]
        known(self.node, names, "node of a room")
        if not 0 < self.percent < 100:  # noqa: PLR2004 - that is what percent means
            raise PlanError(f"a starved node has more than 0 and less than 100 % of a processor ({self.percent:g} %)")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"{self.node} réduit à {self.percent:g} % d'un processeur"

    def inject(self, lab: Site) -> None:
        """Limit its control group."""
        self.lost(lab.plan)
        lab.levers.straits.starve([self.node], self.percent / 100)

    def holds(self, lab: Site) -> Felt:
        """It may use that little, and wanted more."""
        if self.node not in lab.levers.nodes.nodes:
            return Felt(holds=False, detail=f"{self.node} is not played", detail_fr=f"{self.node} n'est pas joué")
        allowed, held = lab.levers.straits.allowed(self.node), lab.levers.straits.held_back(self.node)
        share = "all" if allowed is None else f"{100 * allowed:g} %"
        return Felt(
            allowed is not None and held > 0,
            f"{share} of a processor allowed, held back {held} times",
            f"processeur accordé : {'tout' if allowed is None else share} ; retenu {held} fois",
        )

    def heal(self, lab: Site) -> None:
        """Give it all it wants."""
        lab.levers.straits.feed([self.node])


@dataclass(frozen=True)
class FullDisk:
    """A server's disk has no space left: whoever filled it, it was not the record."""

    server: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The server, as far as writing goes."""
        return frozenset([known(self.server, [name for name in plan.servers if plan.volumes[name].size], "server")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Disque du serveur {self.server} plein"

    def inject(self, lab: Site) -> None:
        """Put a file there that takes all of it."""
        self.lost(lab.plan)
        lab.levers.straits.fill(self.server)

    def holds(self, lab: Site) -> Felt:
        """Not one block is free."""
        try:
            left = lab.levers.straits.space(self.server)
        except NodeError as error:
            return Felt(holds=False, detail=str(error), detail_fr=str(error))
        return Felt(left == 0, f"{left} bytes free", f"octets libres : {left}")

    def heal(self, lab: Site) -> None:
        """Take the file away."""
        lab.levers.straits.empty([self.server])
