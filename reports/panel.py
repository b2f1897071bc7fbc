"""One panel of a timeline: its lanes, the band of the fault, its marks and its axis, between two instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.lanes import grained
from reports.model import State
from reports.svg import FONT, number, placed, tag, ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markupsafe import Markup

    from reports.language import Language
    from reports.model import Span
    from reports.svg import Label

    Box = tuple[float, float, float]

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
    rows = [top + row * LANE for row in range(len(panel.lanes))]
    shapes = [tag("text", panel.title, x=0, y=FONT, font_weight="bold")]
    shapes += _band(panel, top, bottom)
    shapes += _names(panel, rows)
    shapes += _lanes(panel, rows)
    shapes += _marks(labels, bottom)
    shapes += _axis(panel, bottom, language)
    return shapes, bottom + 15


def bars(state: State, boxes: Iterable[Box], hatch: str) -> Markup:
    """Return all that is of one state, as one element: full, half height, or hatched and outlined.

    A box is the left and the width of a bar, and the top of its lane's bars. One element for a whole panel: to print
    an element costs more than to print a bar.
    """
    if state is State.SERVED:
        return tag("path", d="".join(_box(x, y, width, BAR) for x, width, y in boxes), fill=SERVED)
    if state is State.SLOW:
        return tag("path", d="".join(_box(x, y + BAR / 2, width, BAR / 2) for x, width, y in boxes), fill=SLOW)
    # The outline stays inside the cell, so that two states side by side never hide each other.
    drawn = "".join(_box(x + 0.5, y - 1, max(width - 1, 1), BAR + 2) for x, width, y in boxes)
    return tag("path", d=drawn, fill=f"url(#{hatch})", stroke=INK)


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


def _band(panel: Panel, top: float, bottom: float) -> Iterator[Markup]:
    if panel.band and panel.band[0] < panel.end and panel.band[1] > panel.start:
        left, right = panel.x(panel.band[0]), panel.x(panel.band[1])
        yield tag("rect", x=left, y=top - 3, width=max(right - left, 1), height=bottom - top + 3, fill=BAND)


def _names(panel: Panel, rows: Sequence[float]) -> Iterator[Markup]:
    for (label, _), y in zip(panel.lanes, rows, strict=True):
        yield tag("text", label, x=panel.left - 8, y=y + LANE / 2 + 3.5, text_anchor="end")


def _lanes(panel: Panel, rows: Sequence[float]) -> Iterator[Markup]:
    lines = (f"M{number(panel.left)} {number(y + LANE / 2)}H{WIDTH - RIGHT}" for y in rows)
    yield tag("path", d="".join(lines), stroke=FAINT)
    grain = panel.grain or (panel.end - panel.start) / (panel.plot / 2)
    boxes: dict[State, list[Box]] = {state: [] for state in State}
    for (_, spans), y in zip(panel.lanes, rows, strict=True):
        for span in grained(spans, panel.start, panel.end, grain):
            left = panel.x(span.start)
            boxes[span.state].append((left, panel.x(span.end) - left, y + (LANE - BAR) / 2))
    for state, found in boxes.items():
        if found:
            yield bars(state, found, panel.hatch)


def _marks(marks: Sequence[Label], bottom: float) -> Iterator[Markup]:
    tops = [TITLE + mark.row * MARK for mark in marks]
    lines = "".join(
        f"M{number(it.column)} {number(top + 2)}V{number(bottom)}" for it, top in zip(marks, tops, strict=True)
    )
    if lines:
        yield tag("path", d=lines, stroke=INK, stroke_dasharray="3 2")
    for mark, top in zip(marks, tops, strict=True):
        side, anchor = (-4, "end") if mark.turned else (4, "start")
        yield tag("text", mark.text, x=mark.column + side, y=top + FONT, text_anchor=anchor)


def _axis(panel: Panel, y: float, language: Language) -> Iterator[Markup]:
    marks = ticks(panel.start, panel.end, panel.plot)
    line = f"M{number(panel.left)} {number(y)}H{WIDTH - RIGHT}"
    yield tag("path", d=line + "".join(f"M{number(panel.x(at))} {number(y)}v5" for at in marks), stroke=INK)
    if panel.grain:
        count = round((panel.end - panel.start) / panel.grain)
        small = (f"M{number(panel.x(panel.start + cell * panel.grain))} {number(y)}v2" for cell in range(count + 1))
        yield tag("path", d="".join(small), stroke=INK, stroke_width="0.5")
    for at in marks:
        said = language.number(round(at, 1) + 0.0).replace("-", "\N{MINUS SIGN}")
        yield tag("text", said, x=panel.x(at), y=y + 14, text_anchor="middle")
