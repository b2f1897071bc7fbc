"""From a plan to wires: which interface stands for which cable, switch and node port. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations, count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.plan import Plan

_JUMBO, _ORDINARY = 9000, 1500


def largest(network: str) -> int:
    """Octets that a frame of this network carries at most.

    Large ones on the storage's, as in a machine room: a block with its header is one frame, which needs no
    acknowledgement of its own. Of several, the receiver's kernel acknowledges the second at once, through all switches.
    """
    return _JUMBO if network == "storage" else _ORDINARY


@dataclass(frozen=True)
class Strand:
    """One network on one cable between two switches: a veth pair with both ends in the fabric."""

    cable: str
    network: str
    switches: tuple[str, str]
    ends: tuple[str, str]

    def end_at(self, switch: str) -> str:
        """The interface on that switch's side."""
        return self.ends[self.switches.index(switch)]


@dataclass(frozen=True)
class NodePort:
    """A node's cable to a switch of its room: a veth pair with one end in the node."""

    node: str
    network: str
    switch: str
    outside: str
    inside: str

    @property
    def hardware(self) -> str:
        """The node's address on the wire: the same in each of its lives, as a network card's is.

        Another one would be unknown to its peers for as long as they trust what they knew of its last life: 8 to 50 s.
        """
        return f"02:{hashlib.sha256(f'{self.node}/{self.switch}'.encode()).digest()[:5].hex(':')}"


@dataclass(frozen=True)
class Layout:
    """Every interface of the fabric, named."""

    bridges: dict[str, str]
    strands: tuple[Strand, ...]
    ports: tuple[NodePort, ...]

    def strands_of(self, cable: str) -> tuple[Strand, ...]:
        """What a cable is made of."""
        return tuple(strand for strand in self.strands if strand.cable == cable)

    def ports_of(self, node: str) -> tuple[NodePort, ...]:
        """Where a node is plugged in."""
        return tuple(port for port in self.ports if port.node == node)

    def interfaces_of(self, switch: str) -> tuple[str, ...]:
        """Every port of a switch."""
        trunks = [strand.end_at(switch) for strand in self.strands if switch in strand.switches]
        return (*trunks, *(port.outside for port in self.ports if port.switch == switch))

    def firmware(self, switch: str) -> dict[str, object]:
        """What the switch's monitor must know: one group for each neighbour, in the order of the cables.

        The switch that comes first in the plan leads; a node that stands on two switches leads both.
        """
        order = list(self.bridges)
        groups: dict[str, list[str]] = {}
        for strand in self.strands:
            if switch in strand.switches:
                other = strand.switches[1 - strand.switches.index(switch)]
                groups.setdefault(other, []).append(strand.end_at(switch))
        told = [
            {"leads": order.index(switch) < order.index(other), "announce": False, "ports": ports}
            for other, ports in groups.items()
        ]
        doubled = [port for port in self.ports if port.switch == switch and self.is_doubled(port)]
        told += [{"leads": False, "announce": False, "ports": [port.outside]} for port in doubled]
        return {"bridge": self.bridges[switch], "groups": told}

    def node_firmware(self, node: str) -> list[dict[str, object]]:
        """What the firmware of a node must know: one instance for each network on which it stands on two switches."""
        doubled: dict[str, list[str]] = {}
        for port in self.ports_of(node):
            if self.is_doubled(port):
                doubled.setdefault(port.network, []).append(port.inside)
        return [
            {"bridge": f"br-{network}", "groups": [{"leads": True, "announce": True, "ports": ports}]}
            for network, ports in doubled.items()
        ]

    def is_doubled(self, port: NodePort) -> bool:
        """Whether the node stands on a second switch of the same network."""
        return sum(other.network == port.network for other in self.ports_of(port.node)) > 1


def lay_out(plan: Plan, nodes: Iterable[str]) -> Layout:
    """Name every wire of the plan, for those nodes that the lab builds."""
    bridges = {name: f"s{number}" for number, name in enumerate(plan.switches)}
    number = count(1)
    strands: list[Strand] = []
    for one, other in combinations(plan.switches.values(), 2):
        if one.network != other.network:
            continue
        if one.place == other.place:
            cables = [f"trunk-{one.network}-{one.place}"]
        else:
            cables = [
                cable.name for cable in plan.cables_between(one.place, other.place) if one.network in cable.carries
            ]
        for cable in cables:
            wire = next(number)
            strands.append(Strand(cable, one.network, (one.name, other.name), (f"c{wire}a", f"c{wire}b")))
    ports = [
        NodePort(node, network, switch, f"n{next(number)}", f"{network}{rank}")
        for node in nodes
        for network, switches in plan.nodes[node].stands_on.items()
        for rank, switch in enumerate(switches)
    ]
    return Layout(bridges, tuple(strands), tuple(ports))
