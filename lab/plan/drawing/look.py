"""Colours, dashes and signs. Each meaning has a shape as well as a colour: prints are grey."""

from __future__ import annotations

from typing import NamedTuple

from lab.plan.drawing.shapes import INK, PAPER, Box, number, path, rect, tag
from lab.plan.words import Continuity, NodeKind


class Look(NamedTuple):
    """How a network is drawn: ``dash`` tells it from the others without colour."""

    colour: str
    tint: str
    dash: str


LOOKS = {
    "management": Look("#1a7f37", "#e6f4ea", "2 3"),
    "storage": Look("#b45309", "#fdf0e1", "9 4"),
    "servers": Look("#1f4fd8", "#e8eefc", "none"),
}
STROKE = 1.8


def line(points: list[tuple[float, float]], network: str) -> str:
    """Write a line of a network."""
    look = LOOKS[network]
    dashed: dict[str, float | str] = {} if look.dash == "none" else {"stroke_dasharray": look.dash}
    return path(points, stroke=look.colour, stroke_width=STROKE, stroke_linejoin="round", **dashed)


def dot(x: float, y: float, network: str) -> str:
    """Write the dot where a line ends on a switch."""
    return tag("circle", cx=x, cy=y, r=3, fill=LOOKS[network].colour)


def switch(box: Box, network: str) -> str:
    """Write the bar of a switch, outlined as its network's lines are."""
    look = LOOKS[network]
    outline: dict[str, float | str] = {} if look.dash == "none" else {"stroke_dasharray": look.dash}
    return rect(box, rx=2, fill=look.tint, stroke=look.colour, stroke_width=1.4, **outline)


def pair(points: list[tuple[float, float]]) -> str:
    """Write the double line that joins the two members of a pair."""
    wide = path(points, stroke=INK, stroke_width=4.2, stroke_linejoin="round")
    return wide + path(points, stroke=PAPER, stroke_width=1.8, stroke_linejoin="round")


def server(box: Box, continuity: Continuity) -> str:
    """Write the outline of a server: double for a pair, dashed for one that waits in rescue."""
    if continuity is Continuity.PAIR:
        inner = Box(box.x + 2.5, box.y + 2.5, box.w - 5, box.h - 5)
        return rect(box, rx=3, fill=PAPER, stroke=INK) + rect(inner, rx=2, fill="none", stroke=INK, stroke_width=0.8)
    dashed: dict[str, float | str] = {"stroke_dasharray": "5 3"} if continuity is Continuity.RESCUE else {}
    return rect(box, rx=3, fill=PAPER, stroke=INK, **dashed)


def sign(kind: NodeKind, x: float, y: float) -> str:
    """Write the sign of a kind of node, 16 wide and 14 high."""
    return tag("g", *_SIGNS[kind], transform=f"translate({number(x)} {number(y)})", stroke=INK, stroke_width=1.2)


def _drawn(d: str, fill: str = PAPER) -> str:
    return tag("path", d=d, fill=fill)


_DIAMOND = "M8 0L16 7L8 14L0 7Z"
_SIGNS = {
    NodeKind.HOST: (_drawn("M0.5 1H15.5V13H0.5Z"), _drawn("M0.5 5H15.5M0.5 9H15.5M3 3H6M3 7H6M3 11H6", "none")),
    NodeKind.ARRAY: (_drawn("M1 3V11C1 15 15 15 15 11V3C15 -1 1 -1 1 3"), _drawn("M1 3C1 7 15 7 15 3", "none")),
    NodeKind.VIRTUALISER: (_drawn("M4 0.5H12L16 7L12 13.5H4L0 7Z"), _drawn("M4 7H12M9.5 4.5L12 7L9.5 9.5", "none")),
    NodeKind.ARBITER: (_drawn(_DIAMOND),),
    NodeKind.WITNESS: (_drawn(_DIAMOND), _drawn("M8 3.5L12 7L8 10.5L4 7Z", INK)),
    NodeKind.RESCUE: (
        tag("circle", cx=8, cy=7, r=6.8, fill=PAPER),
        tag("circle", cx=8, cy=7, r=2.6, fill=PAPER),
        _drawn("M3.2 2.2L6.2 5.2M12.8 2.2L9.8 5.2M3.2 11.8L6.2 8.8M12.8 11.8L9.8 8.8", "none"),
    ),
    NodeKind.WARD: (_drawn("M0.5 0.5H15.5V13.5H0.5Z"), _drawn("M8 3V11M4 7H12", "none")),
}
