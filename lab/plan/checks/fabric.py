"""Cables go somewhere, nodes stand on switches, and the switches of a network form a full mesh."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.plan.checks.problem import Problem
from lab.plan.derived import FIRST_ADDRESS, residents, written_places
from lab.plan.errors import unknown
from lab.plan.words import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.elements import Cable
    from lab.plan.model import Plan


def problems(plan: Plan) -> Iterator[Problem]:
    """Find cables to nowhere, nodes without a switch, holes in a mesh, subnets that overlap or are small."""
    for cable in plan.cables.values():
        yield from _cable(plan, cable)
    yield from _standing(plan)
    yield from _mesh(plan)
    yield from _subnets(plan)
    host, array = plan.kinds.get(NodeKind.HOST), plan.kinds.get(NodeKind.ARRAY)
    if host and (host.cpu is None or host.memory is None):
        yield Problem(("kinds", "host"), "a host must offer cpu and memory: write cpu: 16, memory: 64 GiB")
    if array and array.capacity is None:
        yield Problem(("kinds", "array"), "an array must offer a capacity: write capacity: 4 GiB")


def _cable(plan: Plan, cable: Cable) -> Iterator[Problem]:
    here = ("cables", cable.name)
    for i, end in enumerate(cable.between):
        if end not in plan.places:
            told = unknown("place", end, plan.places)
            yield Problem((*here, "between", i), f"{cable.name} goes nowhere: {told}")
    if cable.between[0] == cable.between[1]:
        told = f"both ends of {cable.name} are in {cable.between[0]}: a cable joins two places"
        yield Problem((*here, "between"), told)
    for i, network in enumerate(cable.carries):
        path = (*here, "carries", i)
        if network not in plan.networks:
            yield Problem(path, unknown("network", network, plan.networks))
            continue
        if network in cable.carries[:i]:
            yield Problem(path, f"{cable.name} carries {network} twice: write it once")
        for end in cable.between:
            if end in plan.places and network not in plan.places[end].switches:
                told = f"{cable.name} carries {network}, but {end} has no {network} switch: add one"
                yield Problem(path, told)


def _standing(plan: Plan) -> Iterator[Problem]:
    for place in written_places(plan):
        for step, _, name in place.named_nodes():
            node = plan.nodes[name]
            for network in (n for n, on in node.stands_on.items() if not on):
                told = f"{name} stands on {network}, but {place.name} has no {network} switch: add one"
                yield Problem((place.section, place.name, *step), told)
    for name, own in plan.exceptions.items():
        node = plan.nodes[name]
        for network, chosen in own.stands_on.items():
            here = ("nodes", name, "stands_on", network)
            if network not in node.stands_on:
                on = unknown("network", network, node.stands_on)
                yield Problem(here, f"{name} is {node.kind}, which does not stand there: {on}")
                continue
            known = plan.places[node.place].switches.get(network, ())
            for i, switch in enumerate(chosen):
                if switch not in known:
                    told = unknown(f"{network} switch of {node.place}", switch, known)
                    yield Problem((*here, i), f"{name} cannot stand there: {told}")
                elif switch in chosen[:i]:
                    yield Problem((*here, i), f"{name} stands on {switch} twice: write it once")


def _mesh(plan: Plan) -> Iterator[Problem]:
    """Cable ports are isolated, so nothing transits through a third switch: each pair needs its own cable."""
    for network in plan.networks:
        there = [place for place in written_places(plan) if network in place.switches]
        for a, b in combinations(there, 2):
            if not any(network in cable.carries for cable in plan.cables_between(a.name, b.name)):
                told = (
                    f"no cable carries {network} between {a.name} and {b.name}: switches need a full mesh, "
                    f"add {{between: [{a.name}, {b.name}], carries: [{network}]}}"
                )
                yield Problem((b.section, b.name, "switches", network), told)


def _subnets(plan: Plan) -> Iterator[Problem]:
    for (a, one), (b, other) in combinations(plan.networks.items(), 2):
        if one.subnet.overlaps(other.subnet):
            told = f"the subnets of {a} and {b} overlap: give each a range of its own"
            yield Problem(("networks", b, "subnet"), told)
    for name, network in plan.networks.items():
        needed = len(list(residents(plan, name)))
        room = network.subnet.num_addresses - FIRST_ADDRESS - 1 - len(plan.services)
        if needed > room:
            told = f"{network.subnet} is too small for the {needed} addresses of {name}: write a larger subnet"
            yield Problem(("networks", name, "subnet"), told)
