"""The rounds: many slow pulses spread in phase, and what they say of each address."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.measure import History, Verdict
from lab.measure.instrument import closed_loops
from lab.measure.records import Beat, Writer
from lab.measure.rounds import Away, away
from lab.wards.client import Client
from lab.wards.recorder import Recorder
from lab.wards.rounds import Rounds
from lab.wards.running import Kind, grid
from reports.language import NBSP, speak
from reports.measures import informative
from tests.harness.pure.test_measure_verdict import WELL, verdict
from tests.harness.pure.test_wards_service import config, serving

if TYPE_CHECKING:
    from lab.wards import Config

__all__ = ["config"]  # a fixture
MS = 1_000_000
NS_IN_S = 1_000_000_000


async def went(config: Config, seconds: float) -> History:
    """What a ward's rounds saw of a service that serves."""
    async with serving() as service:
        loop = asyncio.get_running_loop()
        told = replace(config, port=service.port, connect_ms=2000)
        recorder = Recorder(told.history, "rounds@cardiologie", loop)
        recorder.start(**grid(Kind.ROUNDS, told))
        rounds = Rounds(told, Client(told, "r"), recorder)
        rounds.start()
        await asyncio.sleep(seconds)
        await rounds.stop()
        recorder.end()
    with open(told.history, encoding="utf-8") as lines:  # noqa: ASYNC230, PTH123 - all is over by now
        return History.parse(lines)


def test_each_pulse_beats_once_a_second_and_all_are_spread_in_phase(config: Config) -> None:
    history = asyncio.run(went(replace(config, rounds=50), 2.1))
    first = {beat.pulse: beat.intended_ns for beat in reversed(history.beats)}
    phases = sorted(at % NS_IN_S for at in first.values())

    assert len(first) == 50
    assert {later - earlier for earlier, later in pairwise(phases)} == {20 * MS}
    assert closed_loops(history) == []
    assert history.ended == {"rounds@cardiologie"}


def test_a_number_of_pulses_that_no_second_divides_into_has_a_grid_of_its_own(config: Config) -> None:
    history = asyncio.run(went(replace(config, rounds=450), 2.1))

    assert len({beat.pulse for beat in history.beats}) == 450
    assert closed_loops(history) == []


def test_a_beat_that_is_left_out_is_noticed() -> None:
    kept = tuple(beat(0, at) for at in (0, 1000, 3000))
    writer = Writer("rounds@cardiologie", 0, NS_IN_S, None, None, None)

    assert closed_loops(History(writers=(writer,), beats=kept)) == ["rounds@cardiologie"]


def beat(pulse: int, at: int, o: str = "ok", address: str = "10.0.0.1") -> Beat:
    return Beat("cardiologie", pulse, address, at * MS, at * MS, (at + 1) * MS, o, None, None)


def test_who_was_away_is_told_by_address() -> None:
    well = [beat(0, at) for at in range(0, 5000, 1000)]
    ill = [beat(1, at, "failed" if 2000 < at < 4000 else "ok", "10.0.0.2") for at in range(500, 5500, 1000)]
    one, two = away(History(beats=(*well, *ill)))

    assert one == ("10.0.0.1", 5, 0, 0.0, 1.0)
    assert two == ("10.0.0.2", 5, 2, 2.0, 1.0)


def test_several_pulses_at_one_address_look_closer() -> None:
    beats = [beat(n % 4, n * 250, "failed" if 4 <= n < 6 else "ok") for n in range(12)]
    (seen,) = away(History(beats=tuple(beats)))

    assert (seen.longest_s, seen.resolution_s) == (0.5, 0.25)


def test_what_was_away_before_the_fault_does_not_count() -> None:
    beats = [beat(0, n * 1000, "failed" if n == 1 else "ok") for n in range(5)]

    (seen,) = away(History(beats=tuple(beats)), since_ns=2500 * MS)

    assert seen[:4] == ("10.0.0.1", 2, 0, 0.0)


def test_a_verdict_keeps_what_the_rounds_said_and_a_report_has_a_line_for_it() -> None:
    found = replace(verdict(*WELL), rounds=(Away("10.77.4.10", 1800, 450, 1.002, 1 / 450),))

    again = Verdict.from_json(found.to_json())
    rows = dict(informative(again, speak("en")))

    assert again == found
    assert rows["Rounds: 450 pulses of one attempt a second at 10.77.4.10"].replace(NBSP, " ") == (
        "1,800 (450 failed), longest absence 1 s"
    )


def test_rounds_that_never_started_their_history_cast_doubt() -> None:
    line = '{"k":"beat","w":"cardiologie","b":0,"a":"10.0.0.1","t":0,"s":0,"e":1,"o":"ok","why":null,"m":null}'

    assert "rounds@cardiologie never said that it started" in verdict(*WELL, line).sentence


def test_rounds_that_are_late_themselves_take_what_they_watch_its_processor() -> None:
    start = '{"k":"start","v":1,"writer":"rounds@urgences","t":0,"interval_ns":1000000000}'
    late = '{"k":"beat","w":"urgences","b":0,"a":"10.0.0.1","t":0,"s":5000000000,"e":5000000009,"o":"ok","why":null,'
    seen = verdict(*WELL, start, f'{late}"m":null}}', '{"k":"end","writer":"rounds@urgences","t":9}')

    assert "the rounds themselves were late by 5 s (99.9th percentile, bound 0.1 s)" in seen.sentence
    assert "les rondes elles-mêmes avaient 5 s de retard" in seen.sentence_fr


def test_addresses_are_asked_in_turn(config: Config) -> None:
    told = replace(config, rounds=40, addresses=("127.0.0.1", "127.0.0.2"))
    history = asyncio.run(went(told, 0.6))

    counts = Counter(beat.address for beat in history.beats)
    assert abs(counts["127.0.0.1"] - counts["127.0.0.2"]) <= 1
