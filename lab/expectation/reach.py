"""Who is alive, and who can talk to whom on the servers network, once something is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan import NodeKind, UnknownNameError
from lab.plan.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from lab.plan import Plan

NETWORK = "servers"


class Reach:
    """The servers network after a loss.

    Switches are joined two by two, by a trunk in their place or a cable between places, and cable ports are
    isolated: nothing transits through a third switch.

    Args:
        plan: The plan.
        lost: Names of places, nodes, switches, cables or servers that are gone.

    Raises:
        UnknownNameError: A lost name is not in the plan.
    """

    def __init__(self, plan: Plan, lost: AbstractSet[str]) -> None:
        known = {*plan.places, *plan.nodes, *plan.switches, *plan.cables, *plan.servers}
        for name in sorted(lost - known):
            raise UnknownNameError(unknown("name", name, known))
        self._plan = plan
        self._lost = lost
        self._joined = {
            frozenset(cable.between)
            for cable in plan.cables.values()
            if cable.name not in lost and NETWORK in cable.carries
        }
        self.wards = [node.name for node in plan.nodes.values() if node.kind is NodeKind.WARD]

    def alive(self, node: str) -> bool:
        """Say whether a node still has power."""
        return node not in self._lost and self._plan.nodes[node].place not in self._lost

    def member_alive(self, server: str) -> bool:
        """Say whether a server and the host where it started are still there."""
        return server not in self._lost and self.alive(self._plan.host_of(server))

    def talk(self, a: str, b: str) -> bool:
        """Say whether two nodes can exchange packets on the servers network."""
        if not (self.alive(a) and self.alive(b)):
            return False
        return a == b or any(self._linked(s, t) for s in self._ports(a) for t in self._ports(b))

    def components(self, nodes: Iterable[str]) -> list[frozenset[str]]:
        """Give the groups of living nodes that can talk, traffic being relayed by any of the same nodes."""
        groups: list[frozenset[str]] = []
        for node in filter(self.alive, nodes):
            near = [group for group in groups if any(self.talk(node, other) for other in group)]
            groups = [group for group in groups if group not in near]
            groups.append(frozenset({node}).union(*near))
        return groups

    def _ports(self, node: str) -> list[str]:
        """Give the places of the living switches on which a node stands; two of one place are trunked."""
        on = (self._plan.switches[name] for name in self._plan.nodes[node].stands_on.get(NETWORK, ()))
        return [switch.place for switch in on if not self._lost & {switch.name, switch.place}]

    def _linked(self, a: str, b: str) -> bool:
        return a == b or frozenset((a, b)) in self._joined
