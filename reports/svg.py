"""The few SVG shapes that the figures are made of. Everything that comes from a run is escaped here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

FONT = 9.5
GLYPH = 0.62 * FONT
"""Width of a character, from above: DejaVu Sans, the widest font of the fallback list, averages 0.60 em."""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


def tag(name: str, /, *children: str, **attributes: float | str) -> Markup:
    """Return an element; ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value if isinstance(value, str) else number(value))}"'
        for key, value in attributes.items()
    )
    inside = Markup("").join(children)
    return Markup(f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>")  # noqa: S704  escaped above


def number(value: float) -> str:
    """Return a coordinate to a tenth of a unit, in as few characters as possible: a page holds thousands."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def width(label: str) -> float:
    """Return the room that a label needs, from above."""
    return GLYPH * len(label)


def ticks(start: float, end: float, room: float) -> tuple[float, ...]:
    """Return round instants between two others, no more of them than labels fit in the room."""
    fitting = max(1, room / 46)
    step = next((step for step in _STEPS if (end - start) / step <= fitting), (end - start) / fitting)
    return tuple(step * count for count in range(math.ceil(start / step), math.floor(end / step) + 1))


class Label(NamedTuple):
    """A label beside the top of its line: ``row`` from above, ``turned`` when it stands left of its column."""

    column: float
    text: str
    turned: bool
    row: int = 0

    @property
    def box(self) -> tuple[float, float]:
        """Left and right of the label, its distance to the line included."""
        wide = 4 + width(self.text)
        return (self.column - wide, self.column) if self.turned else (self.column, self.column + wide)


def placed(labels: Iterable[tuple[float, str]], right: float) -> tuple[Label, ...]:
    """Place labels on rows so that no label touches another, nor a line that comes down from a row above.

    A label stands right of its line, unless the right edge or the line of a turned label is in the way. Turned labels
    take the upper rows, from the right; the others follow from the left, below any label that covers their column.
    """
    turned: list[Label] = []
    plain: list[Label] = []
    for column, text in sorted(labels, reverse=True):
        label = Label(column, text, turned=False)
        blocked = label.box[1] > right or any(column < other.column <= label.box[1] for other in turned)
        (turned if blocked else plain).append(label._replace(turned=blocked))
    done: list[Label] = []
    for label in (*turned, *reversed(plain)):
        row = max((other.row + 1 for other in done if other.box[0] <= label.column <= other.box[1]), default=0)
        while any(other.row == row and _touch(label.box, other.box) for other in done):
            row += 1
        done.append(label._replace(row=row))
    return tuple(done)


def _touch(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] + 6 and other[0] < one[1] + 6
