"""Nothing in the drawing covers anything else, whatever the number of rooms and hosts."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings

from lab.plan import Plan, draw, load, loads, shipped
from lab.plan.drawing.cables import label_box
from lab.plan.drawing.look import LOOKS
from lab.plan.drawing.page import A3, arranged
from lab.plan.drawing.phrases import Phrases
from lab.plan.drawing.shapes import Box, Line
from lab.plan.drawing.tracks import crossings
from tests.harness.pure.test_drawing import SVG, TINY, faults, parsed
from tests.harness.pure.test_plan_properties import FIXED, plans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree import ElementTree as ET

NETWORKS = ("management", "storage", "servers")
COLOURS = {look.colour for look in LOOKS.values()}


def rooms_of(count: int, hosts: int, *, two: bool = False, long: bool = False) -> Plan:
    """Write a plan of some rooms with some hosts each, everything joined to everything by two cables."""
    data: dict[str, Any] = yaml.safe_load(TINY)
    before = "a-name-as-long-as-possible-" if long else ""
    data["kinds"]["host"] |= {"cpu": 64, "memory": "512 GiB"}
    rooms = {f"{before}s{i}": room(f"{before}%s{i}", hosts, two=two) for i in range(count)}
    data["rooms"] = {**rooms, "ultime-secours": data["rooms"]["ultime-secours"]}
    data["sites"]["services-de-soins"]["wards"] = [f"{before}w{i}" for i in range(5)]
    places = [*data["rooms"], "services-de-soins"]
    data["cables"] = {
        f"{before}c{i}{end}": {
            "between": [a, b],
            "carries": ["servers"] if b == "services-de-soins" else list(NETWORKS),
        }
        for i, (a, b) in enumerate(combinations(places, 2))
        for end in "ab"
    }
    del data["storage"]  # the first room's virtualiser then serves first
    del data["ha"], data["services"]["imagerie"]  # they name servers of tiny
    data["servers"] = {} if count == 1 else pairs(list(rooms), before)
    data["servers"] |= {
        f"{before}x{i}": {"continuity": "restart", "cpu": 1, "memory": "1 GiB", "boot": "5 s"} for i in range(hosts)
    }
    if count == 1:
        del data["services"]
    return loads(yaml.dump(data, Dumper=WithoutAliases))


def room(name: str, hosts: int, *, two: bool) -> dict[str, Any]:
    ends = ("a", "b") if two else ("a",)
    return {
        "hosts": [name % f"h{i}x" for i in range(hosts)],
        "arrays": [name % "b"],
        "virtualisers": [name % "v"],
        "arbiters": [name % "e"],
        "switches": {network: [name % f"{network[:2]}{end}" for end in ends] for network in NETWORKS},
    }


def pairs(rooms: list[str], before: str) -> dict[str, Any]:
    """Give the pair of the service, and a second one the other way round."""
    found: dict[str, Any] = {}
    for one, other, (here, there) in (
        ("dopasoins-1", "dopasoins-2", rooms[:2]),
        (f"{before}p1", f"{before}p2", rooms[-2:][::-1]),
    ):
        sizes = {"continuity": "pair", "cpu": 1, "memory": "1 GiB", "boot": "5 s"}
        found |= {one: sizes | {"with": other, "prefers": here}, other: sizes | {"with": one, "prefers": there}}
    return found


class WithoutAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def texts(element: ET.Element, x: float = 0, y: float = 0) -> Iterator[tuple[str, Box]]:
    """Give each text with the room it takes."""
    moved = re.match(r"translate\((\S+) (\S+)\)", element.attrib.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag == f"{SVG}text":
        line = Line(element.text or "", float(element.attrib["font-size"]), "font-weight" in element.attrib)
        left = x + float(element.attrib["x"])
        left -= line.width * {"start": 0, "middle": 0.5, "end": 1}[element.attrib.get("text-anchor", "start")]
        yield line.text, Box(left, y + float(element.attrib["y"]) - 0.8 * line.size, line.width, line.size)
    for child in element:
        yield from texts(child, x, y)


def lines(root: ET.Element) -> Iterator[Box]:
    """Give each straight piece of each network line outside the legend, as a rectangle without width."""
    for path in root.iterfind(f".//{SVG}path"):
        if path.attrib.get("stroke") in COLOURS:
            points = [tuple(map(float, point.split())) for point in path.attrib["d"][1:].split("L")]
            for (x, y), (u, v) in pairwise(points):
                yield Box(min(x, u), min(y, v), abs(x - u), abs(y - v))


def covered(boxes: list[tuple[str, Box]]) -> list[str]:
    return [f"{one} / {other}" for (one, a), (other, b) in combinations(boxes, 2) if a.touches(b)]


def overlaps(plan: Plan) -> list[str]:
    """Say what covers what in the drawing of a plan, and what leaves its box; nothing, when it is good."""
    page = arranged(plan, Phrases(plan, "en"))
    whole = Box(0, 0, page.width, page.height)
    root = parsed(draw(plan))
    places = list(page.places.values())
    labels = [(run.cable.name, label_box(run, page.tracks[run.track])) for run in page.runs]
    nodes = [item for place in places for item in place.nodes.items()]
    bars = [item for place in places for item in place.bars.items()]
    servers = [item for place in places for item in place.servers.items()]
    found = covered([*((place.place.name, place.box) for place in places), *labels])
    found += covered([*nodes, *bars])
    found += covered(servers)
    found += covered(written := list(texts(root)))
    found += [f"{text} leaves the page" for text, box in written if not whole.holds(box)]
    found += [
        f"{name} leaves {place.place.name}"
        for place in places
        for name, box in (*place.nodes.items(), *place.bars.items())
        if not place.box.holds(box)
    ]
    found += [
        f"{name} leaves {plan.host_of(name)}" for name, box in servers if not dict(nodes)[plan.host_of(name)].holds(box)
    ]
    return found + spilt(root) + parallel(root)


def spilt(root: ET.Element) -> list[str]:
    """Say which texts are wider than the box they are written in."""
    found = []
    for group in root.iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        if box is not None and group.find(f"{SVG}title") is not None and float(box.attrib["height"]) > 8:
            outer = Box(*(float(box.attrib[key]) for key in ("x", "y", "width", "height")))
            inside = [item for text in group.findall(f"{SVG}text") for item in texts(text)]
            found += [f"{text} spills" for text, inner in inside if not outer.holds(inner)]
    return found


def parallel(root: ET.Element) -> list[str]:
    """Say which lines lie on one another, or nearer than two units."""
    legend = root.findall(f"{SVG}g")[-1]
    root.remove(legend)
    pieces = sorted(lines(root))
    found = []
    for along, across in ((0, 1), (1, 0)):
        straight = [
            (p[across], p[along], p[along] + p[along + 2]) for p in pieces if not p[across + 2] and p[along + 2]
        ]
        straight.sort()
        for i, (at, low, high) in enumerate(straight):
            for other, start, end in straight[i + 1 :]:
                if other - at >= 2:
                    break
                if low < end - 1 and start < high - 1:
                    found.append(f"two lines at {at}, from {low} and {start}")
    return found


@pytest.mark.parametrize("name", shipped())
def test_nothing_is_covered_in_a_shipped_plan(name: str) -> None:
    assert overlaps(load(name)) == []


@pytest.mark.parametrize("hosts", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_nothing_is_covered_with_other_rooms_and_hosts(count: int, hosts: int) -> None:
    plan = rooms_of(count, hosts, two=hosts % 2 == 0)
    assert faults(plan, draw(plan)) == []
    assert overlaps(plan) == []


def test_nothing_is_covered_with_the_longest_names() -> None:
    assert overlaps(rooms_of(3, 4, two=True, long=True)) == []


@settings(FIXED, max_examples=20)
@given(plans())
def test_nothing_is_covered_in_any_plan(plan: Plan) -> None:
    assert overlaps(plan) == []


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_plan_fills_an_a3_sheet(name: str) -> None:
    plan = load(name)
    page = arranged(plan, Phrases(plan, "en"))

    assert page.width / page.height == pytest.approx(A3, rel=0.01)
    assert 10.5 * 420 / page.width > 2.5, "letters of 10.5 units stay above 2.5 mm on a sheet of 420 mm"


def test_cables_of_zero_cross_as_little_as_they_can() -> None:
    zero = load("zero")
    assert crossings(arranged(zero, Phrases(zero, "en")).runs) <= 12


def test_a_node_on_one_switch_has_one_line() -> None:
    plan = loads("nodes: {cardiologie: {stands_on: {servers: [sw-soins-b]}}}\n" + TINY)
    place = arranged(plan, Phrases(plan, "en")).places["services-de-soins"]

    assert [(wire.node, wire.points[-1][1]) for wire in place.wires] == [
        ("cardiologie", place.bars["sw-soins-b"].bottom)
    ]


def test_a_plan_with_hundreds_of_servers_is_drawn() -> None:
    data = yaml.safe_load(TINY)
    data["kinds"]["host"] |= {"cpu": 512, "memory": "2 TiB"}
    data["networks"]["servers"]["subnet"] = "10.78.4.0/22"
    data["servers"] |= {
        f"vm-{i}": {"continuity": "restart", "cpu": 1, "memory": "1 GiB", "boot": "5 s"} for i in range(450)
    }
    plan = loads(yaml.dump(data, Dumper=WithoutAliases))

    assert faults(plan, draw(plan)) == []
