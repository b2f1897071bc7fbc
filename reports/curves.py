"""The figure of a scenario over many runs, as an inline SVG: three rows of bars and a row of verdicts. Pure.

Read in grey as in colour: what decides is the word and the symbol, the bars only say how long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.figures import figure_key
from reports.panel import FAINT, INK, SERVED
from reports.svg import FONT, number, tag
from reports.vocabulary import N_, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from markupsafe import Markup

    from reports.earlier import Played
    from reports.language import Language
    from reports.trend import Course

WIDTH, LEFT, ROW, TOP = 720, 190, 34, 4
ROWS = (
    ("interruption", N_("Interruption")),
    ("freeze", N_("Gel le plus long")),
    ("without_redundancy", N_("Durée sans redondance")),
)


def curve(course: Course, language: Language) -> Markup:
    """Return the figure of a course."""
    key = "c-" + figure_key(f"{course.plan}-{course.id}")
    bottom = TOP + ROW * len(ROWS)
    shapes: list[Markup] = []
    for row, (name, title) in enumerate(ROWS):
        values = [getattr(play, name) for play in course.plays]
        shapes += _row(values, language.gettext(title), TOP + row * ROW, language)
    step = _step(len(course.plays))
    shapes.append(tag("text", language.gettext("Verdict"), x=LEFT - 8, y=bottom + 12, text_anchor="end"))
    for place, play in enumerate(course.plays):
        x = LEFT + (place + 0.5) * step
        shapes.append(tag("text", SYMBOLS[play.outcome], x=x, y=bottom + 12, text_anchor="middle"))
    shapes += _dates(course.plays, step, bottom + 26, language)
    return tag(
        "svg",
        tag("title", language.say("{id} au fil des essais", id=course.id), id=f"{key}-title"),
        tag("desc", course.sentence, id=f"{key}-desc"),
        *shapes,
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        viewBox=f"0 0 {WIDTH} {bottom + 32}",
        class_="trend",
        font_family="DejaVu Sans, Verdana, sans-serif",
        font_size=FONT,
        fill=INK,
    )


def _step(count: int) -> float:
    return min(40.0, (WIDTH - LEFT - 10) / max(count, 1))


def _row(values: list[timedelta | None], title: str, y: float, language: Language) -> Iterator[Markup]:
    """Yield a row of bars on a scale of its own, whose greatest value stands at the left."""
    seconds = [None if value is None else value.total_seconds() for value in values]
    most = max((value for value in seconds if value is not None), default=0.0)
    base, tall, step = y + ROW - 5, ROW - 10, _step(len(values))
    yield tag("text", title, x=LEFT - 8, y=y + 14, text_anchor="end")
    told = language.say("au plus {most}", most=language.duration(most))
    yield tag("text", told, x=LEFT - 8, y=y + 26, text_anchor="end")
    yield tag("path", d=f"M{LEFT} {number(base)}H{WIDTH - 10}", stroke=FAINT)
    boxes = [
        (LEFT + place * step + step * 0.15, step * 0.7, tall * value / most)
        for place, value in enumerate(seconds)
        if value and most
    ]
    drawn = (f"M{number(x)} {number(base)}h{number(wide)}v{number(-high)}h{number(-wide)}z" for x, wide, high in boxes)
    if boxes:
        yield tag("path", d="".join(drawn), fill=SERVED, stroke=INK, stroke_width="0.5")


def _dates(plays: tuple[Played, ...], step: float, y: float, language: Language) -> Iterator[Markup]:
    yield tag("text", language.figures(plays[0].at), x=LEFT, y=y)
    if len(plays) * step > 130:  # noqa: PLR2004 - units of the drawing: what two dates need
        end = LEFT + len(plays) * step
        yield tag("text", language.figures(plays[-1].at), x=end, y=y, text_anchor="end")
