"""What follows from a plan: places, nodes, switches, addresses, first placement of servers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from lab.plan.elements import NodeException, Room
from lab.plan.words import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.elements import Server, Site
    from lab.plan.model import Plan

FIRST_ADDRESS = 11
"""Offset of the first derived address in its subnet; those below are left to services and tools."""


@dataclass(frozen=True)
class Place:
    """A room or a site: its switches by network, and its nodes."""

    name: str
    is_room: bool
    switches: dict[str, tuple[str, ...]]
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """A machine. ``memory`` and ``capacity`` are bytes; ``stands_on`` gives its switches by network."""

    name: str
    kind: NodeKind
    place: str
    cpu: int | None
    memory: int | None
    capacity: int | None
    stands_on: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Switch:
    """A switch of one network, in one place."""

    name: str
    network: str
    place: str


def written_places(plan: Plan) -> list[Room | Site]:
    """Give rooms, then sites, as the file writes them."""
    return [*plan.rooms.values(), *plan.sites.values()]


def places(plan: Plan) -> dict[str, Place]:
    """Give rooms, then sites, in the order of the file."""
    return {
        place.name: Place(
            place.name, isinstance(place, Room), place.switches, tuple(n for _, _, n in place.named_nodes())
        )
        for place in written_places(plan)
    }


def nodes(plan: Plan) -> dict[str, Node]:
    """Give every node: defaults of its kind, then its own exceptions."""
    found: dict[str, Node] = {}
    for place in written_places(plan):
        for _, kind, name in place.named_nodes():
            default = plan.kinds[kind]
            own = plan.exceptions.get(name, NodeException())
            found[name] = Node(
                name=name,
                kind=kind,
                place=place.name,
                cpu=own.cpu or default.cpu,
                memory=own.memory or default.memory,
                capacity=own.capacity or default.capacity,
                stands_on={n: own.stands_on.get(n, place.switches.get(n, ())) for n in default.networks},
            )
    return found


def switches(plan: Plan) -> dict[str, Switch]:
    """Give every switch."""
    return {
        name: Switch(name, network, place.name)
        for place in written_places(plan)
        for network, names in place.switches.items()
        for name in names
    }


def residents(plan: Plan, network: str) -> Iterator[str]:
    """Give those who need an address on a network, in the order of the file: nodes, then servers."""
    yield from (node.name for node in plan.nodes.values() if network in node.stands_on)
    if network == "servers":
        yield from plan.servers


def addresses(plan: Plan) -> dict[tuple[str, str], IPv4Interface]:
    """Give each (name, network) its address: in order, stepping over the addresses that services declare.

    A subnet that is too small leaves the last ones without: ``plan check`` refuses that.
    """
    declared = {service.address for service in plan.services.values()}
    given: dict[tuple[str, str], IPv4Interface] = {}
    for network, owner in plan.networks.items():
        subnet = owner.subnet
        offset = FIRST_ADDRESS
        for name in residents(plan, network):
            while offset < subnet.num_addresses and subnet[offset] in declared:
                offset += 1
            if offset >= subnet.num_addresses - 1:
                break
            given[name, network] = IPv4Interface((subnet[offset], subnet.prefixlen))
            offset += 1
    return given


def placement(plan: Plan) -> dict[str, str]:
    """Give each server its first host: preferred room, then most free memory, then the order of the file.

    A member of a pair never shares a room with its twin. A server that fits nowhere is left out.
    """
    hosts = [node for node in plan.nodes.values() if node.kind is NodeKind.HOST]
    cpu = {host.name: host.cpu or 0 for host in hosts}
    memory = {host.name: host.memory or 0 for host in hosts}
    placed: dict[str, str] = {}
    for server in plan.servers.values():
        refused = _room_of_twin(plan, server, placed)
        fitting = [
            host
            for host in hosts
            if host.place != refused and cpu[host.name] >= server.cpu and memory[host.name] >= server.memory
        ]
        if not fitting:
            continue
        chosen = max(fitting, key=lambda host: (host.place == server.prefers, memory[host.name]))
        placed[server.name] = chosen.name
        cpu[chosen.name] -= server.cpu
        memory[chosen.name] -= server.memory
    return placed


def _room_of_twin(plan: Plan, server: Server, placed: dict[str, str]) -> str | None:
    if server.twin in placed:
        return plan.nodes[placed[server.twin]].place
    twin = plan.servers.get(server.twin or "")
    return twin.prefers if twin else None
