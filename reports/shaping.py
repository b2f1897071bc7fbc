"""Shapes each line of a document once: a report says the same short lines on every page.

Seen on thirty scenarios: of 6,200 lines 1,000 differ, and weasyprint has Pango shape each of them twice, to lay it out
and to draw it. Our style sheet cuts no line with an ellipsis, which would change a line that others share.
"""

from __future__ import annotations

import contextlib
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from reports.sparing import instead

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = (
    "direction", "font_family", "font_feature_settings", "font_kerning", "font_language_override", "font_size",
    "font_stretch", "font_style", "font_variant_alternates", "font_variant_caps", "font_variant_east_asian",
    "font_variant_ligatures", "font_variant_numeric", "font_variant_position", "font_variation_settings", "font_weight",
    "hyphenate_character", "hyphenate_limit_chars", "hyphenate_limit_zone", "hyphens", "lang", "letter_spacing",
    "line_height", "overflow_wrap", "tab_size", "text_decoration_line", "white_space", "word_break", "word_spacing",
)  # fmt: skip
"""What weasyprint asks of a style to shape a line: two lines that agree on these, on text and on room are the same."""
_values, _names = itemgetter(*READ), frozenset(READ)


def hand(style: Any) -> tuple[Any, ...]:  # noqa: ANN401 - published without types
    """Return the values of what is read of a style. All are inherited: an element that sets none has its parent's."""
    if "hand" not in style.__dict__:
        parent = style.parent_style
        inherits = parent is not None and _names.isdisjoint(getattr(style, "cascaded", ()))
        style.hand = hand(parent) if inherits else _values(style)
    return style.hand  # type: ignore[no-any-return]


class Line:
    """A shaped line, drawn by what was said when it was drawn first; for the rest it is weasyprint's own."""

    def __init__(self, layout: Any) -> None:  # noqa: ANN401 - published without types
        self.own = layout
        self.said: list[tuple[str, tuple[Any, ...]]] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self.own, name)

    def reactivate(self, style: Any) -> None:  # noqa: ANN401 - as above
        """Make ready to be drawn, if it was not yet."""
        if self.said is None:
            self.own.reactivate(style)

    def deactivate(self) -> None:
        """Let go of what only drawing needs."""
        if hasattr(self.own, "layout"):
            self.own.deactivate()


class _Said:
    """Stands for a stream, to keep what one line says to it; fonts are the stream's own."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - as above
        self.stream, self.words = stream, list[tuple[str, tuple[Any, ...]]]()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        if name in {"set_font_size", "show_text", "set_text_rise"}:
            return lambda *given: self.words.append((name, given))
        return getattr(self.stream, name)

    def set_text_matrix(self, *values: float) -> None:
        """Where a line stands is not its own."""


@contextlib.contextmanager
def shaped_once() -> Iterator[None]:
    """Have weasyprint shape and spell equal lines once, as long as the context lasts."""
    from weasyprint.draw import text as drawing  # noqa: PLC0415 - optional, and half a second
    from weasyprint.layout import inline  # noqa: PLC0415 - as above

    known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    struts: dict[tuple[Any, ...], Any] = {}

    def split_once(text: str, style: Any, context: Any, *room: Any, **more: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as above
        key = (text, hand(style), *room, *more.values())
        if key not in known:
            layout, *measured = split(text, style, context, *room, **more)
            known[key] = (Line(layout), *measured)
        return known[key]

    def draw_once(stream: Any, box: Any, *how: Any) -> Any:  # noqa: ANN401 - as above
        # One that was stretched has spaces of its own.
        return _say(draw, stream, box, *how) if isinstance(box.pango_layout, Line) else draw(stream, box, *how)

    def strut_once(style: Any) -> Any:  # noqa: ANN401 - as above
        key = hand(style)
        if key not in struts:
            struts[key] = strut(style)
        return struts[key]

    with (
        instead(inline, "split_first_line", split_once) as split,
        instead(drawing, "draw_first_line", draw_once) as draw,
        instead(inline, "strut", strut_once) as strut,
    ):
        yield


def _say(draw: Any, stream: Any, box: Any, *how: Any) -> Any:  # noqa: ANN401 - as above
    """Draw a line, its place last in `how`; return the pictures among its letters: one that has some is drawn anew."""
    line = box.pango_layout
    if line.said is None:
        first = _Said(stream)
        if draw(first, box, *how):
            return draw(stream, box, *how)
        line.said = first.words
    if line.said:  # a line of spaces says nothing
        stream.set_text_matrix(*how[-1].values)
    for verb, given in line.said:
        getattr(stream, verb)(*given)
    return []
