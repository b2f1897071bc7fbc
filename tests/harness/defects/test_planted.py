"""Test the tester: each defect planted here must turn the verdict. docs/track-record.md lists them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from faults import CableCut, Nothing, PowerLoss
from lab.bench import Lab
from lab.faulting import FaultNotFeltError
from lab.measure import Outcome
from lab.plan import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.measure import Verdict
    from lab.service import Observation

    Play = Callable[..., Verdict]

TINY = load("tiny")
CUT = CableCut(next(iter(TINY.cables)))
# The host of the member that holds the address first: losing it, clients must try again.
HOST = PowerLoss(TINY.host_of(TINY.services["dopasoins"].runs_on[0]))


def test_without_a_defect_a_cut_cable_is_met(tiny: Lab, play: Play) -> None:
    verdict = play(tiny, CUT)
    assert verdict.verdict is Outcome.MET, verdict.sentence


def test_a_client_that_never_tries_again_is_interrupted(tiny: Lab, play: Play) -> None:
    verdict = play(tiny, HOST, frozenset({"client-without-retry"}))
    assert verdict.verdict is Outcome.NOT_MET, verdict.sentence
    assert verdict.interruption.total_seconds() > 0


def test_a_pulse_that_waits_for_its_answers_proves_nothing(tiny: Lab, play: Play) -> None:
    verdict = play(tiny, HOST, frozenset({"closed-loop-pulse"}))
    assert verdict.verdict is Outcome.INCONCLUSIVE, verdict.sentence


def test_a_fault_that_does_nothing_is_noticed(tiny: Lab, play: Play) -> None:
    with pytest.raises(FaultNotFeltError, match="nothing was broken"):
        play(tiny, Nothing())


def test_an_acknowledged_act_deleted_behind_the_application_is_lost(tiny: Lab, play: Play) -> None:
    def delete_one(lab: Lab, history: Observation) -> None:
        member = lab.plan.services["dopasoins"].runs_on[0]
        done = next(op for op in history.history().operations if op.journey == "record-act" and op.outcome == "ok")
        statement = f"SET SESSION wsrep_on=OFF; DELETE FROM dopasoins.acts WHERE number='{done.key}'"  # noqa: S608 - ours
        lab.run_in(lab.plan.host_of(member), "mariadb", f"--socket=/srv/{member}/mariadb.sock", "-e", statement)

    verdict = play(tiny, CUT, tamper=delete_one)
    assert verdict.verdict is Outcome.NOT_MET, verdict.sentence
    assert len(verdict.lost) == 1


def test_an_access_without_its_audit_row_is_untraced(play: Play) -> None:
    with Lab.up(TINY, name=f"untraced-{os.getpid()}", defects=("audit-row-dropped",)) as lab:
        verdict = play(lab, CUT)
    assert verdict.verdict is Outcome.NOT_MET, verdict.sentence
    assert verdict.untraced
