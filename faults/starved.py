"""A machine that is neither dead nor well: it gets its turn far too seldom, or has no memory left to work in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.plan import NodeKind, PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


def _node(plan: Plan, name: str) -> str:
    return known(name, [node.name for node in plan.nodes.values() if node.kind is not NodeKind.WARD], "node of a room")


@dataclass(frozen=True)
class Starved:
    """A machine gets next to no processor, as one does whose firmware saves power or whose neighbour takes all."""

    node: str
    percent: float = 1

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it answers, some time."""
        _node(plan, self.node)
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
class MemoryPressure:
    """A program takes all memory that a machine has left, and asks for more: whoever needs some waits."""

    node: str
    spare_mib: int = 16

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it answers, some time."""
        _node(plan, self.node)
        if self.spare_mib < 1:
            raise PlanError(f"the program needs a mebibyte to start in ({self.spare_mib} MiB)")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"{self.node} à court de mémoire ({self.spare_mib} Mio de reste)"

    def inject(self, lab: Site) -> None:
        """Limit its control group to what it uses and a little, and start the program that takes this little."""
        self.lost(lab.plan)
        lab.levers.straits.squeeze([self.node], self.spare_mib << 20)

    def holds(self, lab: Site) -> Felt:
        """It may use no more, and reached that limit, as the kernel counts."""
        if self.node not in lab.levers.nodes.nodes:
            return Felt(holds=False, detail=f"{self.node} is not played", detail_fr=f"{self.node} n'est pas joué")
        allowed, reached = lab.levers.straits.memory_of(self.node)
        size = "all" if allowed is None else f"{allowed >> 20} MiB"
        return Felt(
            allowed is not None and reached > 0,
            f"{size} of memory allowed, reached {reached} times",
            f"mémoire accordée : {'toute' if allowed is None else size.replace('MiB', 'Mio')} ; "
            f"limite atteinte {reached} fois",
        )

    def heal(self, lab: Site) -> None:
        """End that program, and give the machine all it wants."""
        lab.levers.straits.relax([self.node])
