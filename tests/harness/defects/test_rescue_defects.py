"""Defects planted in what feeds room three, in a whole lab. The core's own are in `pure/test_outbox.py`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from faults import CableCut
from lab.bench import Lab
from lab.measure import Outcome
from lab.plan import load
from lab.recovery import RefusedError
from lab.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from lab.run import Run

TINY = load("tiny")
APART = CableCut("fibre-1s", "fibre-2s", "rocade-s")


def begin(lab: Lab, run: Run, name: str) -> None:
    """Play a scenario of that name from now on."""
    lab.begin(run.begin(name, "defect", name, name))


def test_a_catch_up_that_skips_loses_what_was_acknowledged_meanwhile(run: Run) -> None:
    with Lab.up(TINY, name=f"skips-{os.getpid()}", defects=("catch-up-that-skips",)) as lab:
        begin(lab, run, "skips")
        dopasoins = lab.service("dopasoins")
        with dopasoins.observed() as history, lab.fault(APART):
            before = history.writes
            wait_until(
                lambda: history.is_steady(1) and history.writes >= before + 3, within=60, because="nobody writes"
            )
        verdict = dopasoins.judge(history)
    assert verdict.verdict is Outcome.NOT_MET, verdict.sentence
    assert verdict.lost


def test_a_runbook_that_forgets_a_principal_service_is_refused(tiny: Lab, run: Run, tmp_path: Path) -> None:
    forgetful = tmp_path / "forgetful.yaml"
    forgetful.write_text(
        "name: forgetful\ntitle: t\ntitle_fr: t\nsteps:\n"
        "  - {name: record, says: s, says_fr: s, does: serve, service: dopasoins}\n"
    )
    begin(tiny, run, "forgetful")
    with pytest.raises(RefusedError, match="forgets imagerie"):
        tiny.recover(str(forgetful))


def test_room_three_is_not_gone_to_while_a_room_lives(tiny: Lab, run: Run) -> None:
    begin(tiny, run, "lives")
    with pytest.raises(RefusedError, match=r"lives: .* could serve; --override"):
        tiny.recover()
    assert tiny.rescue.serving() == []
