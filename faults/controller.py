"""What taught the hospital to want a third room: one bug in both storage controllers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.faulting import Felt
from lab.nodes import NodeError
from lab.plan import NodeKind, PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan

_PROGRAM = "replica.virtualiser"


@dataclass(frozen=True)
class ControllerBug:
    """The program of every virtualiser node crashes, and crashes again at each restart: no redundancy helps."""

    def _nodes(self, plan: Plan) -> list[str]:
        names = [node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]
        if not names:
            raise PlanError(f"plan {plan.name} has no virtualiser: a bug of its controllers cannot be played")
        return names

    def lost(self, plan: Plan) -> frozenset[str]:
        """Every virtualiser node."""
        return frozenset(self._nodes(plan))

    def scope(self, plan: Plan) -> Scope:
        """A common mode: what it breaks stands in both rooms."""
        self._nodes(plan)
        return Scope.COMMON_MODE

    @property
    def french(self) -> str:
        """What the report calls it."""
        return "Défaut logiciel commun aux contrôleurs de stockage"

    def inject(self, lab: Site) -> None:
        """Kill the program in every node, and let each restart die as well."""
        lab.levers.crash(self._nodes(lab.plan), _PROGRAM)

    def holds(self, lab: Site) -> Felt:
        """No virtualiser answers."""
        nodes = self._nodes(lab.plan)
        alive = [node for node in nodes if _answers(lab, node)]
        return Felt(
            not alive,
            f"{len(alive)} of {len(nodes)} virtualiser programs answer",
            f"contrôleurs qui répondent : {len(alive)} sur {len(nodes)}",
        )

    def heal(self, lab: Site) -> None:
        """Load a version without the bug; the nodes start it."""
        lab.levers.cure([f"{node}:{_PROGRAM}" for node in self._nodes(lab.plan)])


def _answers(lab: Site, node: str) -> bool:
    try:
        lab.levers.nodes.ask(node, "virtualiser")
    except NodeError:
        return False
    return True
