"""Servers that stand alone: HA starts them again when their host is dead or their volume frozen, and only then."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause, Prediction, carried, in_time, restarted, stopped, together, transparent
from lab.expectation.reach import MANAGEMENT, STORAGE
from lab.expectation.standstill import standstill
from lab.plan import Continuity, NodeKind

if TYPE_CHECKING:
    from lab.expectation.reach import Reach
    from lab.expectation.storage import Storage
    from lab.plan import Node, Plan, Server, Service


def expect_restart(plan: Plan, service: Service, reach: Reach, stored: Storage) -> Prediction:
    """Derive the class of a service whose servers stand alone; it needs all of them.

    A host that lives but is cut off from the wards keeps its servers: as with vSphere HA, nobody restarts them
    (class D), so that for such a service losing more (the host as well) can make the class better.
    """
    moves: dict[str, str] = {}
    places: list[str] = []
    for name in service.runs_on:
        server, host = plan.servers[name], plan.host_of(name)
        if not reach.member_alive(name) or name in stored.frozen:
            found = _other_host(plan, server, reach, stored)
            if found is None or server.continuity is Continuity.RESCUE:
                return stopped(service.name, _lost_for_good(server, host, stored))
            moves[name] = host = found
        places.append(host)
        if cut_off := [ward for ward in reach.wards if not reach.talk(ward, host)]:
            names = ", ".join(cut_off)
            return stopped(service.name, Cause(f"{names} cannot reach {name}", f"{names} : {name} est hors d'atteinte"))
    for a, b in combinations(places, 2):
        if not reach.talk(a, b):
            return stopped(service.name, Cause(f"{a} and {b} cannot talk", f"{a} et {b} ne se parlent plus"))
    if moves:
        return restarted(service.name, moves, [why for name, why in stored.frozen.items() if name in moves])
    return _steady(plan, service, stored)


def _steady(plan: Plan, service: Service, stored: Storage) -> Prediction:
    """Every server stays where it is: only its volume may stand still for a while."""
    still = standstill(plan, service, stored, service.runs_on)
    if still is None:
        return transparent(service.name)
    return (
        carried(service.name, [still.cause], service.runs_on) if still.noticed else in_time(service.name, still.cause)
    )


def _lost_for_good(server: Server, host: str, stored: Storage) -> Cause:
    lost = Cause(f"{server.name} is lost with {host}", f"{server.name} est perdu avec {host}")
    why = stored.frozen.get(server.name, lost)
    if server.continuity is Continuity.RESCUE:
        told = Cause(f"{server.name} comes back in the rescue room only", f"{server.name} ne revient qu'en secours")
    elif server.volume and stored.active is None:
        told = stored.cause
    else:
        told = Cause("no host that the wards reach can take it", "aucun hôte joignable ne peut le reprendre")
    return together([why, told])


def _other_host(plan: Plan, server: Server, reach: Reach, stored: Storage) -> str | None:
    """Give a host that can take a server over: it sees its volume, the wards reach it, and it has room.

    The fleet is judged by sums, not by packing: all that is displaced must fit in all that is free.
    """
    hosts = [
        node for node in plan.nodes.values() if node.kind is NodeKind.HOST and _may_take(node, server, reach, stored)
    ]
    cpu = {host.name: host.cpu or 0 for host in hosts}
    memory = {host.name: host.memory or 0 for host in hosts}
    displaced = []
    for other in plan.servers.values():
        host = plan.host_of(other.name)
        if not reach.member_alive(other.name) or other.name in stored.frozen:
            displaced += [other] if other.continuity is not Continuity.RESCUE else []
        elif host in cpu:
            cpu[host] -= other.cpu
            memory[host] -= other.memory
    if sum(s.cpu for s in displaced) > sum(cpu.values()):
        return None
    if sum(s.memory for s in displaced) > sum(memory.values()):
        return None
    fitting = (h for h in cpu if cpu[h] >= server.cpu and memory[h] >= server.memory)
    return next((h for h in fitting if all(reach.talk(ward, h) for ward in reach.wards)), None)


def _may_take(host: Node, server: Server, reach: Reach, stored: Storage) -> bool:
    """Say whether a host can obtain a server's session: it asks the arbiters, and whoever serves the volume."""
    if not any(reach.talk(host.name, voter, MANAGEMENT) for voter in stored.majority):
        return False
    return not server.volume or (stored.active is not None and reach.talk(host.name, stored.active, STORAGE))
