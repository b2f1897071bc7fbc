"""Where everything in a room or a site is drawn: switches towards the cables, nodes on the outer side. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.plan.drawing.measures import LEADING, MARGIN, PITCH
from lab.plan.drawing.shapes import Box
from lab.plan.words import NETWORKS, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.derived import Place
    from lab.plan.drawing.measures import Column, Measures

TITLE, FOOT, BAR, RAIL, AIR = 34.0, 14.0, 19.0, 27.0, 20.0
TRACK = 12.0
"""Height that the line of one pair takes above the hosts."""


@dataclass(frozen=True)
class Wire:
    """A node's line to a switch; it ends on the switch with a dot."""

    node: str
    network: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Drawn:
    """A place with all its boxes. ``top`` says that its cables leave downwards."""

    place: Place
    top: bool
    box: Box
    bars: dict[str, Box]
    nodes: dict[str, Box]
    servers: dict[str, Box]
    wires: tuple[Wire, ...]
    leads: dict[str, float]
    """By server of a pair, the column in which its line goes up."""


def height(measures: Measures, place: Place) -> float:
    """Give the least height of a place, without the lines of pairs."""
    bars = sum(map(len, place.switches.values()))
    return TITLE + measures.area_height(place) + AIR + bars * RAIL + FOOT


def drawn(measures: Measures, place: Place, box: Box, full: float, *, top: bool) -> Drawn:
    """Lay out a place inside its box; ``full`` is the height of its nodes."""
    bars = dict(_bars(place, box, top=top))
    depth = FOOT + len(bars) * RAIL + AIR - (RAIL - BAR)
    near = box.bottom - depth if top else box.y + depth
    nodes: dict[str, Box] = {}
    servers: dict[str, Box] = {}
    wires: list[Wire] = []
    leads: dict[str, float] = {}
    columns = measures.columns(place)
    spare = box.w - 2 * MARGIN - sum(column.whole for column in columns)
    gap = spare / len(columns) if columns else 0
    x = box.x + MARGIN + gap / 2
    for column in columns:
        boxes = _stack(measures, column, (x + column.left, near), full, top=top)
        inside = {name: inner for node, outer in boxes.items() for name, inner in _servers(measures, node, outer)}
        paired = [name for node in column.nodes for name in measures.paired(node)]
        paired.sort(key=lambda name: inside[name].y)
        leads |= {name: x + column.left - 8 * (i + 1) for i, name in enumerate(paired)}
        nodes |= boxes
        servers |= inside
        wires += _wires(measures, column, boxes, bars, top=top)
        x += column.whole + gap
    return Drawn(place, top, box, bars, nodes, servers, tuple(wires), leads)


def _bars(place: Place, box: Box, *, top: bool) -> Iterator[tuple[str, Box]]:
    """Give the bars of the switches: servers towards the cables, since the wards are there; management outermost."""
    order = -1 if top else 1  # so that those of one network read downwards as in the file
    names = [name for network in reversed(NETWORKS) for name in place.switches.get(network, ())[::order]]
    for i, name in enumerate(names):
        y = box.bottom - FOOT - BAR - i * RAIL if top else box.y + FOOT + i * RAIL
        yield name, Box(box.x + MARGIN, y, box.w - 2 * MARGIN, BAR)


def _stack(
    measures: Measures, column: Column, corner: tuple[float, float], full: float, *, top: bool
) -> dict[str, Box]:
    """Place the nodes of a column from the switches outwards, spread over the height of the place's nodes."""
    x, near = corner
    heights = [measures.node_height(measures.plan.nodes[name]) for name in column.nodes]
    if measures.plan.nodes[column.nodes[0]].kind is NodeKind.HOST:
        free = full - sum(heights) - 12 * (len(heights) - 1)
        heights = [high + free / len(heights) for high in heights]
    elif not top:
        full = sum(heights) + 12 * (len(heights) - 1)
    between = (full - sum(heights)) / (len(heights) - 1) if len(heights) > 1 else 0
    boxes = {}
    for name, high in zip(column.nodes, heights, strict=True):
        boxes[name] = Box(x, near - high if top else near, column.width, high)
        near += (-1 if top else 1) * (high + between)
    return boxes


def _servers(measures: Measures, node: str, box: Box) -> Iterator[tuple[str, Box]]:
    y = box.y + 12 + LEADING * len(measures.node_lines(measures.plan.nodes[node]))
    for name in measures.on[node]:
        yield name, Box(box.x + 10, y, box.w - 20, measures.server_height(name))
        y += measures.server_height(name) + 7


def lattice(start: float, *, top: bool) -> Iterator[float]:
    """Give the columns that nodes' lines may take: three out of each pitch of the grid, away from the cables' ends."""
    shift = -6 if top else 12
    cell = math.ceil((start - shift) / PITCH)
    while True:
        yield from (cell * PITCH + shift + step for step in (0, 6, 12))
        cell += 1


def _wires(
    measures: Measures, column: Column, boxes: dict[str, Box], bars: dict[str, Box], *, top: bool
) -> Iterator[Wire]:
    """Draw the lines of a column's nodes: straight from a single one, through the gutter from stacked ones."""
    ends = {
        name: [
            (network, switch) for network in NETWORKS for switch in measures.plan.nodes[name].stands_on.get(network, ())
        ]
        for name in column.nodes
    }
    first = boxes[column.nodes[0]]
    span = 12 + PITCH * ((len(ends[column.nodes[0]]) - 1) // 3)
    alone = first.middle - (span + PITCH) / 2  # on average half a pitch is lost to the grid
    columns = lattice(first.right + 8 if column.gutter else alone, top=top)
    for name, reached in ends.items():
        box = boxes[name]
        for i, (network, switch) in enumerate(reached):
            x, end = next(columns), bars[switch].y if top else bars[switch].bottom
            if column.gutter:
                side = box.y + 10 + (len(reached) - 1 - i if top else i) * (box.h - 20) / max(1, len(reached) - 1)
                yield Wire(name, network, ((box.right, side), (x, side), (x, end)))
            else:
                yield Wire(name, network, ((x, box.bottom if top else box.y), (x, end)))


def trunks(drawn: Drawn) -> Iterator[tuple[str, float, float, float]]:
    """Give the trunks between two switches of one network: network, column, from, to."""
    for network, names in drawn.place.switches.items():
        for one, other in pairwise(names):
            low, high = sorted((drawn.bars[one], drawn.bars[other]), key=lambda bar: bar.y)
            yield network, low.right - 14, low.bottom, high.y
