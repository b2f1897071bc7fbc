"""A laid out page as SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lab.plan.drawing import cables, look
from lab.plan.drawing.furniture import furniture, reached
from lab.plan.drawing.page import EDGE, HEADER
from lab.plan.drawing.places import TRACK
from lab.plan.drawing.shapes import FONTS, INK, PALE, PAPER, Box, Line, number, rect, tag, titled, words

if TYPE_CHECKING:
    from lab.plan.drawing.cables import Run
    from lab.plan.drawing.page import Page
    from lab.plan.drawing.places import Drawn

FLOOR, GROUND = "#f4f5f7", "#ffffff"


def painted(page: Page, language: str) -> str:
    """Write a page."""
    say, plan = page.measures.say, page.measures.plan
    key = f"drawing-{plan.name}"
    name = f"{say.say('plan').capitalize()} {plan.name}"
    cable_parts = [_cable(page, run) for run in page.runs]
    written = tag(
        "svg",
        "\n",
        tag("title", escape(name), id=f"{key}-title"),
        tag("desc", escape(say.described()), id=f"{key}-desc"),
        rect(Box(0, 0, page.width, page.height), fill=GROUND),
        _header(page, name),
        *(_floor(page, drawn) for drawn in page.places.values()),
        *(lines for lines, _ in cable_parts),
        *(furniture(page, drawn) for drawn in page.places.values()),
        *(_pair(page, i, pair) for i, pair in enumerate(page.measures.pairs)),
        *(label for _, label in cable_parts),
        tag("g", page.panel.shapes, transform=f"translate({number(EDGE)} {number(page.foot)})"),
        "\n",
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        lang=language,
        width="420mm",
        height=f"{number(420 * page.height / page.width)}mm",
        viewBox=f"0 0 {number(page.width)} {number(page.height)}",
        font_family=FONTS,
    )
    return f"{written}\n"


def _header(page: Page, name: str) -> str:
    title = Line(name, 24, bold=True)
    y = EDGE + HEADER / 2
    scale = Line(page.measures.say.scale(), 12)
    return words(EDGE, y, title, fill=INK) + words(EDGE + title.width + 18, y, scale, fill=PALE) + "\n"


def _floor(page: Page, drawn: Drawn) -> str:
    """Write the ground of a place; rooms have a strong outline, sites a thin one."""
    box, room = drawn.box, drawn.place.is_room
    kind = page.measures.say.say("room" if room else "site")
    ground = rect(box, rx=4 if room else 14, fill=FLOOR, stroke=INK, stroke_width=2.2 if room else 1)
    name = Line(drawn.place.name, 16, bold=True)
    y = box.y + 23 if drawn.top else box.bottom - 12
    written = words(box.x + 16, y, name, fill=INK) + words(box.x + 26 + name.width, y, Line(kind, 12), fill=PALE)
    return titled(f"{kind} {drawn.place.name}", ground, written)


def _cable(page: Page, run: Run) -> tuple[str, str]:
    """Write a cable: a clearing over the cables it crosses, its lines up to the switches, and its name."""
    top, bottom = page.corridor
    track = page.tracks[run.track]
    title = f"{run.cable.name}: {page.measures.say.cable(run.cable)}"
    shapes = []
    for network in run.lanes:
        middle = cables.points(run, network, top, bottom, track)
        left, right = page.places[run.left.place], page.places[run.right.place]
        ends = [reached(left, network, middle[0][0]), reached(right, network, middle[-1][0])]
        shapes.append(look.line([ends[0][-1], *middle, ends[1][-1]], network))
    box = cables.label_box(run, track)
    label = rect(box, rx=3, fill=PAPER, stroke=PALE, stroke_width=0.8)
    text = words(box.middle, box.y + 12, run.name, text_anchor="middle", fill=INK)
    return titled(title, _clearing(page, run), *shapes), titled(title, label, text)


def _clearing(page: Page, run: Run) -> str:
    top, bottom = page.corridor
    track = page.tracks[run.track]
    ends = [(end.x, top + 2 if end.top else bottom - 2) for end in (run.left, run.right)]
    points = [ends[0], (run.left.x, track), (run.right.x, track), ends[1]]
    steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    wide = 6 * len(run.lanes) + 3
    return tag("path", d=f"M{steps}", fill="none", stroke=GROUND, stroke_width=wide, stroke_linejoin="round")


def _pair(page: Page, i: int, pair: tuple[str, ...]) -> str:
    """Join the two members of a pair above the hosts."""
    y = page.strip + (i + 0.5) * TRACK
    ends = []
    for name in pair:
        drawn = page.places[page.measures.plan.nodes[page.measures.plan.host_of(name)].place]
        box, x = drawn.servers[name], drawn.leads[name]
        ends.append([(box.x, box.y + box.h / 2), (x, box.y + box.h / 2), (x, y)])
    return titled(" / ".join(pair), look.pair([*ends[0], *reversed(ends[1])]))
