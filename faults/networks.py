"""One network parted between two places, while the others go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.plan import PlanError, Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class NetworkCut:
    """Every strand of one network between two places is cut: `NetworkCut("storage", "salle-1", "salle-2")`."""

    network: str
    one: str
    other: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """That network on each cable between the two, written `cable/network`."""
        known(self.network, plan.networks, "network")
        for place in (self.one, self.other):
            known(place, plan.places, "room or site")
        cables = [c.name for c in plan.cables_between(self.one, self.other) if self.network in c.carries]
        if not cables:
            raise PlanError(f"no cable between {self.one} and {self.other} carries {self.network}")
        return frozenset(f"{cable}/{self.network}" for cable in cables)

    def scope(self, plan: Plan) -> Scope:
        """A room's: two rooms are parted."""
        self.lost(plan)
        return Scope.A_ROOM

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Coupure du réseau {self.network} entre {self.one} et {self.other}"

    def _ends(self, lab: Site) -> tuple[str, ...]:
        cut = self.lost(lab.plan)
        strands = lab.levers.layout.strands
        return tuple(end for strand in strands if f"{strand.cable}/{strand.network}" in cut for end in strand.ends)

    def inject(self, lab: Site) -> None:
        """Both ends of every strand lose their carrier, in one message."""
        lab.levers.unplug(self._ends(lab))

    def holds(self, lab: Site) -> Felt:
        """No end is lit, and nothing came through since."""
        ends = self._ends(lab)
        links = lab.levers.fabric.links()
        lit = [name for name in ends if links[name].carrier]
        through = lab.arrivals(ends)
        return Felt(
            not lit and not through,
            f"{len(lit)} of {len(ends)} ends lit, {through} packets through since",
            f"extrémités avec porteuse : {len(lit)} sur {len(ends)} ; paquets passés depuis la panne : {through}",
        )

    def heal(self, lab: Site) -> None:
        """Splice."""
        lab.levers.plug(self._ends(lab))


@dataclass(frozen=True)
class PortLoss:
    """A node loses its ports on one network: `PortLoss("esx-11", "storage")`; with a switch named, only that one."""

    node: str
    network: str
    switch: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """The node's ports, written `node/switch`."""
        node = plan.nodes[known(self.node, plan.nodes, "node")]
        switches = node.stands_on[known(self.network, node.stands_on, f"network of {self.node}")]
        chosen = switches if self.switch is None else (known(self.switch, switches, f"switch of {self.node}"),)
        return frozenset(f"{self.node}/{switch}" for switch in chosen)

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        where = f" vers {self.switch}" if self.switch else ""
        return f"Perte du raccordement de {self.node} au réseau {self.network}{where}"

    def _ports(self, lab: Site) -> tuple[str, ...]:
        cut = self.lost(lab.plan)
        ports = lab.levers.layout.ports_of(self.node)
        return tuple(port.outside for port in ports if f"{port.node}/{port.switch}" in cut)

    def inject(self, lab: Site) -> None:
        """Pull the plugs."""
        lab.levers.unplug(self._ports(lab))

    def holds(self, lab: Site) -> Felt:
        """None of the ports is lit."""
        ports = self._ports(lab)
        links = lab.levers.fabric.links()
        lit = [name for name in ports if name in links and links[name].carrier]
        return Felt(
            bool(ports) and not lit,
            f"{len(lit)} of {len(ports)} ports lit",
            f"ports avec porteuse : {len(lit)} sur {len(ports)}",
        )

    def heal(self, lab: Site) -> None:
        """Plug in."""
        lab.levers.plug(self._ports(lab))
