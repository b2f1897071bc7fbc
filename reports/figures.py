"""The timeline of a scenario as an inline SVG: what each instrument saw around the fault. Pure.

Read in grey as in colour: a full bar is served, a half-height bar slow, a hatched outlined box interrupted.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from lab.plan import draw as draw_plan
from reports.model import State
from reports.panel import BAND, BAR, INK, LANE, WIDTH, Panel, bars, draw
from reports.segments import MARKED
from reports.svg import FONT, number, tag, width
from reports.vocabulary import JOURNEYS, MARKS, SHORT_SEGMENTS, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.plan import Plan
    from reports.language import Language
    from reports.model import Lane, ScenarioResult, Span

GRAIN = 0.1
"""Seconds that a cell of a close look covers: the 100 ms that issue 8 asks for."""
BEFORE, LEAST, MOST, AFTER = 1.0, 5.0, 12.0, 1.0
"""Seconds of a close look: before its moment, at least and at most after it, and after the last trouble."""
LONG_WAIT = 1.0
LABEL_LIMIT = 34


def timeline(result: ScenarioResult, language: Language) -> Markup:
    """Return the figure of a scenario; an empty one where nothing was observed."""
    if not any(lane.spans for lane in result.lanes):
        return Markup()
    key = figure_key(result.id)
    parts: list[Markup] = []
    top = 2.0
    for panel in _panels(result, language, f"{key}-hatch"):
        shapes, height = draw(panel, language)
        parts.append(tag("g", *shapes, transform=f"translate(0 {number(top)})"))
        top += height + 8
    shapes, height = _legend(language, f"{key}-hatch")
    parts.append(tag("g", *shapes, transform=f"translate(0 {number(top)})"))
    return tag(
        "svg",
        tag("title", language.say("Chronologie du scénario {id}", id=result.id), id=f"{key}-title"),
        tag("desc", " ".join(described(lane, language) for lane in result.lanes), id=f"{key}-desc"),
        tag("defs", _hatch(f"{key}-hatch")),
        *parts,
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        viewBox=f"0 0 {WIDTH} {number(top + height)}",
        class_="timeline",
        font_family="DejaVu Sans, Verdana, sans-serif",
        font_size=FONT,
        fill=INK,
    )


def drawing(plan: Plan, language: Language) -> Markup:
    """Return the drawing of a plan, to stand inside a page: without the name space that a file of its own needs."""
    svg = draw_plan(plan, language="fr" if language.code == "fr" else "en")
    return Markup(svg.replace(' xmlns="http://www.w3.org/2000/svg"', ' class="plan"', 1))  # noqa: S704  escaped where drawn


def figure_key(scenario: str) -> str:
    """Return an identifier that no other scenario of the campaign gets, whatever its name is made of."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", scenario)[:40]
    return (
        plain
        if plain == scenario
        else f"{plain}-{hashlib.sha256(scenario.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
    )


def described(lane: Lane, language: Language) -> str:
    """Return in words what a lane shows, for those who do not see it."""
    name = lane_label(lane, language)
    if not lane.spans:
        return language.say("{lane} : rien n'a été observé.", lane=name)
    told = [_told(lane.spans, state, language) for state in (State.INTERRUPTED, State.SLOW)]
    said = " ; ".join(part for part in told if part)
    return language.say("{lane} : {what}.", lane=name, what=said or language.gettext("servi sans interruption"))


def lane_label(lane: Lane, language: Language) -> str:
    """Return the name of a lane, shortened where the plan gives a ward a very long name."""
    known = JOURNEYS.get(lane.journey)
    name = language.gettext(known) if known else lane.journey
    full = f"{name}, {lane.ward}" if lane.ward else name
    return full if len(full) <= LABEL_LIMIT else f"{full[: LABEL_LIMIT - 1]}…"


def _told(spans: Sequence[Span], state: State, language: Language) -> str:
    chosen = [span for span in spans if span.state is state]
    if not chosen:
        return ""
    longest = max(chosen, key=lambda span: span.end - span.start)
    start, end = language.number(round(longest.start, 1)), language.number(round(longest.end, 1))
    word = language.gettext(STATES[state])
    if len(chosen) == 1:
        return language.say("{state} de {start} s à {end} s", state=word, start=start, end=end)
    return language.say(
        "{state} {count} fois, le plus longtemps de {start} s à {end} s",
        state=word,
        count=len(chosen),
        start=start,
        end=end,
    )


def _panels(result: ScenarioResult, language: Language, hatch: str) -> Iterator[Panel]:
    """Yield the whole scenario, then a close look at the injection, and at the repair if it did harm."""
    spans = [span for lane in result.lanes for span in lane.spans]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    lanes = tuple((lane_label(lane, language), lane.spans) for lane in result.lanes)
    known = ((result.injected, "inject"), (result.healed, "heal"), (result.returned, "return"))
    marks = tuple((at, language.gettext(MARKS[what])) for at, what in known if at is not None)
    marks += tuple(
        (event.at, language.gettext(SHORT_SEGMENTS[event.what])) for event in result.events if event.what in MARKED
    )
    marks += tuple((at, language.gettext("limite de l'objectif")) for at in _limit(result))
    held = (result.injected, end if result.healed is None else result.healed)
    band = (held[0], held[1]) if held[0] is not None else None

    def panel(title: str, start: float, end: float, grain: float | None = None) -> Panel:
        left = 12 + max(width(label) for label, _ in lanes)
        return Panel(title, start, max(end, start + 1), left, lanes, marks, band, hatch, grain)

    if result.injected is None:
        yield panel(language.gettext("Vue d'ensemble, en secondes depuis le début de l'observation"), start, end)
        return
    looked = _last_trouble(spans, result.injected)
    if start < result.injected - BEFORE or end > looked:
        yield panel(language.gettext("Vue d'ensemble, en secondes depuis l'injection"), start, end)
    yield panel(language.gettext("Autour de l'injection, au pas de 100 ms"), result.injected - BEFORE, looked, GRAIN)
    if result.healed is not None and _harmed(spans, max(looked, result.healed), result.healed + MOST):
        title = language.gettext("Autour de la réparation, au pas de 100 ms")
        yield panel(title, result.healed - BEFORE, _last_trouble(spans, result.healed), GRAIN)


def _limit(result: ScenarioResult) -> Iterator[float]:
    """Yield when the objective runs out: its interruption, or its freeze where nothing may be interrupted."""
    promised = result.description.objective if result.description else None
    bound = promised and (promised.interruption or promised.freeze)
    if bound and result.injected is not None:
        yield result.injected + bound.total_seconds()


def _harmed(spans: Sequence[Span], start: float, end: float) -> bool:
    """Whether a moment did harm that deserves a look: an interruption, or a wait of a second."""
    troubles = _troubled(spans, start, end)
    return any(span.state is State.INTERRUPTED or span.end - span.start >= LONG_WAIT for span in troubles)


def _troubled(spans: Sequence[Span], start: float, end: float) -> list[Span]:
    return [span for span in spans if span.state is not State.SERVED and start <= span.start < end]


def _last_trouble(spans: Sequence[Span], moment: float) -> float:
    """Return the end of a close look, on the grid: a little after the last trouble the moment can have caused."""
    near = max((span.end for span in _troubled(spans, moment - GRAIN, moment + MOST)), default=moment)
    length = min(max(near + AFTER - moment, LEAST), MOST)
    return moment + round(length / GRAIN) * GRAIN


def _hatch(key: str) -> Markup:
    paper = tag("rect", width=5, height=5, fill="#fff")
    stroke = tag("path", d="M0 0V5", stroke=INK, stroke_width="2.4")
    return tag(
        "pattern",
        paper,
        stroke,
        id=key,
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )


def _legend(language: Language, hatch: str) -> tuple[list[Markup], float]:
    """Return the key to the figure, on as many lines as it needs."""
    samples = [(bars(state, [(0, 26, 0)], hatch), language.gettext(STATES[state])) for state in State]
    samples.append((tag("rect", x=0, y=-1, width=26, height=BAR + 2, fill=BAND), language.gettext("panne maintenue")))
    dashes = tag("path", d=f"M13 -1V{BAR + 1}", stroke=INK, stroke_dasharray="3 2")
    samples.append((dashes, language.gettext("événement")))
    shapes: list[Markup] = []
    x, y = 0.0, 2.0
    for sample, word in samples:
        need = 32 + width(word) + 18
        if x and x + need > WIDTH:
            x, y = 0.0, y + LANE
        text = tag("text", word, x=32, y=BAR - 0.5)
        shapes.append(tag("g", sample, text, transform=f"translate({number(x)} {number(y)})"))
        x += need
    return shapes, y + LANE
