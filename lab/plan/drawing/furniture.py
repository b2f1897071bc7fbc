"""What stands in a place, as SVG: lines, switches, nodes and servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan.drawing import look
from lab.plan.drawing.measures import LEADING, SIGN
from lab.plan.drawing.panel import trunk
from lab.plan.drawing.places import trunks
from lab.plan.drawing.shapes import INK, PALE, PAPER, Box, Line, rect, titled, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan.drawing.page import Page
    from lab.plan.drawing.places import Drawn


def reached(drawn: Drawn, network: str, x: float) -> list[tuple[float, float]]:
    """Give where a cable's line touches each switch of its network in a place, the farthest last."""
    bars = [drawn.bars[name] for name in drawn.place.switches[network]]
    touched = [(x, bar.bottom if drawn.top else bar.y) for bar in bars]
    return sorted(touched, key=lambda point: point[1], reverse=drawn.top)


def furniture(page: Page, drawn: Drawn) -> str:
    """Write what stands in a place; lines first, so that they pass behind the bars."""
    lines = "".join(look.line(list(wire.points), wire.network) for wire in drawn.wires)
    dots = "".join(look.dot(*wire.points[-1], wire.network) for wire in drawn.wires)
    dots += "".join(
        look.dot(x, y, network)
        for run in page.runs
        for end in (run.left, run.right)
        if end.place == drawn.place.name
        for network, lane in run.lanes.items()
        for x, y in reached(drawn, network, run.column(end, lane))
    )
    joined = "".join(trunk(x, top, bottom, network) for network, x, top, bottom in trunks(drawn))
    return "".join((lines, "\n", *_bars(page, drawn), dots, joined, "\n", *_nodes(page, drawn)))


def _bars(page: Page, drawn: Drawn) -> Iterator[str]:
    for name, bar in drawn.bars.items():
        network = page.measures.plan.switches[name].network
        said = page.measures.say.say(network)
        text = words(bar.x + 8, bar.y + 13.5, Line(name, 11, bold=True), fill=INK)
        right = words(bar.right - 32, bar.y + 13.5, Line(said, 10), text_anchor="end", fill=look.LOOKS[network].colour)
        yield titled(f"{name}: {said}", look.switch(bar, network), text, right)


def _nodes(page: Page, drawn: Drawn) -> Iterator[str]:
    measures = page.measures
    for name, box in drawn.nodes.items():
        node, lines = measures.plan.nodes[name], measures.node_lines(measures.plan.nodes[name])
        x = box.x + 10
        written = [
            words(x + SIGN, box.y + 17 + i * LEADING, line, fill=PALE if i else INK) for i, line in enumerate(lines)
        ]
        inside = [_server(page, server, drawn.servers[server]) for server in measures.on[name]]
        ground = rect(box, rx=3, fill=PAPER, stroke=INK, stroke_width=1.2)
        title = f"{name}: {measures.say.say(node.kind.value)}"
        yield titled(title, ground, look.sign(node.kind, x, box.y + 6), *written, *inside)


def _server(page: Page, name: str, box: Box) -> str:
    server = page.measures.plan.servers[name]
    lines = page.measures.server_lines(name)
    written = [
        words(box.x + 9, box.y + 16 + i * LEADING, line, fill=PALE if i else INK) for i, line in enumerate(lines)
    ]
    title = f"{name}: {page.measures.say.continuity(server)}, {page.measures.say.reserved(server)}"
    return titled(title, look.server(box, server.continuity), *written)
