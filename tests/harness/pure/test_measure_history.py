"""Reading histories and read-backs."""

from __future__ import annotations

import pytest

from lab.measure import History, Readback, ReadbackError
from lab.measure.lanes import INTERRUPTED, SERVED, SLOW, lanes
from lab.measure.readback import Trace

START = (
    '{"k":"start","v":1,"writer":"pulse@urgences","t":5,"utc":"2026-11-24T01:00:00+00:00","interval_ns":10000000,'
    '"timeout_ns":250000000}'
)
PULSE = '{"k":"pulse","w":"urgences","t":10,"s":12,"e":15,"o":"ok","c":"new","why":null,"x":"u-p1","m":"dopasoins-1"}'
TRY = (
    '{"k":"try","w":"urgences","op":"u-1","n":2,"s":20,"e":30,"o":"failed","why":"connect timeout",'
    '"x":"u-1.2","m":null}'
)
OP = '{"k":"op","op":"u-1","w":"urgences","j":"prescribe","a":"write","key":"u-1","t":20,"e":40,"o":"unknown","n":2}'
LAG = '{"k":"lag","writer":"pulse@urgences","t":41,"p999_ns":2,"max_ns":2}'
END = '{"k":"end","writer":"pulse@urgences","t":50}'
LINES = [START, PULSE, TRY, OP, LAG, END]


def test_every_kind_of_line_is_read() -> None:
    history = History.parse(LINES)

    assert history.writers[0].ward == "urgences"
    assert history.writers[0].interval_ns == 10_000_000
    assert history.ended == {"pulse@urgences"}
    assert history.probes[0].member == "dopasoins-1"
    assert history.tries[0].why == "connect timeout"
    assert (history.operations[0].key, history.operations[0].latency_ns) == ("u-1", 20)
    assert history.damaged == ()


def test_lines_may_keep_their_line_ends() -> None:
    assert History.parse(f"{line}\n" for line in LINES) == History.parse(LINES)


def test_a_last_line_cut_short_is_forgiven() -> None:
    assert History.parse([*LINES, PULSE[:40]]) == History.parse(LINES)


@pytest.mark.parametrize(
    "line",
    [
        PULSE[:40],
        "",
        "null",
        "[]",
        PULSE + "," + PULSE,
        PULSE + PULSE,
        PULSE.replace('"ok"', '"fine"'),
        PULSE.replace('"e":15', '"e":11'),
        PULSE.replace('"e":15', '"e":"late"'),
        PULSE.replace('"x":"u-p1",', ""),
        START.replace('"v":1', '"v":2'),
    ],
)
def test_any_other_damaged_line_is_numbered(line: str) -> None:
    history = History.parse([START, line, END])

    assert history.damaged == (2,)
    assert history.probes == ()
    assert history.ended == {"pulse@urgences"}


def test_a_line_of_a_later_version_of_the_wards_is_left_out() -> None:
    assert History.parse([*LINES, '{"k":"mood","w":"urgences"}', END]).damaged == ()


def test_words_that_come_back_share_one_object() -> None:
    history = History.parse([PULSE, PULSE])

    assert history.probes[0].ward is history.probes[1].ward


def test_a_readback_is_read() -> None:
    stored = '{"copies":{"dopasoins-1":{"acts":{"u-1":1},"prescriptions":{"u-2":2}}},"trail":["u-p1"]}'
    readback = Readback.from_json(stored)

    assert readback.held("dopasoins-1") == {"u-1", "u-2"}
    assert readback.repeated() == {"u-2"}
    assert readback.trail == {"u-p1"}
    assert Readback.from_json(readback.to_json()) == readback


def test_a_readback_keeps_the_rows_of_the_trail() -> None:
    rows = {"dopasoins-1": (Trace("u-p1", "read-record", None, 7),)}
    readback = Readback({}, frozenset({"u-p1"}), rows)

    assert Readback.from_json(readback.to_json()) == readback


@pytest.mark.parametrize("text", ["", "[]", '{"copies":{}}', '{"copies":[],"trail":[]}'])
def test_a_file_that_is_no_readback_is_named_so(text: str) -> None:
    with pytest.raises(ReadbackError, match="not a stored read-back"):
        Readback.from_json(text)


def test_lanes_count_served_slow_and_interrupted_by_bucket() -> None:
    slow = PULSE.replace('"t":10,', '"t":-200000000,')
    pulses, prescribe = lanes(History.parse([PULSE, slow, OP]), 100_000_000)

    assert (pulses.journey, pulses.ward, pulses.start_ns) == ("pulse", "urgences", -200_000_000)
    assert pulses.cells == {0: SLOW, 2: SERVED}
    assert (prescribe.journey, list(prescribe.cells.values())) == ("prescribe", [INTERRUPTED])


def test_lanes_keep_kept_connections_apart() -> None:
    kept = PULSE.replace('"c":"new"', '"c":"kept"')

    assert [lane.journey for lane in lanes(History.parse([kept, PULSE, OP]), 10)] == [
        "pulse",
        "pulse-kept",
        "prescribe",
    ]


def test_an_empty_history_has_no_lanes() -> None:
    assert lanes(History(), 10) == ()
