"""Faults drawn by lot: every kind has targets in the plans that a night plays, and what is foreseen is accepted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from faults.composing import steps_of
from lab.errors import NotMet
from lab.measure import Outcome
from lab.plan import load
from tests.scenarios.test_random import KINDS, draw, met_or_foreseen

PLANS = {name: load(name) for name in ("tiny", "zero")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plan", PLANS)
def test_every_kind_has_targets_that_the_plan_knows(plan: str, kind: str) -> None:
    drawn = list(KINDS[kind](PLANS[plan]))
    assert drawn
    for fault in drawn:
        steps_of(fault, PLANS[plan])  # whatever it names must be there


def test_a_lot_stands_for_one_fault() -> None:
    lots = [draw(PLANS["tiny"], f"1 {number}") for number in range(60)]
    assert lots == [draw(PLANS["tiny"], f"1 {number}") for number in range(60)]
    assert lots != [draw(PLANS["tiny"], f"2 {number}") for number in range(60)]
    assert len({kind for kind, _ in lots}) > len(KINDS) / 2


def verdict(outcome: Outcome, predicted: str, *, as_predicted: bool) -> Any:  # noqa: ANN401 - as much as is asked
    def require() -> None:
        if outcome is not Outcome.MET:
            raise NotMet("in words")

    return SimpleNamespace(verdict=outcome, predicted=predicted, as_predicted=as_predicted, require=require)


def test_an_outage_is_accepted_where_the_plan_foresees_it_and_nowhere_else() -> None:
    met_or_foreseen(verdict(Outcome.MET, "B", as_predicted=True))
    met_or_foreseen(verdict(Outcome.NOT_MET, "D", as_predicted=True))
    for predicted, as_predicted in (("B", True), ("D", False)):
        with pytest.raises(NotMet):
            met_or_foreseen(verdict(Outcome.NOT_MET, predicted, as_predicted=as_predicted))
    with pytest.raises(NotMet):
        met_or_foreseen(verdict(Outcome.INCONCLUSIVE, "D", as_predicted=True))
