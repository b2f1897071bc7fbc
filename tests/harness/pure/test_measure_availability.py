"""Each journey apart, and percentiles that no outage can hide from. Instants in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.measure import Operation
from lab.measure.availability import ONE_IN, apart, percentiles, restored, stored
from lab.measure.figures import split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.measure.availability import Availability

MS = 1_000_000
PATIENCE = 10_000


def read(at: int, took: int = 10, o: str = "ok", journey: str = "read-record") -> Operation:
    return Operation(f"o{at}", "urgences", journey, "read", None, at * MS, (at + took) * MS, o, 1)


def told(operations: Iterable[Operation], patience_ns: int | None) -> tuple[Availability, ...]:
    return apart(*split(operations, patience_ns), patience_ns)


def only(operations: Iterable[Operation]) -> Availability:
    (journey,) = told(operations, PATIENCE * MS)
    return journey


def test_a_journey_is_interrupted_until_its_own_next_operation_succeeds() -> None:
    prescribing = [read(1000, o="failed", journey="prescribe"), read(9000, journey="prescribe")]
    listing, prescribe = told([read(2000, journey="list-prescriptions"), *prescribing], PATIENCE * MS)

    assert (listing.name, listing.failed, listing.interruption_s) == ("list-prescriptions", 0, 0)
    assert (prescribe.name, prescribe.failed, prescribe.interruption_s) == ("prescribe", 1, 8)
    assert (listing.rate, prescribe.rate) == (1, 0.5)


def test_the_freeze_is_the_longest_wait_that_ended_well() -> None:
    seen = only([read(0), read(1000, took=4_200), read(2000, took=9_000, o="failed"), read(3000, took=10_500)])

    assert seen.freeze_s == 4.2
    assert seen.failed == 2, "what comes after patience came too late"


def test_an_operation_refused_at_once_counts_with_the_patience_of_its_user() -> None:
    """The planted defect `latency of the served only` would say 10 ms: nobody waited, because nobody could work."""
    quick = [read(at * 100) for at in range(90)]
    refused = [read(9_000 + at * 100, took=1, o="failed") for at in range(10)]

    assert only(quick + refused).p90_s == pytest.approx(0.01)
    assert only(quick + refused).p99_s == pytest.approx(10)


def test_latency_counts_from_the_intended_start() -> None:
    """A stall of two seconds in a hundred: one in fifty waited, and waited up to all of it."""
    stalled = [read(at, took=max(10, 2_010 - at)) for at in range(0, 100_000, 100)]

    assert only(stalled).p99_s == pytest.approx(1.01, rel=0.01)


waits = st.lists(st.integers(0, 3_600_000_000_000), min_size=1, max_size=3000)


@settings(deadline=None)
@given(waits)
def test_no_more_than_one_in_so_many_waited_longer(waited: list[int]) -> None:
    for one_in, seconds in zip(ONE_IN, percentiles(waited), strict=True):
        longer = sum(wait / 1e9 > seconds for wait in waited)
        as_long = sum(wait / 1e9 >= seconds for wait in waited)
        assert longer <= len(waited) / one_in < as_long


def test_a_stored_journey_is_read_back_even_from_a_later_version() -> None:
    journeys = told([read(0)], PATIENCE * MS)
    rows = [{**row, "mood": "good"} for row in stored(journeys)]

    assert restored(rows) == journeys


def test_professions_and_sessions_are_told_apart_where_the_history_names_them() -> None:
    nurse = msgspec.structs.replace(read(0), profession="nurse", connection="new")
    physician = msgspec.structs.replace(read(100, o="failed"), profession="physician", connection="kept")

    assert [(seen.by, seen.name, seen.failed) for seen in told([nurse, physician], None)] == [
        ("journey", "read-record", 1),
        ("profession", "nurse", 0),
        ("profession", "physician", 1),
        ("connection", "kept", 1),
        ("connection", "new", 0),
    ]


def test_without_operations_there_are_no_journeys() -> None:
    assert told([], None) == ()
