"""Roles as targets: whoever plays one at the moment of the fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.nodes.specs import arbiters
from lab.plan import NodeKind

if TYPE_CHECKING:
    from lab.bench import Lab
    from lab.plan import Plan

_FRENCH = {
    "the-ha-master": "maître HA",
    "the-active-virtualiser": "contrôleur de stockage actif",
    "the-arbiter-leader": "arbitre meneur",
    "the-host-of": "serveur physique qui porte",
    "the-address-of": "serveur qui porte l'adresse de",
}


def french(role: str) -> str:
    """What the report calls a role."""
    word, _, of = role.partition(" ")
    return f"{_FRENCH[word]} {of}".strip()


def find(lab: Lab, role: str) -> str:
    """Who plays a role now.

    Args:
        lab: where.
        role: `the-ha-master`, `the-active-virtualiser`, `the-arbiter-leader` (nodes), `the-host-of SERVER`, or
            `the-address-of SERVICE` (a server: the holder of the address, which is the member that takes the writes).

    Raises:
        LabError: nobody does, or there is no such role.
    """
    match role.split():
        case ["the-ha-master"]:
            found = lab.cluster.master
        case ["the-active-virtualiser"]:
            found = lab.storage.active
        case ["the-arbiter-leader"]:
            found = _leader(lab)
        case ["the-host-of", server] if server in lab.plan.servers:
            found = lab.where(server)
        case ["the-address-of", service] if service in lab.plan.services:
            found = lab.service(service).active()
        case _:
            known = (
                "the-ha-master, the-active-virtualiser, the-arbiter-leader, the-host-of SERVER, the-address-of SERVICE"
            )
            raise LabError(f"no role is called {role!r}; known: {known}")
    if found is None:
        raise LabError(f"nobody is {role} now")
    return found


def stand_in(plan: Plan, role: str) -> str:
    """Somebody who could play a role, from the plan alone: where no lab is up that could tell."""
    word, _, of = role.partition(" ")
    firsts = {
        "the-ha-master": NodeKind.HOST,
        "the-active-virtualiser": NodeKind.VIRTUALISER,
        "the-arbiter-leader": NodeKind.ARBITER,
    }
    if word in firsts:
        return next(node.name for node in plan.nodes.values() if node.kind is firsts[word])
    return plan.host_of(of) if word == "the-host-of" else plan.service(of).runs_on[0]


def _leader(lab: Lab) -> str | None:
    """The arbiter that leads, by what each says of itself."""
    for node in arbiters(lab.plan):
        ran = lab.nodes.run(node, "etcdctl", "endpoint", "status", "--write-out=json")
        if ran.status == 0:
            (said,) = json.loads(ran.output)
            if said["Status"]["leader"] == said["Status"]["header"]["member_id"]:
                return node
    return None
