"""Servers fit on the hosts, and the two members of a pair are in two rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan.checks.problem import Problem
from lab.plan.errors import unknown
from lab.plan.units import format_size
from lab.plan.words import Continuity, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.elements import Server
    from lab.plan.model import Plan


def problems(plan: Plan) -> Iterator[Problem]:
    """Find pairs that are none, servers that prefer nowhere or fit nowhere."""
    found = [problem for server in plan.servers.values() for problem in _one(plan, server)]
    yield from found
    if not found:
        yield from _crowding(plan)


def _one(plan: Plan, server: Server) -> Iterator[Problem]:
    here = ("servers", server.name)
    yield from _twin(plan, server)
    rooms_with_hosts = {node.place for node in plan.nodes.values() if node.kind is NodeKind.HOST}
    if server.prefers is not None and server.prefers not in rooms_with_hosts:
        told = unknown("room with hosts", server.prefers, rooms_with_hosts)
        yield Problem((*here, "prefers"), f"{server.name} prefers an {told}")
    yield from _size(plan, server)


def _twin(plan: Plan, server: Server) -> Iterator[Problem]:
    here = ("servers", server.name)
    if server.continuity is not Continuity.PAIR:
        if server.twin is not None:
            told = f"{server.name} has a twin, but its continuity is {server.continuity}: write pair, or no with"
            yield Problem((*here, "with"), told)
        return
    twin = plan.servers.get(server.twin or "")
    if server.twin is None:
        yield Problem(here, f"{server.name} is half of a pair: write with: and the name of its twin")
    elif twin is None or twin is server:
        others = [name for name in plan.servers if name != server.name]
        yield Problem((*here, "with"), f"{server.name} needs a twin: {unknown('server', server.twin, others)}")
    elif twin.twin != server.name:
        told = f"{server.name} names {twin.name} as its twin, which does not name it back: write that"
        yield Problem((*here, "with"), told)
    elif server.prefers is not None and server.prefers == twin.prefers:
        told = f"{server.name} and its twin {twin.name} both prefer {server.prefers}: put them in two rooms"
        yield Problem((*here, "prefers"), told)


def _size(plan: Plan, server: Server) -> Iterator[Problem]:
    hosts = [node for node in plan.nodes.values() if node.kind is NodeKind.HOST]
    if any((host.cpu or 0) >= server.cpu and (host.memory or 0) >= server.memory for host in hosts):
        return
    offers = ", ".join(f"{host.name} {host.cpu} cpu and {format_size(host.memory or 0)}" for host in hosts[:4])
    told = (
        f"{server.name} fits on no host: it reserves {server.cpu} cpu and {format_size(server.memory)}; "
        f"offered: {offers or 'no host'}"
    )
    yield Problem(("servers", server.name), told)


def _crowding(plan: Plan) -> Iterator[Problem]:
    """Each fits alone; all of them may still be too many, or a pair may find one room only."""
    for server in plan.servers.values():
        if not plan.is_placed(server.name):
            apart = " outside the room of its twin" if server.continuity is Continuity.PAIR else ""
            told = f"no host has room left for {server.name}{apart}: lower reservations or add a host"
            yield Problem(("servers", server.name), told)
