"""From known outages and a history to what the instrument is worth. Instants in milliseconds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab.calibration import LONG, SHORT, Known, calibration
from lab.front.calibrating import lines
from lab.measure import History, Operation, Probe, Writer

MS = 1_000_000
INTERVAL = 10
WRITER = Writer("pulse@banc", 0, INTERVAL * MS, None, None, None)


def pulse(*out: tuple[int, int], until: int = 3_000, lag: int = 0) -> History:
    """A pulse over a cable that was out from and to these instants."""
    probes = []
    for at in range(0, until, INTERVAL):
        outcome = "failed" if any(begin <= at < end for begin, end in out) else "ok"
        start = (at + lag) * MS
        probes.append(Probe("banc", at * MS, start, start + MS, outcome, "new", None, f"x{at}", None))
    return History(writers=(WRITER,), ended=frozenset({"pulse@banc"}), probes=tuple(probes))


def known(begin: int, end: int, how: str = "cut", asked: float = 0.05) -> Known:
    return Known(how, asked, begin * MS, end * MS)


def test_an_outage_is_measured_beside_its_true_length() -> None:
    (seen,) = calibration(pulse((1_003, 1_053)), [known(1_003, 1_053)]).seen

    assert (seen.true_s, seen.measured_s, seen.found) == (0.05, 0.05, True)


def test_bias_and_spread_are_told_by_kind_and_length() -> None:
    history = pulse((500, 550), (1_000, 1_050), (2_000, 2_100))
    outages = [known(500, 550), known(1_000, 1_046), known(2_000, 2_100, "drop", 0.1)]
    cut, drop = calibration(history, outages).rows()

    assert (cut["how"], cut["count"], cut["seen"]) == ("cut", 2, 2)
    assert cut["bias_s"] == pytest.approx(0.002)
    assert cut["spread_s"] == pytest.approx(0.002)
    assert cut["worst_s"] == pytest.approx(0.004)
    assert (drop["how"], drop["bias_s"]) == ("drop", 0)


def test_the_smallest_gap_is_the_length_from_which_on_all_were_seen() -> None:
    outages = [known(500, 505, asked=0.005), known(1_000, 1_050), known(2_000, 2_100, asked=0.1)]

    assert calibration(pulse((1_000, 1_050), (2_000, 2_100)), outages).smallest_gap_s == 0.05
    assert calibration(pulse((500, 510), (2_000, 2_100)), outages).smallest_gap_s == 0.1, (
        "a lucky shorter one proves nothing"
    )
    assert calibration(pulse((1_000, 1_050)), outages).smallest_gap_s is None


def test_past_the_lag_bound_nothing_is_concluded() -> None:
    found = calibration(pulse((1_000, 1_050), lag=7), [known(1_000, 1_050)], timedelta(milliseconds=5))

    assert not found.conclusive
    assert found.words.en == "calibration inconclusive, the pulse itself was late by 0.01 s"
    assert found.words.fr == "étalonnage indéterminé, le pouls lui-même avait 0,01 s de retard"
    assert calibration(pulse((1_000, 1_050), lag=4), [known(1_000, 1_050)], timedelta(milliseconds=5)).conclusive


def test_a_pulse_that_waits_for_its_answers_cannot_be_calibrated() -> None:
    history = pulse((1_000, 1_050))
    closed = History(history.writers, history.ended, tuple(p for p in history.probes if p.intended_ns != 1_020 * MS))

    assert "left out starts" in calibration(closed, [known(1_000, 1_050)]).trouble


def test_a_pulse_that_wrote_nothing_cannot_be_calibrated() -> None:
    assert calibration(History(), [known(1_000, 1_050)]).trouble == "the pulse wrote nothing"


def test_a_freeze_is_measured_by_the_longest_operation_that_met_it() -> None:
    waits = {900: 10, 1_100: 910, 1_300: 710, 3_000: 1_500}
    operations = tuple(
        Operation(f"o{at}", "banc", "read-record", "read", None, at * MS, (at + wait) * MS, "ok", 1)
        for at, wait in waits.items()
    )
    history = History((WRITER,), probes=pulse().probes, operations=operations)
    (seen,) = calibration(history, [known(1_000, 2_000, "freeze", 1.0)]).seen

    assert (seen.true_s, seen.measured_s) == (1.0, 0.91)


def test_the_command_shows_a_table_and_a_sentence() -> None:
    told = lines(calibration(pulse((1_000, 1_050)), [known(1_000, 1_050), known(2_000, 2_005, asked=0.005)]))

    assert told[1].split() == ["cut", "0.005", "s", "0/1", "-", "0.0", "ms", "0.0", "ms"]
    assert told[2].split()[:4] == ["cut", "0.05", "s", "1/1"]
    assert told[-1].startswith("1 of 2 known outages seen")


def test_courses_go_both_ways_and_shuffle_by_seed() -> None:
    told = list(LONG.planned(1))

    assert told == list(LONG.planned(1))
    assert told != list(LONG.planned(2))
    assert {how for how, _ in told} == {"cut", "drop", "freeze"}
    assert {how for how, _ in SHORT.planned(1)} == {"cut", "drop"}
    assert sum(length for _, length in SHORT.planned(1)) < 1
