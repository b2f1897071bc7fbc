"""A machine that restarts: its power goes and comes back at once, before anybody declares it dead."""

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
class Reboot:
    """A node loses its power and has it back as soon as it is dead."""

    node: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The node: what ran there starts anew."""
        names = [node.name for node in plan.nodes.values() if node.kind is not NodeKind.WARD]
        return frozenset([known(self.node, names, "node of a room")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Redémarrage de {self.node}"

    def inject(self, lab: Site) -> None:
        """Power off, power on."""
        self.lost(lab.plan)
        lab.levers.reboot(self.node)

    def holds(self, lab: Site) -> Felt:
        """It has power, and its first process is another one than before."""
        before, now = lab.levers.lives(self.node)
        has_power = lab.levers.nodes.is_on(self.node)
        return Felt(
            has_power and before not in {0, now},
            f"{self.node} {'has' if has_power else 'has no'} power, first process {before} before, {now} now",
            f"{self.node} {'sous' if has_power else 'hors'} tension, premier processus {before} avant, {now} après",
        )

    def heal(self, lab: Site) -> None:
        """Nothing is left to mend, unless it was cut short in the middle."""
        lab.levers.power_on([self.node])
        lab.levers.forget_lives(self.node)
