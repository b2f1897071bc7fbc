"""Volumes have two rooms to be mirrored in, somebody to serve them, and arbiters that outlive a room."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lab.plan.checks.problem import Problem
from lab.plan.errors import unknown
from lab.plan.storage import BLOCK, COPIES
from lab.plan.units import format_size
from lab.plan.words import Continuity, NodeKind, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.model import Plan
    from lab.plan.reading import Path
    from lab.plan.storage import Volume

SMALLEST = 256 * 2**20
"""Bytes: an empty database takes most of this, with its logs (32 MiB) and its cache for the other member (64 MiB)."""

MOST_REPLICATED = 60
"""Volumes in one swap: a record and a session each, of the 128 keys that etcd takes by default."""

VOTERS = 3
"""The fewest arbiters of which one may be lost; the witness is one of them."""

_MIB = 2**20
_NEEDED = {
    NodeKind.ARRAY: ("storage",),
    NodeKind.VIRTUALISER: ("management", "storage"),
    NodeKind.ARBITER: ("management",),
    NodeKind.WITNESS: ("management",),
}


def problems(plan: Plan) -> Iterator[Problem]:
    """Find a preferred room that cannot be, nodes off their network, and volumes that nobody could keep safe."""
    rooms = {node.place for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER}
    if plan.storage.prefers is not None and plan.storage.prefers not in rooms:
        yield Problem(("storage", "prefers"), unknown("room with a virtualiser", plan.storage.prefers, rooms))
    yield from _replicated(plan)
    yield from _standalone(plan)
    full = [volume for volume in plan.volumes.values() if volume.size]
    yield from _networks(plan, stored=bool(full))
    for volume in full:
        yield from _size(volume)
    if full:
        yield from _company(plan, full[0])
        yield from _room(plan, full)


def _replicated(plan: Plan) -> Iterator[Problem]:
    """An array copies to one other, each behind the controller of its own room; and no server goes there by itself."""
    if plan.storage.replication is None:
        return
    here = ("storage", "replication")
    for kind in (NodeKind.ARRAY, NodeKind.VIRTUALISER):
        rooms = sorted(room for _, room in _by_room(plan, kind))
        if len(rooms) != COPIES or len(set(rooms)) != COPIES:
            told = f"replication is between two rooms with one {kind} each: write {kind}s: in two rooms, one in each"
            yield Problem(here, f"{told} (found: {_listed(_by_room(plan, kind))})")
    count = sum(1 for volume in plan.volumes.values() if volume.size)
    if count > MOST_REPLICATED:
        told = f"a change of rooms is one swap of the arbiters, which has {MOST_REPLICATED} volumes at most"
        yield Problem(here, f"{told}: {count} are replicated")
    if not plan.storage.replication.every:
        yield Problem((*here, "every"), "copies follow each other at once: write the time between them, such as 30 s")
    if plan.ha.rule is not Rule.MUST:
        yield Problem(here, "what is replicated is started again by humans: write ha.rule: must, or HA would try")
    for server in plan.servers.values():
        if server.continuity is not Continuity.RESTART or server.prefers != plan.preferred_room:
            told = f"write continuity: restart and prefers: {plan.preferred_room}, from where the storage is replicated"
            yield Problem(("servers", server.name), f"{server.name} cannot start where its volume is not: {told}")


def _standalone(plan: Plan) -> Iterator[Problem]:
    """A stand-alone volume lies on an array that there is, and is no part of a replication."""
    arrays = [name for name, _ in _by_room(plan, NodeKind.ARRAY)]
    for server in plan.servers.values():
        here = ("servers", server.name, "standalone")
        if server.standalone is None:
            continue
        if server.standalone not in arrays:
            yield Problem(here, unknown("array", server.standalone, arrays))
        elif not server.volume:
            yield Problem(
                here, f"{server.name} has no volume that could be stand-alone: write volume:, or no standalone"
            )
        elif plan.volumes[server.name].copies[:1] != (server.standalone,):
            told = "lower what stands before it in the file, or raise the capacity of that array"
            yield Problem(here, f"the volume of {server.name} finds no room on {server.standalone}: {told}")
        elif plan.storage.replication is not None:
            told = "its arrays copy every volume to the other room: write no standalone"
            yield Problem(here, f"the volume of {server.name} cannot be stand-alone in a plan with replication: {told}")


def _networks(plan: Plan, *, stored: bool) -> Iterator[Problem]:
    there = {node.kind for node in plan.nodes.values()}
    for kind, needed in {**_NEEDED, **({NodeKind.HOST: ("storage",)} if stored else {})}.items():
        if kind not in there:
            continue
        on = plan.kinds[kind].networks
        for network in needed:
            if network not in on:
                told = (
                    f"nodes of kind {kind} work on {network}, which is missing here: "
                    f"write networks: [{', '.join((*on, network))}]"
                )
                yield Problem(("kinds", kind.value, "networks"), told)


def _size(volume: Volume) -> Iterator[Problem]:
    here = _written(volume)
    if volume.size < SMALLEST:
        told = (
            f"the volume of {volume.name} ({format_size(volume.size)}) is too small for a database: "
            f"write {format_size(SMALLEST)} at least"
        )
        yield Problem(here, told)
    elif volume.size % BLOCK:
        nearest = format_size(-(-volume.size // _MIB) * _MIB)
        told = f"the volume of {volume.name} is no whole number of {format_size(BLOCK)} blocks: write {nearest}"
        yield Problem(here, told)


def _company(plan: Plan, volume: Volume) -> Iterator[Problem]:
    """A volume takes two rooms with an array, a virtualiser, and arbiters of which no room holds half."""
    arrays = _by_room(plan, NodeKind.ARRAY)
    if len({room for _, room in arrays}) < COPIES:
        told = f"the volume of {volume.name} is mirrored between two rooms: write arrays: in two rooms"
        yield Problem(_written(volume), f"{told} (found: {_listed(arrays)})")
    if not _by_room(plan, NodeKind.VIRTUALISER):
        told = f"nobody serves the volume of {volume.name}: write virtualisers: in a room"
        yield Problem(_written(volume), told)
    voters = _by_room(plan, NodeKind.ARBITER, NodeKind.WITNESS)
    most = max(Counter(room for _, room in voters).values(), default=0)
    if len(voters) < VOTERS or 2 * most >= len(voters):
        told = (
            f"who serves the volume of {volume.name} is decided by at least three arbiters, the witness included, "
            "of which no room holds half: write one in each main room and a witness in the third"
        )
        yield Problem(_written(volume), f"{told} (found: {_listed(voters)})")


def _room(plan: Plan, volumes: list[Volume]) -> Iterator[Problem]:
    """Say which volume is the first that finds no array in a second room, and what it would take."""
    arrays = [node for node in plan.nodes.values() if node.kind is NodeKind.ARRAY]
    if len({array.place for array in arrays}) < COPIES:
        return
    homeless = next((volume for volume in volumes if len(volume.homes) < COPIES), None)
    if homeless is None:
        return
    served = {plan.nodes[copy].place for copy in homeless.homes}
    held = {a.name: sum(v.footprint for v in volumes if a.name in v.homes) for a in arrays if a.place not in served}
    capacity = {name: plan.nodes[name].capacity or 0 for name in held}
    roomiest = max(held, key=lambda name: capacity[name] - held[name])
    told = (
        f"the volume of {homeless.name} brings the volumes on {roomiest} to "
        f"{_in_mib(held[roomiest] + homeless.footprint)} with their metadata, more than {roomiest} holds "
        f"({format_size(capacity[roomiest])}): lower it, or raise the capacity of the arrays"
    )
    yield Problem(_written(homeless), told)


def _written(volume: Volume) -> Path:
    return ("servers", volume.name, "volume")


def _by_room(plan: Plan, *kinds: NodeKind) -> list[tuple[str, str]]:
    return [(node.name, node.place) for node in plan.nodes.values() if node.kind in kinds]


def _listed(found: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} in {room}" for name, room in found) or "none"


def _in_mib(size: int) -> str:
    """Write a size in whole MiB, rounded up: metadata makes sizes that no unit divides."""
    return f"{-(-size // _MIB)} MiB"
