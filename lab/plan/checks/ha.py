"""What HA is told concerns servers that exist, and the hosts left after the loss of a room can take all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan.checks.problem import Problem
from lab.plan.errors import unknown
from lab.plan.units import format_size
from lab.plan.words import Continuity, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.derived import Node
    from lab.plan.elements import Server
    from lab.plan.model import Plan

_WHOLE = 100


def problems(plan: Plan) -> Iterator[Problem]:
    """Find priorities and addresses of nobody, and servers for which the loss of a room leaves no place."""
    for name in plan.ha.priority:
        if name not in plan.servers:
            yield Problem(("ha", "priority", name), unknown("server", name, plan.servers))
    on_management = [name for name, node in plan.nodes.items() if "management" in node.stands_on]
    for name in plan.ha.isolation_addresses:
        if name not in on_management:
            yield Problem(("ha", "isolation_addresses"), unknown("node on management", name, on_management))
    servers = [server for server in plan.servers.values() if server.continuity is not Continuity.RESCUE]
    hosts = [node for node in plan.nodes.values() if node.kind is NodeKind.HOST]
    if plan.ha.spares_a_room:
        yield from _without_a_room(servers, hosts)
    yield from _admission(plan, servers, hosts)


def _without_a_room(servers: list[Server], hosts: list[Node]) -> Iterator[Problem]:
    """Judged by sums, not by packing."""
    rooms = dict.fromkeys(host.place for host in hosts)
    if len(rooms) == 1:
        return
    for room in rooms:
        left = [host for host in hosts if host.place != room]
        cpu, memory = sum(host.cpu or 0 for host in left), sum(host.memory or 0 for host in left)
        taken_cpu = taken_memory = 0
        for server in servers:
            taken_cpu, taken_memory = taken_cpu + server.cpu, taken_memory + server.memory
            if taken_cpu > cpu or taken_memory > memory:
                told = (
                    f"without {room}, {server.name} brings the reservations to {taken_cpu} cpu and "
                    f"{format_size(taken_memory)}, more than the hosts left offer ({_named(left)}: {cpu} cpu and "
                    f"{format_size(memory)}): lower reservations or add a host"
                )
                yield Problem(("servers", server.name), told)
                break


def _admission(plan: Plan, servers: list[Server], hosts: list[Node]) -> Iterator[Problem]:
    """HA admits servers until only the share to be kept free is left."""
    for key, kept, offered, reserved in (
        ("cpu", plan.ha.admission.cpu, sum(h.cpu or 0 for h in hosts), sum(s.cpu for s in servers)),
        ("memory", plan.ha.admission.memory, sum(h.memory or 0 for h in hosts), sum(s.memory for s in servers)),
    ):
        if kept and reserved * _WHOLE > offered * (_WHOLE - kept):
            most = _WHOLE - -(-reserved * _WHOLE // offered)
            told = (
                f"servers reserve more {key} than is admitted when {kept} % is kept free: "
                f"lower reservations, add a host, or write {key}: {most} %"
            )
            yield Problem(("ha", "admission", key), told)


def _named(hosts: list[Node]) -> str:
    return ", ".join(host.name for host in hosts[:4]) + (", …" if len(hosts) > 4 else "")  # noqa: PLR2004 - enough to know
