"""The whole page, before anything is written: two rows of places, the cables between them, the panel below. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lab.plan.drawing import cables, places
from lab.plan.drawing.measures import Measures
from lab.plan.drawing.panel import panel
from lab.plan.drawing.shapes import Box
from lab.plan.words import NodeKind

if TYPE_CHECKING:
    from lab.plan.derived import Place
    from lab.plan.drawing.cables import Run
    from lab.plan.drawing.panel import Block
    from lab.plan.drawing.phrases import Phrases
    from lab.plan.drawing.places import Drawn
    from lab.plan.model import Plan

EDGE, HEADER, BETWEEN = 30.0, 58.0, 44.0
LEAST_WIDTH = 1400.0
A3 = math.sqrt(2)
LEAST_PITCH, MOST_PITCH = 24.0, 64.0
TOLERATED = 1.12
"""A page this much larger than the smallest is preferred when it stacks less: its lines are shorter."""


@dataclass(frozen=True)
class Page:
    """Everything with its place; ``tracks`` gives the heights of the cables' tracks, ``foot`` that of the panel."""

    measures: Measures
    width: float
    height: float
    places: dict[str, Drawn]
    runs: list[Run]
    tracks: list[float]
    foot: float
    panel: Block

    @property
    def corridor(self) -> tuple[float, float]:
        """Give the lower side of the upper row and the upper side of the lower one."""
        upper = [drawn.box.bottom for drawn in self.places.values() if drawn.top]
        lower = [drawn.box.y for drawn in self.places.values() if not drawn.top]
        top = max(upper, default=EDGE + HEADER)
        return top, min(lower, default=top)

    @property
    def strip(self) -> float:
        """Give the height of the first line of a pair, above the hosts."""
        return EDGE + HEADER + places.TITLE + 2


def arranged(plan: Plan, phrases: Phrases) -> Page:
    """Lay out a plan on a page of the shape of an A3 sheet, nearly as large as it can be printed."""
    pages = [_page(Measures(plan, phrases, tall=tall, high=high)) for high in (1, 3) for tall in (1, 2, 3, 4)]
    sizes = [max(page.width, page.height * A3) for page in pages]
    page = next(page for page, size in zip(pages, sizes, strict=True) if size <= TOLERATED * min(sizes))
    if page.height * A3 > page.width:
        page = _page(page.measures, page.height * A3)
    page = _page(page.measures, page.width, page.width / A3 - page.height)
    return replace(page, height=max(page.height, page.width / A3))


def _page(measures: Measures, width: float = LEAST_WIDTH, spare: float = 0) -> Page:
    """Lay out a page of at least a width; what is spare in height goes to the cables."""
    rows = _rows(measures)
    needs = [[measures.width(place, _ports(measures, place)) for place in row] for row in rows]
    inner = max([width - 2 * EDGE, *(sum(row) + BETWEEN * (len(row) - 1) for row in needs if row)])
    heights = [max((places.height(measures, place) for place in row), default=0) for row in rows]
    strip = places.TRACK * len(measures.pairs) + 6 if measures.pairs else 0
    top = EDGE + HEADER
    upper = _row(measures, rows[0], needs[0], Box(EDGE, top, inner, heights[0] + strip), top=True)
    draft = _row(measures, rows[1], needs[1], Box(EDGE, top, inner, heights[1]), top=False)
    runs = cables.runs(measures.plan, upper | draft)
    count = 1 + max((run.track for run in runs), default=-1)
    pitch = min(LEAST_PITCH + max(0, spare) / (count + 1), MOST_PITCH)
    start = top + heights[0] + strip
    low = start + pitch * (count + 1)
    lower = _row(measures, rows[1], needs[1], Box(EDGE, low, inner, heights[1]), top=False)
    foot = low + heights[1] + 20
    block = panel(measures, inner)
    return Page(
        measures=measures,
        width=inner + 2 * EDGE,
        height=foot + block.height + EDGE,
        places=upper | lower,
        runs=runs,
        tracks=[start + pitch * (i + 1) for i in range(count)],
        foot=foot,
        panel=block,
    )


def _rows(measures: Measures) -> tuple[list[Place], list[Place]]:
    """Give the rooms with hosts, then all other places; a plan without hosts has its rooms above."""
    plan = measures.plan
    found = list(plan.places.values())
    hosting = {node.place for node in plan.nodes.values() if node.kind is NodeKind.HOST}
    upper = [place for place in found if (place.name in hosting if hosting else place.is_room)]
    return upper, [place for place in found if place not in upper]


def _ports(measures: Measures, place: Place) -> int:
    return sum(place.name in cable.between for cable in measures.plan.cables.values())


def _row(measures: Measures, row: list[Place], needs: list[float], box: Box, *, top: bool) -> dict[str, Drawn]:
    spare = box.w - sum(needs) - BETWEEN * (len(row) - 1)
    full = max((measures.area_height(place) for place in row), default=0)
    found: dict[str, Drawn] = {}
    x = box.x
    for place, need in zip(row, needs, strict=True):
        own = Box(x, box.y, need + spare / len(row), box.h)
        found[place.name] = places.drawn(measures, place, own, full, top=top)
        x = own.right + BETWEEN
    return found
