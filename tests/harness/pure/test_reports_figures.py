"""The timeline: what is drawn, and that no label covers another."""

from __future__ import annotations

import re
from itertools import permutations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.measure import History, Operation, Probe
from reports.figures import figure_key, timeline
from reports.lanes import grained, lanes_of
from reports.language import speak
from reports.model import Lane, ScenarioResult, Span, State
from reports.svg import number, placed, ticks, width

FRENCH = speak("fr")
S = 1_000_000_000
SERVED, SLOW, INTERRUPTED = State.SERVED, State.SLOW, State.INTERRUPTED


def probe(at: float, outcome: str = "ok", lasts: float = 0.01, ward: str = "w") -> Probe:
    start = round(at * S)
    return Probe(ward, start, start, start + round(lasts * S), outcome, "new", None, f"x{at}", None)


def operation(
    at: float, outcome: str = "ok", lasts: float = 0.05, journey: str = "prescribe", ward: str = "w"
) -> Operation:
    kind = "read" if journey == "read-record" else "write"
    start = round(at * S)
    return Operation(f"{ward}{journey}{at}", ward, journey, kind, None, start, start + round(lasts * S), outcome, 1)


def spans(history: History, journey: str) -> list[tuple[float, float, State]]:
    lane = next(lane for lane in lanes_of(history, 0) if lane.journey == journey)
    return [(round(span.start, 2), round(span.end, 2), span.state) for span in lane.spans]


def test_a_pulse_is_interrupted_until_it_is_served_again() -> None:
    history = History(probes=(probe(0), probe(0.01, "failed", 0.25), probe(0.02, "failed", 0.25), probe(0.03)))

    assert spans(history, "pulse") == [(0, 0.01, SERVED), (0.01, 0.03, INTERRUPTED), (0.03, 0.04, SERVED)]


def test_a_late_answer_fills_the_whole_wait() -> None:
    history = History(operations=(operation(0), operation(1, lasts=2.5), operation(4)))

    assert spans(history, "prescribe") == [(0, 1, SERVED), (1, 3.5, SLOW), (3.5, 4.01, SERVED)]


def test_a_rare_journey_is_relieved_by_another_of_its_kind_in_its_ward() -> None:
    history = History(
        operations=(
            operation(0, "failed"),
            operation(1, journey="read-record"),
            operation(2, ward="other"),
            operation(3, journey="record-act"),
            operation(9),
        )
    )

    assert spans(history, "prescribe") == [(0, 3, INTERRUPTED), (9, 9.01, SERVED)]


def test_the_worst_ward_is_shown() -> None:
    history = History(
        operations=(operation(0), operation(0, "failed", ward="other"), operation(1, ward="other"), operation(1))
    )

    assert spans(history, "prescribe")[0] == (0, 1, INTERRUPTED)


def test_pulses_share_a_lane_when_lanes_would_be_too_many() -> None:
    few = History(probes=tuple(probe(0, ward=f"w{n}") for n in range(3)), operations=(operation(0),))
    many = History(probes=tuple(probe(0, ward=f"w{n}") for n in range(20)), operations=(operation(0),))

    assert [(lane.journey, lane.ward) for lane in lanes_of(few, 0)] == [
        ("pulse", "w0"), ("pulse", "w1"), ("pulse", "w2"), ("prescribe", None),
    ]  # fmt: skip
    assert [(lane.journey, lane.ward) for lane in lanes_of(many, 0)] == [("pulse", None), ("prescribe", None)]


def test_an_outage_shorter_than_a_cell_fills_it() -> None:
    seen = (Span(-1, 0.31, SERVED), Span(0.31, 0.33, INTERRUPTED), Span(0.33, 5, SERVED))
    drawn = [(round(span.start, 3), round(span.end, 3), span.state) for span in grained(seen, 0, 1, 0.1)]

    assert drawn == [(0, 0.3, SERVED), (0.3, 0.4, INTERRUPTED), (0.4, 1, SERVED)]


@given(st.lists(st.tuples(st.floats(250, 700), st.text("abcdefgh ", min_size=1, max_size=30)), max_size=8))
def test_labels_touch_no_other_and_no_line(marks: list[tuple[float, str]]) -> None:
    labels = placed(marks, 720)

    assert sorted((label.column, label.text) for label in labels) == sorted(marks)
    for label, other in permutations(labels, 2):
        (left, right), (start, end) = label.box, other.box
        assert label.row != other.row or right <= start or end <= left
        assert not (other.row < label.row and left < other.column < right)


@given(st.floats(-200, 0), st.floats(1, 4000), st.floats(60, 600))
def test_ticks_leave_room_for_their_labels(start: float, length: float, room: float) -> None:
    marks = ticks(start, start + length, room)

    assert all(start <= mark <= start + length for mark in marks)
    assert len(marks) <= room / 46 + 1


@pytest.mark.parametrize("count", [1, 4, 8])
@pytest.mark.parametrize("lasts", [10.0, 60.0, 120.0])
def test_a_figure_keeps_its_texts_apart(count: int, lasts: float) -> None:
    seen = (Span(-5, 0, SERVED), Span(0, 1, INTERRUPTED), Span(1, lasts - 1, SERVED), Span(lasts - 1, lasts, SLOW))
    lanes = tuple(Lane("pulse", f"ward-with-a-very-long-name-{n}", seen) for n in range(count))
    result = ScenarioResult("R1", injected=0.0, healed=lasts - 2, returned=lasts - 1.9, lanes=lanes)

    boxes = [box for panel in _panels(timeline(result, FRENCH)) for box in _boxes(panel)]

    assert boxes
    for index, (left, right, line, text) in enumerate(boxes):
        assert left >= 0, text
        assert right <= 720, text
        for other_left, other_right, other_line, other in boxes[:index]:
            assert line != other_line or right <= other_left or other_right <= left, (text, other)


def test_text_stays_text_and_patterns_are_the_figures_own() -> None:
    result = ScenarioResult("R1 <b>", injected=0.0, lanes=(Lane("pulse", "<w>", (Span(0, 9, INTERRUPTED),)),))
    figure = str(timeline(result, FRENCH))
    key = figure_key("R1 <b>")

    assert "Pouls, &lt;w&gt;" in figure
    assert set(re.findall(r"url\(#([^)]+)\)", figure)) == {f"{key}-hatch"}
    assert figure_key("R1 (b)") != key
    assert figure_key("R1-salle-1") == "R1-salle-1"


def test_nothing_observed_gives_no_figure() -> None:
    assert timeline(ScenarioResult("R1", lanes=(Lane("pulse", "w", ()),)), FRENCH) == ""


@pytest.mark.parametrize(
    ("value", "written"), [(0.04, "0"), (-0.04, "0"), (-0.06, "-0.1"), (12.0, "12"), (3.25, "3.2")]
)
def test_coordinates_are_short(value: float, written: str) -> None:
    assert number(value) == written


def _panels(figure: str) -> list[ET.Element]:
    return [group for group in ET.fromstring(figure) if group.tag == "g"]  # noqa: S314  our own figure


def _boxes(panel: ET.Element) -> list[tuple[float, float, tuple[str, str], str]]:
    """Left, right, line and words of each text that stands directly in a panel."""
    found = []
    for text in panel.findall("text"):
        words, x, wide = text.text or "", float(text.attrib["x"]), width(text.text or "")
        left = {"end": x - wide, "middle": x - wide / 2}.get(text.attrib.get("text-anchor", ""), x)
        found.append((left, left + wide, (panel.attrib["transform"], text.attrib["y"]), words))
    return found
