"""The drawing of a plan: what is in it, and that nothing written in a plan can break it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.front.cli import main
from lab.plan import Continuity, draw, dumps, load, loads, shipped
from lab.plan.drawing.look import LOOKS
from lab.plan.drawing.phrases import Phrases
from lab.plan.drawing.shapes import Line, clipped, shown
from tests.harness.pure.test_plan_properties import FIXED, plans

if TYPE_CHECKING:
    from typing import Literal

    from lab.plan import Plan

SVG = "{http://www.w3.org/2000/svg}"
ATTRIBUTES = {"id", "role", "aria-labelledby", "lang", "viewBox", "transform", "width", "height", "x", "y", "d"} | {
    *("cx", "cy", "r", "rx", "fill", "stroke", "stroke-dasharray", "stroke-linejoin", "stroke-width"),
    *("font-family", "font-size", "font-weight", "text-anchor"),
}
"""All that the drawing uses: nothing here refers to anything outside, or runs."""
DOCS = Path(__file__).parents[3] / "docs"
TINY = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own output, read to see that it can be


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in parsed(svg).iter(f"{SVG}text")]


def names(plan: Plan) -> set[str]:
    """Give all that a fault can aim at, and the services."""
    return {*plan.places, *plan.nodes, *plan.switches, *plan.cables, *plan.servers, *plan.services}


def faults(plan: Plan, svg: str) -> list[str]:
    """Say what is wrong with a drawing; nothing, when it is good."""
    root = parsed(svg)
    words = " ".join(texts(svg)).split()
    found = [f"{name} is missing" for name in names(plan) if name not in words]
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    found += ["an id is not unique"] if len(set(ids)) < len(ids) else []
    found += ["its title and description are not announced"] if root.attrib["aria-labelledby"].split() != ids else []
    written = [item for element in root.iter() for item in element.attrib.items()]
    found += [name for name, value in written if name not in ATTRIBUTES or "url" in value]
    known = {"svg", "g", "title", "desc", "text", "rect", "path", "circle"}
    found += [element.tag for element in root.iter() if element.tag.removeprefix(SVG) not in known]
    return found


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", shipped())
def test_a_shipped_plan_is_drawn_whole(name: str, language: Literal["en", "fr"]) -> None:
    plan = load(name)
    svg = draw(plan, language=language)

    assert faults(plan, svg) == []
    root = parsed(svg)
    assert root.attrib["role"] == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[1].tag == f"{SVG}desc"
    assert all(name in (root[1].text or "") for name in names(plan) - set(plan.services))


@settings(FIXED, max_examples=20)
@given(plans())
def test_any_plan_is_drawn_whole_and_always_alike(plan: Plan) -> None:
    svg = draw(plan)

    assert faults(plan, svg) == []
    assert svg == draw(loads(dumps(plan)))


def test_a_text_of_the_plan_stays_text() -> None:
    data = yaml.safe_load(TINY)
    signed = '</text><script>x</script> & "q" ]]> \u202e\x07'
    data["services"]["dopasoins"]["objectives"]["a room"] |= {"signed_by": signed, "source": signed}
    svg = draw(loads(yaml.safe_dump(data)))

    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "\x07" not in svg
    assert any(text.startswith("</text><script>x</s") for text in texts(svg))
    assert any(signed[:30] in (title.text or "") for title in parsed(svg).iter(f"{SVG}title"))


def test_a_long_text_is_shortened_in_the_picture_and_whole_in_its_title() -> None:
    signed = "le directeur " * 30
    svg = draw(loads(TINY.replace("loss: 0, source:", f"loss: 0, signed_by: {signed.strip()}, source:", 1)))

    assert signed not in " ".join(texts(svg))
    assert any(signed.strip() in (title.text or "") for title in parsed(svg).iter(f"{SVG}title"))


@FIXED
@given(st.text(max_size=80), st.floats(0, 300))
def test_a_shortened_text_fits(text: str, room: float) -> None:
    line = clipped(Line(text), room)
    assert line.width <= room or line.text in ("…", "")


@FIXED
@given(st.text())
def test_what_is_shown_can_be_written_in_xml(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) == len(text)


def test_networks_differ_without_colour() -> None:
    assert len({look.dash for look in LOOKS.values()}) == len(LOOKS)
    lines = {path.attrib.get("stroke-dasharray") for path in parsed(draw(load("zero"))).iter(f"{SVG}path")}
    assert {None if look.dash == "none" else look.dash for look in LOOKS.values()} <= lines


def test_each_cable_has_a_line_for_each_network_it_carries() -> None:
    zero = load("zero")
    colours = {look.colour: network for network, look in LOOKS.items()}
    for group in parsed(draw(zero)).iter(f"{SVG}g"):
        name = (group.findtext(f"{SVG}title") or "").partition(":")[0]
        carried = [colours.get(path.attrib.get("stroke", "")) for path in group.iter(f"{SVG}path")]
        if name in zero.cables and carried:
            assert {network for network in carried if network} == set(zero.cables[name].carries)


def test_servers_say_their_continuity() -> None:
    other = "  autre: {continuity: restart, cpu: 1, memory: 1 GiB, boot: 5 s}\n"
    waiting = "  attente: {continuity: rescue, cpu: 1, memory: 1 GiB, boot: 5 s}\n"
    plan = loads(TINY.replace("\nservers:\n  dopasoins-1:", f"\nservers:\n{other}{waiting}  dopasoins-1:"))
    told = texts(draw(plan))

    assert "pair with dopasoins-2" in told
    assert told.count("restart") == 2, "imagerie too"
    assert told.count("rescue") == 3, "the server, its node's kind, and the legend"
    assert {"server of a pair", "server restarted by HA", "server that waits in rescue"} <= set(told)


def test_each_word_has_a_french_one() -> None:
    tiny = load("tiny")
    say = Phrases(tiny, "fr").say
    kinds = {node.kind.value for node in tiny.nodes.values()}

    assert all(say(word) for word in kinds | set(tiny.networks) | {continuity.value for continuity in Continuity})
    assert "serveurs" in texts(draw(tiny, language="fr"))
    assert "objectif proposé, non signé" in texts(draw(tiny, language="fr"))
    assert "proposed, not signed" in texts(draw(tiny))


def test_the_drawing_in_the_documentation_is_up_to_date() -> None:
    assert (DOCS / "zero.svg").read_text(encoding="utf-8") == draw(load("zero")), (
        "bascule plan draw zero -o docs/zero.svg"
    )


def test_the_command_writes_a_file_or_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "draw", "tiny"]) == 0
    assert capsys.readouterr().out == draw(load("tiny"))

    assert main(["plan", "draw", "tiny", "-o", str(tmp_path / "out.svg"), "--language", "fr"]) == 0
    assert (tmp_path / "out.svg").read_text(encoding="utf-8") == draw(load("tiny"), language="fr")

    assert main(["plan", "draw", "tiny", "-o", str(tmp_path / "nowhere" / "out.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err
