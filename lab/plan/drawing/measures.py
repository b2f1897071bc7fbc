"""How large each thing must be for what is written in it. Units of the drawing: 1600 are the width of an A3 sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.plan.drawing.shapes import Line
from lab.plan.words import Continuity, NodeKind

if TYPE_CHECKING:
    from lab.plan.derived import Node, Place
    from lab.plan.drawing.phrases import Phrases
    from lab.plan.model import Plan

MARGIN, GAP = 16.0, 20.0
SIGN = 24.0
LEADING = 14.5
PITCH = 36.0
"""Grid of the cables' ends. A bundle of lines takes 12 of it; the rest is for the nodes' lines, so none meet."""
STACKED = 3
"""Nodes other than hosts stand one above the other beside hosts, at most this many."""
CROWDED = 8
"""Servers on one host above which a server takes two lines instead of three."""
MOST_PAIRS = 12
"""Pairs above which they are named but no longer joined by a line."""


@dataclass(frozen=True)
class Column:
    """Nodes above one another, from the switches outwards.

    On its left the lines of pairs go up; stacked nodes have their lines to the switches in a gutter on its right.
    """

    nodes: tuple[str, ...]
    left: float
    width: float
    gutter: float

    @property
    def whole(self) -> float:
        """Its width, lines included."""
        return self.left + self.width + self.gutter


class Measures:
    """Sizes of the elements of one plan.

    Args:
        plan: The plan.
        phrases: What is written on its elements.
        tall: Most hosts above one another.
        high: Most nodes above one another where there are no hosts.
    """

    def __init__(self, plan: Plan, phrases: Phrases, *, tall: int = 1, high: int = 1) -> None:
        self.plan = plan
        self.say = phrases
        self._tall, self._high = tall, high
        self.on: dict[str, list[str]] = {name: [] for name in plan.nodes}
        for server in plan.servers:
            self.on[plan.host_of(server)].append(server)
        self._crowded = any(len(servers) > CROWDED for servers in self.on.values())
        pairs = {tuple(sorted((s.name, s.twin))) for s in plan.servers.values() if s.twin in plan.servers}
        self.pairs = sorted(pairs) if len(pairs) <= MOST_PAIRS else []

    def paired(self, host: str) -> list[str]:
        """Give the servers of a host that a line joins to their twin."""
        return [name for name in self.on[host] if any(name in pair for pair in self.pairs)]

    def node_lines(self, node: Node) -> list[Line]:
        """Give what is written on a node."""
        told = [Line(self.say.offer(node), 10.5), Line(self.say.arbitrates(node.name), 10.5)]
        return [Line(node.name, 12.5, bold=True), *(line for line in told if line.text)]

    def server_lines(self, name: str) -> list[Line]:
        """Give what is written on a server."""
        server = self.plan.servers[name]
        head = [Line(name, 11.5, bold=True), Line(self.say.continuity(server), 10.5)]
        return head if self._crowded else [*head, Line(self.say.reserved(server), 10.5)]

    def server_height(self, name: str) -> float:
        """Give the height of a server's box."""
        return 9 + LEADING * len(self.server_lines(name))

    def node_width(self, node: Node) -> float:
        """Give the least width of a node's box."""
        widest = max(line.width for line in self.node_lines(node)) + SIGN
        inside = max((line.width for name in self.on[node.name] for line in self.server_lines(name)), default=0)
        return max(150 if node.kind is NodeKind.HOST else 110, widest + 20, inside + 40)

    def node_height(self, node: Node) -> float:
        """Give the least height of a node's box."""
        servers = sum(self.server_height(name) + 7 for name in self.on[node.name])
        return 12 + LEADING * len(self.node_lines(node)) + (servers + 5 if node.kind is NodeKind.HOST else 0)

    def columns(self, place: Place) -> list[Column]:
        """Give the nodes of a place in columns: hosts, then the others."""
        nodes = [self.plan.nodes[name] for name in place.nodes]
        hosts = [node for node in nodes if node.kind is NodeKind.HOST]
        others = [node for node in nodes if node.kind is not NodeKind.HOST]
        alike = max((self.node_width(host) for host in hosts), default=0)
        racks = [self._column(stack, alike) for stack in _stacks(hosts, self._tall)]
        return racks + [self._column(stack) for stack in _stacks(others, STACKED if hosts else self._high)]

    def _column(self, nodes: list[Node], least: float = 0) -> Column:
        lines = sum(len(on) for node in nodes for on in node.stands_on.values())
        pairs = sum(len(self.paired(node.name)) for node in nodes)
        return Column(
            nodes=tuple(node.name for node in reversed(nodes)),
            left=8.0 * pairs + 6 if pairs else 0,
            width=max(least, *(self.node_width(node) for node in nodes)),
            gutter=PITCH * -(-lines // 3) + 34 if len(nodes) > 1 else 0,
        )

    def stack_height(self, column: Column) -> float:
        """Give the least height of a column."""
        nodes = [self.plan.nodes[name] for name in column.nodes]
        return sum(self.node_height(node) for node in nodes) + 12 * (len(nodes) - 1)

    def area_height(self, place: Place) -> float:
        """Give the height of the nodes of a place."""
        return max((self.stack_height(column) for column in self.columns(place)), default=20)

    def width(self, place: Place, ports: int) -> float:
        """Give the least width of a place: its nodes, its title, its switches' names and the ends of its cables."""
        columns = self.columns(place)
        nodes = sum(column.whole for column in columns) + GAP * max(0, len(columns) - 1) + 2 * MARGIN
        names = [
            Line(name, 11, bold=True).width + Line(self.say.say(network), 10).width + 80
            for network, switches in place.switches.items()
            for name in switches
        ]
        title = Line(place.name, 16, bold=True).width + 200
        return max([nodes, title, PITCH * (ports + 1) + 70, *(name + 2 * MARGIN for name in names)])

    def continuities(self) -> list[Continuity]:
        """Give the continuities that occur in the plan."""
        found = {server.continuity for server in self.plan.servers.values()}
        return [continuity for continuity in Continuity if continuity in found]


def _stacks(nodes: list[Node], most: int) -> list[list[Node]]:
    """Share nodes out to as few stacks as can be, evenly."""
    count = -(-len(nodes) // most)
    return [nodes[len(nodes) * i // count : len(nodes) * (i + 1) // count] for i in range(count)]
