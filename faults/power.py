"""Loss of electrical power: silent for those outside, and forgetful."""

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
class PowerLoss:
    """The power of a node or of a whole room goes: no FIN, no goodbye, nothing that was not flushed is kept."""

    target: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The node or the room."""
        return frozenset([known(self.target, [*plan.nodes, *plan.rooms], "node or room")])

    def scope(self, plan: Plan) -> Scope:
        """A room's objective for a room, a component's for a node."""
        return Scope.A_ROOM if self.target in plan.rooms else Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Coupure électrique de {self.target}"

    def _parts(self, plan: Plan) -> tuple[list[str], list[str]]:
        self.lost(plan)
        if self.target not in plan.rooms:
            return [self.target], []
        place = plan.places[self.target]
        return list(place.nodes), [name for names in place.switches.values() for name in names]

    def inject(self, lab: Site) -> None:
        """Ports down in one message, then freeze, kill, thaw."""
        nodes, switches = self._parts(lab.plan)
        lab.levers.power_off(nodes, switches)

    def holds(self, lab: Site) -> Felt:
        """No process of its nodes lives, no port of its switches is lit, no monitor runs."""
        nodes, switches = self._parts(lab.plan)
        levers = lab.levers
        built = [name for name in nodes if name in levers.nodes.nodes]
        alive = [name for name in built if levers.nodes.is_on(name)]
        alive += [name for name in switches if levers.firmware_runs(name)]
        links = levers.fabric.links()
        ports = [port.outside for node in built for port in levers.layout.ports_of(node)]
        ports += [name for switch in switches for name in levers.layout.interfaces_of(switch)]
        lit = [name for name in ports if name in links and links[name].carrier]
        dark = f"{len(built)} nodes and {len(switches)} switches"
        return Felt(
            bool(built or switches) and not alive and not lit,
            f"{dark}: {len(alive)} alive, {len(lit)} of {len(ports)} ports lit",
            f"machines : {len(built)}, commutateurs : {len(switches)} ; en marche : {len(alive)} ; "
            f"ports avec porteuse : {len(lit)} sur {len(ports)}",
        )

    def heal(self, lab: Site) -> None:
        """Power back; the machines boot."""
        lab.levers.power_on(*self._parts(lab.plan))


@dataclass(frozen=True)
class SwitchLoss:
    """A switch dies: its ports go dark and its firmware with it."""

    switch: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The switch."""
        return frozenset([known(self.switch, plan.switches, "switch")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Panne du commutateur {self.switch}"

    def inject(self, lab: Site) -> None:
        """All ports down in one message; the firmware is killed."""
        self.lost(lab.plan)
        lab.levers.power_off(switches=[self.switch])

    def holds(self, lab: Site) -> Felt:
        """None of its ports is lit and its firmware is dead."""
        ports = lab.levers.layout.interfaces_of(self.switch)
        links = lab.levers.fabric.links()
        lit = [name for name in ports if name in links and links[name].carrier]
        runs = lab.levers.firmware_runs(self.switch)
        return Felt(
            not lit and not runs,
            f"{len(lit)} of {len(ports)} ports lit, firmware {'alive' if runs else 'dead'}",
            f"ports avec porteuse : {len(lit)} sur {len(ports)} ; micrologiciel {'en marche' if runs else 'arrêté'}",
        )

    def heal(self, lab: Site) -> None:
        """Power back."""
        lab.levers.power_on(switches=[self.switch])
