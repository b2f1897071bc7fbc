"""The smallest sets of losses that interrupt a service."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.expectation.deriving import expect
from lab.expectation.prediction import Class
from lab.plan import NodeKind

if TYPE_CHECKING:
    from lab.plan import Plan

LARGEST = 2
"""Sets of three are many, and a plan that survives any two losses already owes nobody an explanation."""


def smallest_cuts(plan: Plan, service: str) -> list[frozenset[str]]:
    """Give the minimal sets of one or two losses (rooms, nodes, switches, cables) of class C or D.

    Wards and their sites are left out: they are those who watch.

    Raises:
        UnknownNameError: The service is not in the plan.
    """
    nodes = [node.name for node in plan.nodes.values() if node.kind is not NodeKind.WARD]
    things = [*plan.rooms, *nodes, *plan.switches, *plan.cables]
    cuts: list[frozenset[str]] = []
    for size in range(1, LARGEST + 1):
        sets = (frozenset(chosen) for chosen in combinations(things, size))
        cuts += [
            lost
            for lost in sets
            if not any(cut < lost for cut in cuts) and expect(plan, service, lost).klass in (Class.C, Class.D)
        ]
    return cuts
