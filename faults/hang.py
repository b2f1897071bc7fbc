"""A node that hangs: powered, its ports lit, its network stack answering, and none of its programs running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.plan import NodeKind, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Hang:
    """A node freezes, as a wedged controller does: it takes packets, and answers nothing."""

    node: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The node: what answers nothing is no better than what is dead."""
        names = [node.name for node in plan.nodes.values() if node.kind is not NodeKind.WARD]
        return frozenset([known(self.node, names, "node of a room")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Blocage de {self.node} (sous tension, ne répond plus)"

    def inject(self, lab: Site) -> None:
        """Freeze all of its processes."""
        self.lost(lab.plan)
        lab.levers.hang([self.node])

    def holds(self, lab: Site) -> Felt:
        """It has power, and is frozen."""
        nodes = lab.levers.nodes
        has_power, frozen = nodes.is_on(self.node), nodes.is_frozen(self.node)
        return Felt(
            has_power and frozen,
            f"{self.node} {'has' if has_power else 'has no'} power and is {'frozen' if frozen else 'running'}",
            f"{self.node} {'sous tension' if has_power else 'hors tension'}, "
            f"programmes {'figés' if frozen else 'en marche'}",
        )

    def heal(self, lab: Site) -> None:
        """Let it run on where it stopped."""
        lab.levers.wake([self.node])
