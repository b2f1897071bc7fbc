"""Services run on servers that exist, at an address of their subnet; the time scale keeps the order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lab.plan.checks.problem import Problem
from lab.plan.errors import unknown
from lab.plan.units import format_duration
from lab.plan.words import Continuity, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.elements import Service
    from lab.plan.model import Plan

MARGIN = 2
"""A scaled timer stays above this many times the slowest failover: things happen in the real order.

Steps on the way (a heartbeat, an election) are left out: nothing is done to a server when they run out.
"""


def problems(plan: Plan) -> Iterator[Problem]:
    """Find services without servers, wards, arbitrator or address, and a time scale that is too large."""
    taken: dict[object, str] = {}
    for service in plan.services.values():
        here = ("services", service.name)
        yield from _chain(plan, service)
        yield from _address(plan, service)
        if service.address in taken:
            told = f"{service.name} has the address of {taken[service.address]}: give each its own"
            yield Problem((*here, "address"), told)
        taken[service.address] = service.name
        if not any(node.kind is NodeKind.WARD for node in plan.nodes.values()):
            yield Problem(here, f"nobody uses {service.name}: write a site with wards")
        yield from _client(service)
    yield from _time_scale(plan)


def _chain(plan: Plan, service: Service) -> Iterator[Problem]:
    here = ("services", service.name)
    for i, name in enumerate(service.runs_on):
        if name not in plan.servers:
            yield Problem((*here, "runs_on", i), unknown("server", name, plan.servers))
        elif name in service.runs_on[:i]:
            yield Problem((*here, "runs_on", i), f"{name} is written twice: write each server once")
    members = [plan.servers[name] for name in service.runs_on if name in plan.servers]
    pair = next((member for member in members if member.continuity is Continuity.PAIR), None)
    if pair is None:
        if service.arbitrator is not None:
            yield Problem((*here, "arbitrator"), f"{service.name} runs on no pair: an arbitrator has nothing to decide")
        return
    if len(members) == len(service.runs_on) and set(service.runs_on) != {pair.name, pair.twin}:
        told = f"{service.name} runs on a pair: write runs_on: [{pair.name}, {pair.twin}]"
        yield Problem((*here, "runs_on"), told)
    judges = [
        node.name
        for node in plan.nodes.values()
        if node.kind in (NodeKind.WITNESS, NodeKind.ARBITER) and "servers" in node.stands_on
    ]
    if service.arbitrator is None:
        yield Problem(
            here, f"{service.name} runs on a pair, which needs an arbitrator: write arbitrator: with one node"
        )
    elif service.arbitrator not in judges:
        told = unknown("arbitrator", service.arbitrator, judges)
        yield Problem((*here, "arbitrator"), f"{told} (a witness or arbiter that stands on servers)")


def _address(plan: Plan, service: Service) -> Iterator[Problem]:
    subnet = plan.networks["servers"].subnet
    usable = service.address in subnet
    if not usable or service.address in (subnet.network_address, subnet.broadcast_address):
        told = f"{service.address} is no address of the servers subnet {subnet}: write one, such as {subnet[10]}"
        yield Problem(("services", service.name, "address"), told)


def _client(service: Service) -> Iterator[Problem]:
    here = ("services", service.name)
    for key, duration in (("connect", service.connect), ("answer", service.answer)):
        if not duration:
            yield Problem((*here, key), f"{key} is 0 s: a client must wait for something, such as 250 ms")
    if service.patience < max(service.connect, service.answer):
        told = "patience is shorter than one attempt: write a longer one, such as 10 s"
        yield Problem((*here, "patience"), told)


def _time_scale(plan: Plan) -> Iterator[Problem]:
    timers = {name: timer.value for name, timer in plan.timers.items() if timer.value and timer.acts}
    if not timers or not plan.failovers:
        return
    first = min(timers, key=lambda name: timers[name])
    slowest = max(plan.failovers, key=lambda name: plan.failovers[name].value)
    limit = MARGIN * plan.failovers[slowest].value
    if plan.scaled(first) < limit:
        most = math.floor(timers[first] / limit * 100) / 100
        told = (
            f"time_scale {plan.time_scale:g} plays {first} ({format_duration(timers[first])}) in "
            f"{plan.scaled(first).total_seconds():.3g} s, less than twice {slowest} "
            f"({format_duration(plan.failovers[slowest].value)}), which is never scaled: at most {most:g}"
        )
        yield Problem(("time_scale",), told)
