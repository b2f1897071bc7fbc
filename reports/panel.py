"""One panel of a timeline: its lanes, the band of the fault, its marks and its axis, between two instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.lanes import grained
from reports.model import State
from reports.svg import FONT, number, placed, tag, ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markupsafe import Markup

    from reports.language import Language
    from reports.model import Span
    from reports.svg import Label

WIDTH, RIGHT, LANE, BAR, TITLE, MARK = 720, 18, 13, 8, 15, 11
INK, SERVED, SLOW, BAND, FAINT = "#111827", "#64748b", "#334155", "#e2e8f0", "#cbd5e1"


@dataclass(frozen=True)
class Panel:
    """What a panel shows. Instants in seconds from the origin, columns in units of the drawing."""

    title: str
    start: float
    end: float
    left: float
    lanes: tuple[tuple[str, tuple[Span, ...]], ...]
    marks: tuple[tuple[float, str], ...]
    band: tuple[float, float] | None
    hatch: str
    """Identifier of the hatching pattern."""
    grain: float | None = None
    """Seconds a cell covers; None for two columns a cell."""

    @property
    def plot(self) -> float:
        """Width of the plot."""
        return WIDTH - RIGHT - self.left

    def x(self, seconds: float) -> float:
        """Return the column of an instant, kept inside the plot."""
        inside = min(max(seconds, self.start), self.end)
        return self.left + (inside - self.start) / (self.end - self.start) * self.plot


def draw(panel: Panel, language: Language) -> tuple[list[Markup], float]:
    """Return the shapes of a panel and its height."""
    shown = [(panel.x(at), label) for at, label in panel.marks if panel.start <= at <= panel.end]
    labels = placed(shown, WIDTH)
    top = TITLE + MARK * (1 + max((label.row for label in labels), default=-1)) + 4
    bottom = top + LANE * len(panel.lanes)
    shapes = [tag("text", panel.title, x=0, y=FONT, font_weight="bold")]
    shapes += _band(panel, top, bottom)
    for row, (label, spans) in enumerate(panel.lanes):
        shapes += _lane(panel, label, spans, top + row * LANE)
    for mark in labels:
        shapes += _mark(mark, bottom)
    shapes += _axis(panel, bottom, language)
    return shapes, bottom + 15


def bars(state: State, spans: Iterable[tuple[float, float]], y: float, hatch: str) -> Markup:
    """Return the shapes of one state along a lane, as one element: full, half height, or hatched and outlined."""
    if state is State.SERVED:
        return tag("path", d=_boxes(spans, y, BAR), fill=SERVED)
    if state is State.SLOW:
        return tag("path", d=_boxes(spans, y + BAR / 2, BAR / 2), fill=SLOW)
    # The outline stays inside the cell, so that two states side by side never hide each other.
    inner = ((x + 0.5, max(width - 1, 1)) for x, width in spans)
    return tag("path", d=_boxes(inner, y - 1, BAR + 2), fill=f"url(#{hatch})", stroke=INK)


def _boxes(spans: Iterable[tuple[float, float]], y: float, height: float) -> str:
    tall = number(height)
    return "".join(f"M{number(x)} {number(y)}h{number(width)}v{tall}h{number(-width)}z" for x, width in spans)


def _band(panel: Panel, top: float, bottom: float) -> Iterator[Markup]:
    if panel.band and panel.band[0] < panel.end and panel.band[1] > panel.start:
        left, right = panel.x(panel.band[0]), panel.x(panel.band[1])
        yield tag("rect", x=left, y=top - 3, width=max(right - left, 1), height=bottom - top + 3, fill=BAND)


def _lane(panel: Panel, label: str, spans: tuple[Span, ...], y: float) -> Iterator[Markup]:
    middle = y + LANE / 2
    yield tag("text", label, x=panel.left - 8, y=middle + 3.5, text_anchor="end")
    yield tag("path", d=f"M{number(panel.left)} {number(middle)}H{WIDTH - RIGHT}", stroke=FAINT)
    grain = panel.grain or (panel.end - panel.start) / (panel.plot / 2)
    drawn = grained(spans, panel.start, panel.end, grain)
    for state in State:
        boxes = [
            (panel.x(span.start), panel.x(span.end) - panel.x(span.start)) for span in drawn if span.state is state
        ]
        if boxes:
            yield bars(state, boxes, middle - BAR / 2, panel.hatch)


def _mark(mark: Label, bottom: float) -> Iterator[Markup]:
    top = TITLE + mark.row * MARK
    line = f"M{number(mark.column)} {number(top + 2)}V{number(bottom)}"
    yield tag("path", d=line, stroke=INK, stroke_dasharray="3 2")
    side, anchor = (-4, "end") if mark.turned else (4, "start")
    yield tag("text", mark.text, x=mark.column + side, y=top + FONT, text_anchor=anchor)


def _axis(panel: Panel, y: float, language: Language) -> Iterator[Markup]:
    yield tag("path", d=f"M{number(panel.left)} {number(y)}H{WIDTH - RIGHT}", stroke=INK)
    if panel.grain:
        count = round((panel.end - panel.start) / panel.grain)
        small = (f"M{number(panel.x(panel.start + cell * panel.grain))} {number(y)}v2" for cell in range(count + 1))
        yield tag("path", d="".join(small), stroke=INK, stroke_width="0.5")
    marks = ticks(panel.start, panel.end, panel.plot)
    yield tag("path", d="".join(f"M{number(panel.x(at))} {number(y)}v5" for at in marks), stroke=INK)
    for at in marks:
        said = language.number(round(at, 1) + 0.0).replace("-", "\N{MINUS SIGN}")
        yield tag("text", said, x=panel.x(at), y=y + 14, text_anchor="middle")
