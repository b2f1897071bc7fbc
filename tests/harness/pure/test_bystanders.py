"""A service outside the blast radius that stops ends the fault; one that the fault takes or that is judged does not."""

from __future__ import annotations

import pytest

from lab.bystanders import EVERY, BlastRadiusError, Bystanders
from lab.plan import load

ZERO = load("zero")
FREEZE = ZERO.services["imagerie"].accepted_freeze.total_seconds()
IMAGING = ZERO.host_of(ZERO.services["imagerie"].runs_on[0])


class Story:
    """Whether each service answers, and what the clock says."""

    def __init__(self, *lost: str, observed: frozenset[str] = frozenset({"dopasoins"})) -> None:
        self.now = 100.0
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.bystanders = Bystanders(
            ZERO, [set(lost)], placement={}, observed=observed, answers=self._answers, clock=lambda: self.now
        )

    def _answers(self, service: str) -> bool:
        self.asked.append(service)
        return service not in self.silent

    def live(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.bystanders.check()
            self.now += 0.1


def test_a_service_that_should_not_be_touched_and_is_silent_ends_it() -> None:
    story = Story("fibre-a")
    story.live(3)
    story.silent.add("imagerie")
    with pytest.raises(BlastRadiusError, match=r"imagerie should not be touched and has not answered for \d+\.\d s"):
        story.live(FREEZE + 2 * EVERY + 0.2)


def test_a_pause_that_the_plan_calls_working_does_not() -> None:
    story = Story("fibre-a")
    for _ in range(3):
        story.silent.add("imagerie")
        story.live(FREEZE - EVERY)
        story.silent.clear()
        story.live(1)


def test_it_is_asked_twice_a_second() -> None:
    story = Story("fibre-a")
    story.live(10)
    assert 15 <= len(story.asked) <= 21


@pytest.mark.parametrize(
    ("lost", "observed"), [(IMAGING, frozenset[str]()), ("fibre-a", frozenset({"dopasoins", "imagerie"}))]
)
def test_what_the_fault_takes_and_what_is_judged_may_stop(lost: str, observed: frozenset[str]) -> None:
    story = Story(lost, observed=observed)
    story.silent.update(ZERO.services)
    if not observed:
        story.silent.discard("dopasoins")
    story.live(3 * FREEZE)
    assert "imagerie" not in story.asked
