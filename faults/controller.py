"""What taught the hospital to want a third room: one bug in both storage controllers."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
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
        names = _virtualisers(plan)
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


@dataclass(frozen=True)
class PlannedStop:
    """A virtualiser node is stopped for maintenance: it hands over before it goes."""

    node: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The node."""
        return frozenset([known(self.node, _virtualisers(plan), "virtualiser")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Arrêt programmé du contrôleur {self.node}"

    def inject(self, lab: Site) -> None:
        """Ask the program to end, and keep it stopped."""
        self.lost(lab.plan)
        lab.levers.crash([self.node], _PROGRAM, signal.SIGTERM)

    def holds(self, lab: Site) -> Felt:
        """Its program does not answer, and the node has power."""
        answers, has_power = _answers(lab, self.node), lab.levers.nodes.is_on(self.node)
        return Felt(
            has_power and not answers,
            f"{self.node} {'has' if has_power else 'has no'} power, its program {'runs' if answers else 'is stopped'}",
            f"{self.node} {'sous tension' if has_power else 'hors tension'}, "
            f"programme {'en marche' if answers else 'arrêté'}",
        )

    def heal(self, lab: Site) -> None:
        """Start it again."""
        lab.levers.cure([f"{self.node}:{_PROGRAM}"])


def _virtualisers(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]


def _answers(lab: Site, node: str) -> bool:
    try:
        lab.levers.nodes.ask(node, "virtualiser")
    except NodeError:
        return False
    return True
