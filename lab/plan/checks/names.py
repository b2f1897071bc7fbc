"""Everything that a fault or a report names has one name, and everything named exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan.checks.problem import Problem
from lab.plan.derived import written_places
from lab.plan.errors import unknown
from lab.plan.words import NETWORKS, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.model import Plan
    from lab.plan.reading import Path


def problems(plan: Plan) -> Iterator[Problem]:
    """Find names used twice, unknown networks, kinds that are missing, exceptions for nobody."""
    yield from _networks(plan)
    yield from _twice(plan)
    yield from _kinds(plan)
    known = [name for place in written_places(plan) for _, _, name in place.named_nodes()]
    for name in plan.exceptions:
        if name not in known:
            yield Problem(("nodes", name), f"{unknown('node', name, known)} (a node must stand in one room or site)")
    if not plan.rooms:
        yield Problem(("rooms",), "the plan has no room: write rooms: with at least one")


def _networks(plan: Plan) -> Iterator[Problem]:
    if "servers" not in plan.networks:
        yield Problem(("networks",), "the network servers is missing: write servers: {subnet: 10.77.4.0/22}")
    for name in plan.networks:
        if name not in NETWORKS:
            yield Problem(("networks", name), unknown("network", name, NETWORKS))
    for kind, default in plan.kinds.items():
        for i, name in enumerate(default.networks):
            if name not in plan.networks:
                yield Problem(("kinds", kind.value, "networks", i), unknown("network", name, plan.networks))
    for place in written_places(plan):
        for name in place.switches:
            if name not in plan.networks:
                path = (place.section, place.name, "switches", name)
                yield Problem(path, unknown("network", name, plan.networks))


def _definitions(plan: Plan) -> Iterator[tuple[Path, str, str]]:
    """Give each name that a fault could aim at: where it is written, what it is, the name."""
    for place in written_places(plan):
        here = (place.section, place.name)
        yield here, f"a {place.section[:-1]}", place.name
        for step, kind, name in place.named_nodes():
            yield (*here, *step), f"{_article(kind)} in {place.name}", name
        for network, names in place.switches.items():
            for i, name in enumerate(names):
                yield (*here, "switches", network, i), f"a {network} switch in {place.name}", name
    yield from ((("cables", name), "a cable", name) for name in plan.cables)
    yield from ((("servers", name), "a server", name) for name in plan.servers)


def _article(kind: NodeKind) -> str:
    return f"an {kind}" if kind in (NodeKind.ARRAY, NodeKind.ARBITER) else f"a {kind}"


def _twice(plan: Plan) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for path, what, name in _definitions(plan):
        if name in seen:
            yield Problem(
                path, f"{name} is {what}, but already {seen[name]}: give each a name of its own, in one place"
            )
        seen.setdefault(name, what)


def _kinds(plan: Plan) -> Iterator[Problem]:
    for place in written_places(plan):
        for step, kind, name in place.named_nodes():
            if kind not in plan.kinds:
                told = f"{name} is {_article(kind)}, but kinds says nothing of {kind}: write kinds.{kind}"
                yield Problem((place.section, place.name, *step), told)
