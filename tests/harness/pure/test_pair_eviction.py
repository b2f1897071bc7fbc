"""A member without processor makes the group wait, and its twin votes it out: told on questions and looks."""

from __future__ import annotations

import pytest

from lab.replica.pair.bootstrap import Stage, Standing
from lab.replica.pair.eviction import WINDOW, Suspicion, Waits

WELL, LATE, FROZEN = (
    Standing("dopasoins-2", Stage.PRIMARY, group=3, fit=fit, late=late)
    for fit, late in ((True, False), (False, True), (False, False))
)


def voted_out(
    twin: Standing | None, *, reached: bool = True, well: bool = True, slow: bool = True, lag: float = 0.01
) -> list[float]:
    """When the twin would be voted out, at a look each half second of a group that is slow from the first."""
    suspicion, found = Suspicion(), []
    for at in (number / 2 for number in range(11)):
        suspicion.looked(twin, reached=reached)
        suspicion.took_turn(at, lag)
        if suspicion.accuses(at, min(at, WINDOW) if slow else 0.0, well=well):
            found.append(at)
    return found


@pytest.mark.parametrize("twin", [None, LATE])  # its kernel answers, and it does not; or it says so itself
def test_a_twin_that_makes_the_group_wait_is_voted_out(twin: Standing | None) -> None:
    assert voted_out(twin)[0] == 2


@pytest.mark.parametrize(
    ("twin", "reached"),
    [
        (None, False),  # dead or parted: Galera forgets it by itself, or goes round by the arbitrator
        (WELL, True),  # it may be the arbitrator
        (WELL, False),
        (FROZEN, True),  # it confirms what it cannot write yet
    ],
)
def test_a_twin_that_is_dead_or_parted_or_well_or_frozen_is_not(twin: Standing | None, reached: bool) -> None:  # noqa: FBT001
    assert voted_out(twin, reached=reached) == []


def test_whoever_could_not_serve_in_its_place_accuses_nobody() -> None:
    assert voted_out(None, well=False) == []


def test_on_a_machine_that_is_late_for_everybody_nobody_is_accused() -> None:
    assert voted_out(None, lag=0.3) == []


def test_nobody_is_voted_out_of_a_group_that_is_quick() -> None:
    assert voted_out(None, slow=False) == []


def test_one_answer_that_did_not_come_accuses_nobody() -> None:
    suspicion, found = Suspicion(), []
    for twin in (WELL, None, WELL, None, None):
        suspicion.looked(twin, reached=True)
        found.append(suspicion.accuses(9.0, WINDOW, well=True))

    assert found == [False, False, False, False, True]


def waited(story: list[tuple[float, float | None]], now: float) -> float:
    """What is added up of questions: when each was asked and answered, None if it was not."""
    waits = Waits()
    for asked, answered in story:
        waits.ask(asked)
        if answered is not None:
            waits.answer(answered)
    return waits.waited(now)


@pytest.mark.parametrize(
    ("story", "now", "seconds"),
    [
        ([(0.1 * number, 0.1 * number + 0.002) for number in range(40)], 4.0, 0),
        ([(0.0, None)], 1.5, 1.5),
        ([(0.0, None), (2.0, None)], 2.1, 2.1),  # one that was given up after 2 s, and asked again
        ([(0.0, None)], 60.0, WINDOW),
        # As seen of a twin at 1 %: quick answers between the slow ones do not excuse it.
        ([(1.85, 2.4), (2.45, 2.8), (2.85, 2.9), (3.0, 3.5), (3.55, 4.0)], 4.0, 1.85),
        ([(0.0, 1.0), (1.1, 1.101)], 4.0, 0),
    ],
)
def test_what_the_group_makes_us_wait_is_added_up(
    story: list[tuple[float, float | None]], now: float, seconds: float
) -> None:
    assert waited(story, now) == pytest.approx(seconds)


def test_without_a_group_nobody_waits() -> None:
    waits = Waits()
    waits.ask(0.0)
    waits.forget()

    assert waits.waited(2.0) == 0
