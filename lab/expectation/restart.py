"""Servers that stand alone: HA starts them again when their host is dead or their volume frozen, and only then."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.expectation.outage import outage
from lab.expectation.prediction import (
    Cause,
    Prediction,
    Restart,
    carried,
    in_time,
    restarted,
    stopped,
    together,
    transparent,
)
from lab.expectation.standstill import standstill
from lab.expectation.takers import Takers
from lab.plan import Rule

if TYPE_CHECKING:
    from lab.expectation.reach import Reach
    from lab.expectation.storage import Storage
    from lab.plan import Plan, Server, Service


def expect_restart(plan: Plan, service: Service, reach: Reach, stored: Storage) -> Prediction:
    """Derive the class of a service whose servers stand alone; it needs all of them.

    A host that lives but is cut off from the wards keeps its servers: as with vSphere HA, nobody restarts them
    (class D), so that for such a service losing more (the host as well) can make the class better.
    """
    restarts: list[Restart] = []
    places: list[str] = []
    for name in service.runs_on:
        server, host = plan.servers[name], reach.host_of(name)
        if not reach.member_alive(name) or name in stored.frozen:
            takers = Takers(plan, server, reach, stored)
            if takers.chosen is None:
                why = stored.frozen.get(name) or reach.why_gone(name)
                return stopped(service.name, together([why, takers.why_none()]))
            host = takers.chosen
            restarts.append(_restart(plan, server, host, reach, stored))
        places.append(host)
        if cut_off := [ward for ward in reach.wards if not reach.talk(ward, host)]:
            names = ", ".join(cut_off)
            return stopped(service.name, Cause(f"{names} cannot reach {name}", f"{names} : {name} est hors d'atteinte"))
    for a, b in combinations(places, 2):
        if not reach.talk(a, b):
            return stopped(service.name, Cause(f"{a} and {b} cannot talk", f"{a} et {b} ne se parlent plus"))
    if restarts:
        moved = {restart.server for restart in restarts}
        return restarted(service.name, restarts, [why for name, why in stored.frozen.items() if name in moved])
    return _steady(plan, service, stored)


def _restart(plan: Plan, server: Server, host: str, reach: Reach, stored: Storage) -> Restart:
    rule = Cause("", "")
    if server.prefers is not None and plan.nodes[host].place != server.prefers:
        rule = Cause(
            f"outside {server.prefers} (the rule says {Rule.SHOULD})",
            f"hors de {server.prefers} (la règle dit {Rule.SHOULD})",
        )
    lasts, parts = outage(plan, server, reach, stored)
    return Restart(server.name, host, rule, lasts, parts)


def _steady(plan: Plan, service: Service, stored: Storage) -> Prediction:
    """Every server stays where it is: only its volume may stand still for a while."""
    still = standstill(plan, service, stored, service.runs_on)
    if still is None:
        return transparent(service.name)
    return (
        carried(service.name, [still.cause], service.runs_on) if still.noticed else in_time(service.name, still.cause)
    )
