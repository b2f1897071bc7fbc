"""Whether the elements of a plan hold together. Each check says what is wrong and what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan.checks import fabric, ha, names, servers, services, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.checks.problem import Problem
    from lab.plan.model import Plan


def problems(plan: Plan) -> Iterator[list[Problem]]:
    """Give the problems group by group; a group may only be asked for when those before it were empty.

    Names come first: without them, what is derived from the plan (nodes, placement) means nothing.
    """
    for group in (names.problems, fabric.problems, servers.problems, ha.problems, storage.problems, services.problems):
        yield list(group(plan))
