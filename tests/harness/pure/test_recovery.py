"""Runbooks: what is refused, in which order steps are taken, and what is told from the loss and from the decision."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.measure.takeover import Takeover
from lab.plan import PlanError
from lab.recovery import Recovery, RefusedError, declared, load, loads, shipped, walk

if TYPE_CHECKING:
    from lab.measure.phrases import Phrase
    from lab.recovery import Runbook, Step

SECOND = 1_000_000_000
HEAD = "name: essai\ntitle: a test\ntitle_fr: un essai\nsteps:\n"
ALERT = "  - {name: alert, says: noticed, says_fr: constaté, who: astreinte, lasts: 5 min}\n"
DECIDE = "  - {name: decide, says: decided, says_fr: décidé, who: cellule, lasts: 10 min, decides: true}\n"
SERVE = "  - {name: serve, says: served, says_fr: servi, does: serve, service: dopasoins, group: 2}\n"
VERIFY = "  - {name: verify, says: seen, says_fr: vu, who: soignant, lasts: 20 min, group: 3}\n"


def walked(runbook: Runbook, *, loss: int = 0, waits: bool = False) -> tuple[Recovery, list[str]]:
    """Walk with a clock that goes on by a second at each look."""
    taken: list[str] = []
    clock = count(10 * SECOND, SECOND)

    def act(step: Step) -> None:
        taken.append(step.name)

    def human(step: Step) -> bool:
        taken.append(step.name)
        return waits

    found = walk(Recovery(runbook, loss), {"serve": act, "answers": act}, human, lambda: next(clock), lambda *_: None)
    return found, taken


@dataclass
class Promise:
    """What is promised."""

    interruption: timedelta | None
    freeze: timedelta | None = None
    loss: int | None = 0


def told(found: Recovery, interruption: timedelta | None) -> list[Phrase]:
    return list(found.takeover.phrases(Promise(interruption)))


def test_the_shipped_runbooks_are_good() -> None:
    assert shipped() == ["pra", "pra-migration", "pra-reprotect", "pra-retour", "retour", "ultime-secours"]
    for name in shipped():
        assert load(name).name == name
    assert load("ultime-secours").forgets(["dopasoins", "imagerie"]) == []
    assert load("retour").forgets(["dopasoins", "imagerie"], "give-back") == []


def test_steps_are_taken_by_priority_group() -> None:
    _, taken = walked(loads(HEAD + VERIFY + SERVE + ALERT + DECIDE))
    assert taken == ["alert", "decide", "serve", "verify"]


def test_both_figures_include_the_declared_human_time_and_end_when_the_last_service_is_back() -> None:
    found, _ = walked(loads(HEAD + ALERT + DECIDE + SERVE + VERIFY), loss=4 * SECOND)

    # The clock: alert 10-11, decide 12-13, serve 14-15.
    assert found.from_loss == timedelta(seconds=15 - 4, minutes=15)
    assert found.from_decision == timedelta(seconds=15 - 13)
    assert found.human == timedelta(minutes=35)
    assert found.takeover.human == timedelta(minutes=15), "nobody waits for what comes after the last service"
    assert found.machine == timedelta(seconds=1)
    assert told(found, timedelta(minutes=30))[0].kept
    assert not told(found, timedelta(minutes=15))[0].kept
    assert "15 min 11 s after the loss, 2 s after the decision" in told(found, None)[0].words.en


def test_what_room_three_lacked_is_held_against_the_objective() -> None:
    found, _ = walked(loads(HEAD + SERVE))
    lacking = replace(found, acknowledged=7, missing=("n-1",))

    assert len(told(found, None)) == 1, "nobody observed"
    _, loss = told(lacking, None)
    assert loss.words.en == "room three lacked 1 of 7 writes acknowledged before"
    assert not loss.kept
    assert Takeover.from_json(json.dumps(lacking.stored())) == lacking.takeover


def test_a_person_who_was_waited_for_costs_what_it_took() -> None:
    found, _ = walked(loads(HEAD + ALERT + DECIDE + SERVE), loss=10 * SECOND, waits=True)

    assert found.human == timedelta()
    assert found.from_loss == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("  - {name: a, says: a, says_fr: a, who: astreinte}\n", "human step a has no duration: write lasts:"),
        ("  - {name: a, says: a, says_fr: a}\n", "neither somebody (who) nor something to do (does)"),
        ("  - {name: a, says: a, says_fr: a, does: serve, lasts: 2 s}\n", "is measured: leave lasts out"),
        ("  - {name: a, says: a, says_fr: a, who: b, lasts: 2 s, does: serve}\n", "leave one out"),
        ("  - {name: a, says: a, says_fr: a, who: b, lasts: 2}\n", "has no unit"),
        ("  - {name: a, says: a, says_fr: a, does: serve, servcie: b}\n", "did you mean service?"),
    ],
)
def test_a_runbook_that_cannot_be_used_is_refused_in_one_sentence(steps: str, sentence: str) -> None:
    with pytest.raises(PlanError) as refused:
        loads(HEAD + ALERT + steps, where="essai.yaml")

    assert sentence in str(refused.value)
    assert str(refused.value).startswith("essai.yaml:6: "), "the line of the step"


def test_a_file_that_is_not_there_is_refused_with_the_shipped_names() -> None:
    with pytest.raises(
        PlanError,
        match=r"give a YAML file or a shipped runbook \(pra, pra-migration, ",
    ):
        load("/nowhere/at/all.yaml")


def test_a_principal_service_that_no_step_serves_is_noticed() -> None:
    assert loads(HEAD + ALERT + SERVE).forgets(["dopasoins", "imagerie"]) == ["imagerie"]


def test_nothing_is_done_when_a_step_asks_for_what_the_machine_cannot_do() -> None:
    runbook = loads(HEAD + SERVE + "  - {name: a, says: a, says_fr: a, does: pray}\n")
    taken: list[str] = []

    with pytest.raises(RefusedError, match=r"does 'pray'; known: serve"):
        walk(Recovery(runbook, 0), {"serve": lambda step: taken.append(step.name)}, declared, count().__next__, print)
    assert taken == []


@given(st.lists(st.sampled_from([ALERT, SERVE, VERIFY]), min_size=1, max_size=6), st.booleans())
def test_the_decision_never_comes_before_the_loss(steps: list[str], decides: bool) -> None:  # noqa: FBT001 - drawn
    unique = list(dict.fromkeys([*steps, DECIDE] if decides else steps))
    found, _ = walked(loads(HEAD + "".join(unique)))

    assert timedelta() <= found.from_decision <= found.from_loss
    assert found.from_loss <= timedelta(seconds=100) + found.human
