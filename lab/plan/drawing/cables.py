"""How cables run between the two rows of places: each on a track of its own, no two lines on one another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.plan.drawing import tracks
from lab.plan.drawing.measures import PITCH
from lab.plan.drawing.shapes import Box, Line
from lab.plan.words import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.drawing.places import Drawn
    from lab.plan.elements import Cable
    from lab.plan.model import Plan

LANE = 6.0
"""Distance between two lines of one cable."""
LABEL = 11.0


@dataclass(frozen=True)
class End:
    """Where a cable meets its place: the middle of its lines, and whether it comes from above."""

    place: str
    x: float
    top: bool


@dataclass(frozen=True)
class Run:
    """A cable between its left and its right end, on a track counted from above; ``label`` is its name's middle."""

    cable: Cable
    left: End
    right: End
    track: int = 0
    label: float = 0

    @property
    def lanes(self) -> dict[str, float]:
        """Give each network's distance from the middle of the track, downwards."""
        carried = [network for network in NETWORKS if network in self.cable.carries]
        return {network: (i - (len(carried) - 1) / 2) * LANE for i, network in enumerate(carried)}

    @property
    def name(self) -> Line:
        """What is written on the cable."""
        return Line(self.cable.name, LABEL, bold=True)

    @property
    def span(self) -> tuple[float, float]:
        """Give what the cable takes of its track, its name included."""
        middle, half = (self.left.x + self.right.x) / 2, self.name.width / 2 + 12
        return min(self.left.x - 12, middle - half), max(self.right.x + 12, middle + half)

    def column(self, end: End, lane: float) -> float:
        """Give the column of a line at one end, so that the lines of a cable turn without crossing."""
        return end.x + lane * (1 if (end == self.right) == end.top else -1)


def runs(plan: Plan, places: dict[str, Drawn]) -> list[Run]:
    """Give each cable its ends, its track, and the place of its name."""
    ends = {(place.place.name, name): end for place in places.values() for name, end in _ends(plan, place, places)}
    found: list[Run] = []
    for cable in plan.cables.values():
        left, right = sorted((ends[place, cable.name] for place in cable.between), key=lambda end: end.x)
        found.append(Run(cable, left, right))
    return tracks.tracked(found)


def _ends(plan: Plan, place: Drawn, places: dict[str, Drawn]) -> Iterator[tuple[str, End]]:
    """Spread the cables of a place along its side, those that go left on the left; parallel ones are nested."""
    here = place.place.name
    others = [
        (places[cable.between[cable.between[0] == here]], i, cable.name)
        for i, cable in enumerate(plan.cables.values())
        if here in cable.between
    ]

    def order(reached: tuple[Drawn, int, str]) -> tuple[float, int]:
        other, i, _ = reached
        nested = other.top == place.top and other.box.x < place.box.x
        return other.box.middle, -i if nested else i

    names = [name for _, _, name in sorted(others, key=order)]
    slots = list(_slots(place))
    for i, name in enumerate(names):
        slot = slots[int((i + 0.5) * len(slots) / len(names))]
        yield name, End(here, slot, place.top)


def _slots(place: Drawn) -> Iterator[float]:
    """Give the columns where cables may end; those of the two rows are half a pitch apart."""
    shift = PITCH / 2 if place.top else 0
    x = (place.box.x + 30 - shift) // PITCH * PITCH + PITCH + shift
    while x <= place.box.right - 50:
        yield x
        x += PITCH


def points(run: Run, network: str, top: float, bottom: float, track: float) -> list[tuple[float, float]]:
    """Give the line of a network between the two rows, whose sides are at ``top`` and ``bottom``."""
    lane = run.lanes[network]
    left, right = run.column(run.left, lane), run.column(run.right, lane)
    return [
        (left, top if run.left.top else bottom),
        (left, track + lane),
        (right, track + lane),
        (right, top if run.right.top else bottom),
    ]


def label_box(run: Run, track: float) -> Box:
    """Give the box of a cable's name."""
    wide = run.name.width + 10
    return Box(run.label - wide / 2, track - 8, wide, 16)
