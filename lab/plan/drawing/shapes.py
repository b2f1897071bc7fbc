"""The few SVG shapes that the drawing is made of. Everything written in a plan is escaped here."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

FONTS = "DejaVu Sans, Verdana, sans-serif"
INK, PALE, PAPER = "#1f2328", "#57606a", "#ffffff"

_NARROW, _SMALL, _WIDE = (
    frozenset("ijlfrtIJ-.,:;'!|/\\()[] ·"),
    frozenset("abcdeghknopqsuvxyzEFLPST"),
    frozenset("mwMW@%"),
)


class Box(NamedTuple):
    """A rectangle, from its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.h

    @property
    def middle(self) -> float:
        """Its centre, across."""
        return self.x + self.w / 2

    def touches(self, other: Box, gap: float = 0) -> bool:
        """Say whether two rectangles share a point, or come nearer than a gap."""
        across = self.x < other.right + gap and other.x < self.right + gap
        return across and self.y < other.bottom + gap and other.y < self.bottom + gap

    def holds(self, other: Box) -> bool:
        """Say whether another rectangle lies inside."""
        across = self.x <= other.x and other.right <= self.right
        return across and self.y <= other.y and other.bottom <= self.bottom


class Line(NamedTuple):
    """A line of text: what it says, its size, and whether it is bold."""

    text: str
    size: float = 11
    bold: bool = False

    @property
    def width(self) -> float:
        """Room that it needs, from above: DejaVu Sans is the widest of the fonts asked for."""
        return sum(map(_advance, self.text)) * self.size * (1.13 if self.bold else 1)


def _advance(character: str) -> float:
    if character in _NARROW:
        return 0.44
    if character in _SMALL:
        return 0.64
    return 0.7 if character.isdigit() else 1.0 if character in _WIDE or not character.isascii() else 0.85


def shown(text: str) -> str:
    """Give a text that XML can hold on one line: what cannot be printed becomes a question mark."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def clipped(line: Line, room: float) -> Line:
    """Shorten a line of text to the room there is."""
    if line.width <= room:
        return line
    kept = line.text
    while kept and Line(f"{kept}…", line.size, line.bold).width > room:
        kept = kept[:-1]
    return line._replace(text=f"{kept.rstrip()}…")


def tag(name: str, /, *children: str, **attributes: float | str) -> str:
    """Write an element; ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    inside = "".join(children)
    return f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>"


def number(value: float) -> str:
    """Write a coordinate to a tenth of a unit."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def titled(title: str, *children: str) -> str:
    """Group shapes under a title, which screens show as a tip and readers speak."""
    return tag("g", tag("title", escape(shown(title))), *children) + "\n"


def rect(box: Box, **attributes: float | str) -> str:
    """Write a rectangle."""
    return tag("rect", x=box.x, y=box.y, width=box.w, height=box.h, **attributes)


def words(x: float, baseline: float, line: Line, **attributes: float | str) -> str:
    """Write a line of text from its left end, or from its middle or right end by ``text_anchor``."""
    if line.bold:
        attributes["font_weight"] = "bold"
    return tag("text", escape(shown(line.text), quote=False), x=x, y=baseline, font_size=line.size, **attributes)


def path(points: list[tuple[float, float]], **attributes: float | str) -> str:
    """Write a line through points."""
    steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return tag("path", d=f"M{steps}", fill="none", **attributes)
