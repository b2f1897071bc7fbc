"""Test the tester: a replication that tells copies and makes none. docs/track-record.md lists the defect."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from faults import PowerLoss
from lab.bench import Lab
from lab.measure import Outcome
from lab.plan import load
from lab.run import Run
from lab.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

PRA = load("pra-2009")


def test_a_copy_that_skips_loses_what_was_acknowledged_before_it(tmp_path: Path) -> None:
    run = Run(tmp_path, PRA)
    with Lab.up(PRA, name=f"skipping-{os.getpid()}", defects=("copy-that-skips",)) as lab:
        lab.begin(run.begin("skipping", "defect", "skipping", "skipping"))
        dopasoins = lab.service("dopasoins")
        with dopasoins.observed(writes=5) as history:
            written = time.monotonic_ns()
            wait_until(lambda: lab.storage.copied_ns("baie-2") > written, within=30, because="no copy is told")
            with lab.fault(PowerLoss("salle-1")):
                lab.recover()
                lab.hold()
        verdict = dopasoins.judge(history)
    assert verdict.verdict is Outcome.NOT_MET, verdict.sentence
    assert verdict.lost
    assert " 0 of them older than the copy" not in verdict.sentence
