"""A machine or a room that lives and is cut off from everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Isolation:
    """A node loses every port, or a room every cable that leaves it: what is inside runs on, alone."""

    target: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The ports of a node, written `node/switch`, or the cables of a room."""
        known(self.target, [*plan.nodes, *plan.rooms], "node or room")
        if self.target in plan.rooms:
            return frozenset(cable.name for cable in plan.cables.values() if self.target in cable.between)
        on = plan.nodes[self.target].stands_on.values()
        return frozenset(f"{self.target}/{switch}" for switches in on for switch in switches)

    def scope(self, plan: Plan) -> Scope:
        """A room's objective for a room, a component's for a node."""
        self.lost(plan)
        return Scope.A_ROOM if self.target in plan.rooms else Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Isolement complet de {self.target}"

    def _wires(self, lab: Site) -> tuple[str, ...]:
        cut, layout = self.lost(lab.plan), lab.levers.layout
        if self.target in lab.plan.rooms:
            return tuple(end for strand in layout.strands if strand.cable in cut for end in strand.ends)
        return tuple(port.outside for port in layout.ports_of(self.target))

    def inject(self, lab: Site) -> None:
        """Pull all plugs, in one message."""
        lab.levers.unplug(self._wires(lab))

    def holds(self, lab: Site) -> Felt:
        """None of the wires is lit, and what it isolates has power."""
        wires, links = self._wires(lab), lab.levers.fabric.links()
        lit = [name for name in wires if name in links and links[name].carrier]
        return Felt(
            bool(wires) and not lit,
            f"{len(lit)} of {len(wires)} wires lit",
            f"liaisons avec porteuse : {len(lit)} sur {len(wires)}",
        )

    def heal(self, lab: Site) -> None:
        """Plug in again."""
        lab.levers.plug(self._wires(lab))
