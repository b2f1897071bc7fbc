"""What follows from a plan for its storage: the preferred room, and the volumes with their copies. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.plan.words import NodeKind

if TYPE_CHECKING:
    from lab.plan.derived import Node
    from lab.plan.model import Plan

BLOCK = 4 * 2**10
"""Bytes of the header beside each copy, and what lengths are rounded to: the block of ext4 and of a durable write."""

GRAIN = 64 * 2**10
"""Bytes that one bit of the map of changes stands for."""

COPIES = 2
"""A volume is mirrored: one copy in each of two rooms."""


@dataclass(frozen=True)
class Volume:
    """The data of one server: ``size`` in bytes, and the arrays that hold a copy, the preferred room's first.

    A volume of size 0 has no copy: holding its session is all that its server needs. ``replica`` is the array to which
    it is copied now and then, in a plan that replicates instead of mirroring: no copy from which anybody is served.
    ``joins`` is the array that keeps room for a second copy of a stand-alone volume, for the day when it is mirrored.
    """

    name: str
    size: int
    copies: tuple[str, ...]
    replica: str | None = None
    joins: str | None = None

    @property
    def homes(self) -> tuple[str, ...]:
        """Every array that keeps room for it: those of its copies, and the one that it is copied to, or may be."""
        return (*self.copies, *(array for array in (self.replica, self.joins) if array is not None))

    @property
    def alone(self) -> str | None:
        """The array that serves it by itself, of a stand-alone volume."""
        return self.copies[0] if self.joins is not None else None

    @property
    def footprint(self) -> int:
        """Bytes that a copy takes on its array: the data, a header, and one bit for each grain."""
        return footprint(self.size)


def footprint(size: int) -> int:
    """Count the bytes that a copy of a volume of ``size`` bytes takes on its array, metadata included."""
    if not size:
        return 0
    grains = -(-size // GRAIN)
    bits = -(-grains // 8)
    return size + BLOCK + -(-bits // BLOCK) * BLOCK


def of_kind(plan: Plan, kind: NodeKind) -> list[Node]:
    """Give the nodes of a kind: those of the preferred room first, then in the order of the file."""
    found = [node for node in plan.nodes.values() if node.kind is kind]
    return sorted(found, key=lambda node: node.place != plan.preferred_room)


def preferred_room(plan: Plan) -> str | None:
    """Give the room whose virtualiser serves when more than one could; None in a plan without virtualisers."""
    return plan.storage.prefers or next((room.name for room in plan.rooms.values() if room.virtualisers), None)


def volumes(plan: Plan) -> dict[str, Volume]:
    """Give the volume of each server: in each of two rooms, a copy on the first array that still holds it.

    The preferred room comes first, then the order of the file; the array of a stand-alone volume comes before all. A
    volume that finds fewer rooms is refused by ``plan check``.
    """
    arrays = of_kind(plan, NodeKind.ARRAY)
    left = {array.name: array.capacity or 0 for array in arrays}
    found: dict[str, Volume] = {}
    for server in plan.servers.values():
        needed = footprint(server.volume or 0)
        copies: dict[str, str] = {}
        for array in sorted(arrays, key=lambda array: array.name != server.standalone):
            if needed and len(copies) < COPIES and array.place not in copies and left[array.name] >= needed:
                copies[array.place] = array.name
                left[array.name] -= needed
        here = tuple(copies.values())
        first, other = here[:1], next(iter(here[1:]), None)
        if plan.storage.replication is not None:
            found[server.name] = Volume(server.name, server.volume or 0, first, replica=other)
        elif server.standalone is not None:
            found[server.name] = Volume(server.name, server.volume or 0, first, joins=other)
        else:
            found[server.name] = Volume(server.name, server.volume or 0, here)
    return found
