"""The foot of the page: what each sign means, and what the services owe."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.plan.drawing import look
from lab.plan.drawing.shapes import INK, PALE, Box, Line, clipped, number, rect, tag, titled, words
from lab.plan.units import format_duration
from lab.plan.words import NETWORKS, Continuity, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.drawing.measures import Measures
    from lab.plan.elements import Service

STEP, HEAD, SAMPLE = 19.0, 26.0, 46.0
COLUMNS = (("what is lost", 130.0), ("interruption", 100.0), ("freeze", 70.0), ("lost writes", 130.0))
SIGNED = 230.0
BLOCK = sum(width for _, width in COLUMNS) + SIGNED
GUTTER = 36.0


class Entry(NamedTuple):
    """A sample, 40 wide and 14 high, and what it means."""

    sample: str
    meaning: str


class Block(NamedTuple):
    """A part of the panel: its size and its shapes, from its own upper left corner."""

    width: float
    height: float
    shapes: str


def panel(measures: Measures, width: float) -> Block:
    """Lay out legend and services from the left, in as many rows as they need."""
    blocks = [_legend(measures), *(_service(measures, service) for service in measures.plan.services.values())]
    x = y = high = 0.0
    shapes = []
    for block in blocks:
        if x and x + block.width > width:
            x, y, high = 0.0, y + high + 16, 0.0
        shapes.append(tag("g", block.shapes, transform=f"translate({number(x)} {number(y)})"))
        x, high = x + block.width + GUTTER, max(high, block.height)
    return Block(width, y + high, "\n".join(shapes))


def _legend(measures: Measures) -> Block:
    say = measures.say.say
    shapes, x, deepest = [words(0, 14, Line(say("Legend"), 13, bold=True), fill=INK)], 0.0, 0
    for column in (list(_networks(measures)), list(_kinds(measures)), list(_servers(measures))):
        for i, entry in enumerate(column):
            y = HEAD + i * STEP
            shapes.append(tag("g", entry.sample, transform=f"translate({number(x)} {number(y)})"))
            shapes.append(words(x + SAMPLE, y + 11, Line(entry.meaning), fill=INK))
        deepest = max(deepest, len(column))
        x += SAMPLE + max((Line(entry.meaning).width for entry in column), default=-SAMPLE - 24) + 24
    return Block(x - 24, HEAD + deepest * STEP, "".join(shapes))


def _networks(measures: Measures) -> Iterator[Entry]:
    say, found = measures.say.say, measures.plan.networks
    known = [network for network in NETWORKS if network in found]
    for network in known:
        local = "" if say(network) == network else f" ({say(network)})"
        yield Entry(look.line([(0, 7), (38, 7)], network), f"{network}{local} {found[network].subnet}")
    lines = "".join(look.line([(0, 1 + 6 * i), (38, 1 + 6 * i)], network) for i, network in enumerate(known))
    yield Entry(lines, say("cable: one line for each network"))
    bar = look.switch(Box(0, 0, 38, 10), known[-1])
    yield Entry(bar + look.line([(19, 10), (19, 16)], known[-1]) + look.dot(19, 10, known[-1]), say(_SWITCH))
    if any(len(names) > 1 for place in measures.plan.places.values() for names in place.switches.values()):
        bars = look.switch(Box(0, -1, 38, 5), known[-1]) + look.switch(Box(0, 10, 38, 5), known[-1])
        yield Entry(bars + trunk(19, 4, 10, known[-1]), say("two switches joined by a trunk"))


_SWITCH = "switch: a dot is a connection"


def trunk(x: float, top: float, bottom: float, network: str) -> str:
    """Write the double line between two switches of one network."""
    return look.line([(x - 2.5, top), (x - 2.5, bottom)], network) + look.line(
        [(x + 2.5, top), (x + 2.5, bottom)], network
    )


def _kinds(measures: Measures) -> Iterator[Entry]:
    found = {node.kind for node in measures.plan.nodes.values()}
    for kind in NodeKind:
        if kind in found:
            yield Entry(look.sign(kind, 11, 0), measures.say.say(kind.value))


_CONTINUITIES = {
    Continuity.PAIR: "server of a pair",
    Continuity.RESTART: "server restarted by HA",
    Continuity.RESCUE: "server that waits in rescue",
}


def _servers(measures: Measures) -> Iterator[Entry]:
    for continuity in measures.continuities():
        yield Entry(look.server(Box(0, 0, 38, 14), continuity), measures.say.say(_CONTINUITIES[continuity]))
    if measures.pairs:
        yield Entry(look.pair([(0, 7), (38, 7)]), measures.say.say("the two members of a pair"))


def _service(measures: Measures, service: Service) -> Block:
    """Write a service: where it is, what it runs on, and what it owes for each scope."""
    say = measures.say.say
    facts = [say("at {}", service.address), say("runs on {}", ", ".join(service.runs_on))]
    if service.arbitrator:
        facts.append(say("arbitrated by {}", service.arbitrator))
    name = Line(service.name, 13, bold=True)
    shapes = [words(0, 14, name, fill=INK)]
    told = clipped(Line(" · ".join(facts)), BLOCK - name.width - 12)
    shapes.append(titled(" · ".join(facts), words(name.width + 12, 14, told, fill=PALE)))
    rows = [([say(head) for head in (*(head for head, _ in COLUMNS), "signed by")], PALE, "")]
    for scope, owed in service.objectives.items():
        freeze = format_duration(owed.freeze) if owed.freeze is not None else "—"
        cells = [
            say(scope.value),
            format_duration(owed.interruption),
            freeze,
            str(owed.loss),
            measures.say.signed(owed),
        ]
        rows.append((cells, INK, " · ".join((owed.signed_by, *([owed.source] if owed.source else [])))))
    for i, (cells, colour, title) in enumerate(rows):
        shapes.append(_cells(cells, HEAD + i * STEP, colour, title))
    return Block(BLOCK, HEAD + len(rows) * STEP, "".join(shapes))


def _cells(cells: list[str], y: float, colour: str, title: str) -> str:
    x, shapes = 0.0, []
    for cell, width in zip(cells, (*(width for _, width in COLUMNS), SIGNED), strict=True):
        shapes.append(words(x, y + 11, clipped(Line(cell), width - 8), fill=colour))
        x += width
    rule = rect(Box(0, y + STEP - 4, BLOCK, 0.6), fill="#d0d7de")
    return titled(title, rule, *shapes) if title else tag("g", rule, *shapes)
