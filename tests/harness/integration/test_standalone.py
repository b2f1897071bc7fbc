"""A stand-alone volume: really outside before it is taken in, really mirrored after."""

from __future__ import annotations

import os
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from faults import PowerLoss, Then, VolumeTakenIn
from lab.bench import Lab
from lab.expectation import Class, expect
from lab.measure import Outcome
from lab.plan import loads
from lab.run import Run
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.faulting import Fault
    from lab.measure import Verdict

ALONE, OTHER = "baie-2", "baie-1"
PLAN = loads(
    (resources.files("lab.plan") / "shipped" / "tiny.yaml")
    .read_text(encoding="utf-8")
    .replace("volume: 256 MiB}", f"volume: 256 MiB, standalone: {ALONE}}}")
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(PLAN, name=f"standalone-{os.getpid()}") as up:
        yield up


def path(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab.storage.status()["paths"]["imagerie"]
    return found


def seen(lab: Lab, folder: Path, fault: Fault) -> Verdict:
    """What imaging's wards see of a fault."""
    lab.wait_whole()
    lab.begin(Run(folder, PLAN).begin("seen", "integration", "seen", "vu"))
    imagerie = lab.service("imagerie")
    with imagerie.observed() as history, lab.fault(fault):
        lab.hold()
    verdict = imagerie.judge(history)
    lab.begin(None)
    return verdict


def test_before_it_needs_no_virtualiser(lab: Lab, tmp_path: Path) -> None:
    assert path(lab)["node"] == ALONE
    verdict = seen(lab, tmp_path, Then(PowerLoss("svc-1"), PowerLoss("svc-2")))
    assert (verdict.verdict, verdict.observed, verdict.as_predicted) == (Outcome.MET, "A", True), verdict.sentence


def test_before_its_array_is_all_it_has(lab: Lab) -> None:
    lab.wait_whole()
    assert expect(PLAN, "imagerie", frozenset({ALONE})).klass is Class.D
    loss = PowerLoss(ALONE)
    loss.inject(lab)
    wait_until(lambda: not path(lab)["node"], within=10, because="somebody else serves it")
    loss.heal(lab)
    wait_until(lambda: path(lab)["node"] == ALONE, within=30, because=f"{ALONE} does not serve it again")
    lab.wait_whole()


def test_after_it_outlives_its_array_and_goes_back_when_that_has_everything_again(lab: Lab, tmp_path: Path) -> None:
    lab.wait_whole()
    lab.begin(Run(tmp_path, PLAN).begin("seen", "integration", "seen", "vu"))
    imagerie, loss = lab.service("imagerie"), PowerLoss(ALONE)
    with imagerie.observed() as history, lab.fault(VolumeTakenIn("imagerie")):
        loss.inject(lab)
        lab.hold()
        assert not lab.levers.copies.is_mirrored("imagerie")
        loss.heal(lab)
        wait_until(
            lambda: lab.levers.copies.is_mirrored("imagerie"), within=60, because=f"{ALONE} is not brought up to date"
        )
        lab.storage.verify("imagerie").require()
    verdict = imagerie.judge(history)
    lab.begin(None)
    assert (verdict.verdict, verdict.observed) == (Outcome.MET, "A"), verdict.sentence
    assert path(lab)["node"] == ALONE
