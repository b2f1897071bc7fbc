"""Servers that stand alone: HA starts them again when their host is dead, and only then."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause, Prediction, restarted, stopped, transparent
from lab.plan import Continuity, NodeKind

if TYPE_CHECKING:
    from lab.expectation.reach import Reach
    from lab.plan import Plan, Server, Service


def expect_restart(plan: Plan, service: Service, reach: Reach) -> Prediction:
    """Derive the class of a service whose servers stand alone; it needs all of them.

    A host that lives but is cut off keeps its servers: as with vSphere HA, nobody restarts them (class D), so
    that for such a service losing more (the host as well) can make the class better.
    """
    moves: dict[str, str] = {}
    places: list[str] = []
    for name in service.runs_on:
        server, host = plan.servers[name], plan.host_of(name)
        if not reach.member_alive(name):
            found = _other_host(plan, server, reach)
            if found is None or server.continuity is Continuity.RESCUE:
                return stopped(service.name, _lost_for_good(server, host))
            moves[name] = host = found
        places.append(host)
        if cut_off := [ward for ward in reach.wards if not reach.talk(ward, host)]:
            names = ", ".join(cut_off)
            return stopped(service.name, Cause(f"{names} cannot reach {name}", f"{names} : {name} est hors d'atteinte"))
    for a, b in combinations(places, 2):
        if not reach.talk(a, b):
            return stopped(service.name, Cause(f"{a} and {b} cannot talk", f"{a} et {b} ne se parlent plus"))
    return restarted(service.name, moves) if moves else transparent(service.name)


def _lost_for_good(server: Server, host: str) -> Cause:
    if server.continuity is Continuity.RESCUE:
        return Cause(
            f"{server.name} is lost with {host}, and comes back in the rescue room only",
            f"{server.name} est perdu avec {host} et ne revient qu'en salle de secours",
        )
    return Cause(
        f"{server.name} is lost with {host}, and no host that the wards reach has room for it",
        f"{server.name} est perdu avec {host} et aucun hôte joignable n'a la place de le reprendre",
    )


def _other_host(plan: Plan, server: Server, reach: Reach) -> str | None:
    """Give a host that can take a lost server: within reach of the wards, large enough, in a fleet that suffices.

    The fleet is judged by sums, not by packing: all that is displaced must fit in all that is free.
    """
    hosts = [n for n in plan.nodes.values() if n.kind is NodeKind.HOST and reach.alive(n.name)]
    cpu = {host.name: host.cpu or 0 for host in hosts}
    memory = {host.name: host.memory or 0 for host in hosts}
    displaced = []
    for other in plan.servers.values():
        if reach.member_alive(other.name):
            cpu[plan.host_of(other.name)] -= other.cpu
            memory[plan.host_of(other.name)] -= other.memory
        elif other.continuity is not Continuity.RESCUE:
            displaced.append(other)
    if sum(s.cpu for s in displaced) > sum(cpu.values()):
        return None
    if sum(s.memory for s in displaced) > sum(memory.values()):
        return None
    fitting = (h for h in cpu if cpu[h] >= server.cpu and memory[h] >= server.memory)
    return next((h for h in fitting if all(reach.talk(ward, h) for ward in reach.wards)), None)
