"""Who is alive, and who can talk to whom on each network, once something is lost."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause
from lab.plan import IsolationResponse, NodeKind, UnknownNameError
from lab.plan.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from lab.plan import Plan

SERVERS, STORAGE, MANAGEMENT = "servers", "storage", "management"


class Reach:
    """The networks after a loss.

    Switches are joined two by two, by a trunk in their place or a cable between places, and cable ports are
    isolated: nothing transits through a third switch.

    Args:
        plan: The plan.
        lost: What is gone: names of places, nodes, switches, cables or servers; ``fibre-a/storage`` for one network
            of a cable, ``esx-11/sw-storage-1`` for the port of a node on a switch, ``imagerie/esx-21`` for a server's
            volume that this host may not see.
        placement: By server, the host where it runs; one that is not named runs where it started.

    Raises:
        UnknownNameError: A lost name, or one of the placement, is not in the plan.
    """

    def __init__(self, plan: Plan, lost: AbstractSet[str], placement: Mapping[str, str] | None = None) -> None:
        if odd := sorted(name for name in lost if not _is_known(plan, name)):
            raise UnknownNameError(unknown("name", odd[0], _alike(plan, odd[0])))
        self._plan = plan
        self._lost = lost
        self._placement = _checked(plan, placement or {})
        self._joined = {
            (network, frozenset(cable.between))
            for cable in plan.cables.values()
            if cable.name not in lost
            for network in cable.carries
            if f"{cable.name}/{network}" not in lost
        }
        self.wards = [node.name for node in plan.nodes.values() if node.kind is NodeKind.WARD]

    def alive(self, node: str) -> bool:
        """Say whether a node still has power."""
        return node not in self._lost and self._plan.nodes[node].place not in self._lost

    def host_of(self, server: str) -> str:
        """Give the host where a server runs while nothing is lost."""
        return self._placement.get(server) or self._plan.host_of(server)

    def member_alive(self, server: str) -> bool:
        """Say whether a server and the host where it runs are still there, and the host has no reason to stop it."""
        host = self.host_of(server)
        here = server not in self._lost and self.alive(host) and self.may_see(server, host)
        return here and not self._gives_up(host)

    def may_see(self, server: str, host: str) -> bool:
        """Say whether a host may see the volume of a server."""
        return f"{server}/{host}" not in self._lost

    def why_gone(self, server: str) -> Cause:
        """Say why a server is no longer there."""
        host = self.host_of(server)
        if self.is_isolated(server):
            return Cause(f"{server} is stopped by {host}, isolated", f"{server} est arrêté par {host}, isolé")
        if self.alive(host) and not self.may_see(server, host):
            return Cause(f"{host} may not see {server}'s volume", f"{host} n'a plus le volume de {server}")
        return Cause(f"{server} is lost with {host}", f"{server} est perdu avec {host}")

    def is_isolated(self, server: str) -> bool:
        """Say whether a server is stopped because its host, which lives, is cut off from everybody."""
        host = self.host_of(server)
        return server not in self._lost and self.alive(host) and self._gives_up(host)

    def cut_off(self, host: str) -> bool:
        """Say whether a living host hears no other host and no isolation address on management: it decides nothing."""
        hosts = (node.name for node in self._plan.nodes.values() if node.kind is NodeKind.HOST and node.name != host)
        return not any(self.talk(host, other, MANAGEMENT) for other in (*hosts, *self._plan.isolation_nodes))

    def _gives_up(self, host: str) -> bool:
        """Say whether a living host is cut off, and the plan tells it to stop its servers then."""
        return self._plan.ha.isolation_response is IsolationResponse.STOP and self.cut_off(host)

    def talk(self, a: str, b: str, network: str = SERVERS) -> bool:
        """Say whether two nodes can exchange packets on a network."""
        if not (self.alive(a) and self.alive(b)):
            return False
        if a == b:
            return True
        return any(self._linked(s, t, network) for s in self._ports(a, network) for t in self._ports(b, network))

    def components(self, nodes: Iterable[str]) -> list[frozenset[str]]:
        """Give the groups of living nodes that talk on the servers network, relayed by any of the same nodes."""
        groups: list[frozenset[str]] = []
        for node in filter(self.alive, nodes):
            near = [group for group in groups if any(self.talk(node, other) for other in group)]
            groups = [group for group in groups if group not in near]
            groups.append(frozenset({node}).union(*near))
        return groups

    def _ports(self, node: str, network: str) -> list[str]:
        """Give the places of the living switches on which a node stands; two of one place are trunked."""
        on = (self._plan.switches[name] for name in self._plan.nodes[node].stands_on.get(network, ()))
        return [s.place for s in on if not self._lost & {s.name, s.place, f"{node}/{s.name}"}]

    def _linked(self, a: str, b: str, network: str) -> bool:
        return a == b or (network, frozenset((a, b))) in self._joined


def reaches(plan: Plan, lost: Sequence[AbstractSet[str]], placement: Mapping[str, str] | None = None) -> list[Reach]:
    """Give who reaches whom after each step."""
    gone = accumulate(lost or [frozenset[str]()], lambda some, more: some | more)
    return [Reach(plan, so_far, placement) for so_far in gone]


def _checked(plan: Plan, placement: Mapping[str, str]) -> Mapping[str, str]:
    hosts = _hosts(plan)
    for server, host in placement.items():
        if server not in plan.servers:
            raise UnknownNameError(unknown("server", server, plan.servers))
        if host not in hosts:
            raise UnknownNameError(unknown("host", host, hosts))
    return placement


def _is_known(plan: Plan, name: str) -> bool:
    whole, _, part = name.partition("/")
    if not part:
        return any(name in named for named in (plan.places, plan.nodes, plan.switches, plan.cables, plan.servers))
    if whole in plan.cables:
        return part in plan.cables[whole].carries
    if whole in plan.servers:
        return part in _hosts(plan)
    return whole in plan.nodes and part in _standing(plan, whole)


def _hosts(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]


def _standing(plan: Plan, node: str) -> list[str]:
    return [switch for on in plan.nodes[node].stands_on.values() for switch in on]


def _alike(plan: Plan, name: str) -> list[str]:
    """Give the names that a wrong one should have been taken from."""
    whole, slash, _ = name.partition("/")
    if whole in plan.cables:
        return [f"{whole}/{network}" for network in plan.cables[whole].carries]
    if slash and whole in plan.servers:
        return [f"{whole}/{host}" for host in _hosts(plan)]
    if slash and whole in plan.nodes:
        return [f"{whole}/{switch}" for switch in _standing(plan, whole)]
    if slash:
        return [*plan.cables, *plan.nodes, *plan.servers]
    return [*plan.places, *plan.nodes, *plan.switches, *plan.cables, *plan.servers]
