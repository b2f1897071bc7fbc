"""Test the tester: a mirror that is not one must be found out. docs/track-record.md lists these defects."""

from __future__ import annotations

import os
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from faults import ArrayReplaced, PowerLoss, VolumeTakenIn
from lab.bench import Lab
from lab.errors import NotMet
from lab.measure import Outcome
from lab.plan import load, loads
from tests.harness.defects.conftest import begun

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.measure import Verdict
    from lab.run import Run

    Play = Callable[..., Verdict]

TINY = load("tiny")
FAR = next(iter(TINY.volumes.values())).copies[-1]
STANDALONE = loads(
    (resources.files("lab.plan") / "shipped" / "tiny.yaml")
    .read_text(encoding="utf-8")
    .replace("volume: 512 MiB}", "volume: 512 MiB, standalone: baie-1}", 1)
)


@pytest.mark.parametrize("defect", ["skip-second-copy", "resync-forgets-last-grain", "stale-copy-rejoins"])
def test_copies_that_differ_are_found_by_verify(defect: str, play: Play) -> None:
    with Lab.up(TINY, name=f"{defect}-{os.getpid()}", defects=(defect,)) as lab:
        verdict = play(lab, PowerLoss(FAR))
        with pytest.raises(NotMet, match="grains differ"):
            lab.storage.verify().require()

    assert verdict.evidence[0].holds, "the array had really lost its power"


def test_without_a_defect_the_copies_are_the_same(tiny: Lab, play: Play) -> None:
    play(tiny, PowerLoss(FAR))
    tiny.storage.verify().require()


def test_an_array_that_goes_before_the_new_one_is_in_sync_is_found_by_verify(play: Play) -> None:
    # The far one: nobody reads there, so that care goes on and nothing but the comparison at the end of M5 tells.
    with Lab.up(TINY, name=f"retired-{os.getpid()}", defects=("retire-before-sync",)) as lab:
        verdict = play(lab, ArrayReplaced(FAR))
        with pytest.raises(NotMet, match="grains differ"):
            lab.storage.verify().require()

    assert verdict.evidence[0].holds, "the volumes had really changed arrays"


def test_without_a_defect_the_new_array_has_everything(tiny: Lab, play: Play) -> None:
    play(tiny, ArrayReplaced(FAR))
    tiny.storage.verify().require()


def test_a_host_that_is_not_fenced_when_its_volume_is_taken_in_is_found_by_verify(run: Run) -> None:
    name = f"unfenced-{os.getpid()}"
    with Lab.up(STANDALONE, name=name, defects=("host-not-fenced",)) as lab, pytest.raises(NotMet, match="differ"):
        _take_in(lab, run)


def test_without_a_defect_a_volume_that_is_taken_in_has_two_equal_copies(run: Run) -> None:
    with Lab.up(STANDALONE, name=f"taken-in-{os.getpid()}") as lab:
        assert _take_in(lab, run).verdict is Outcome.MET


def _take_in(lab: Lab, run: Run) -> Verdict:
    """M6, of the active member's volume: clients write all the time."""
    with begun(lab, run, "M6"):
        dopasoins = lab.service("dopasoins")
        with dopasoins.observed(writes=20) as history, lab.fault(VolumeTakenIn("dopasoins-1")):
            lab.hold()
            lab.storage.verify().require()
        return dopasoins.judge(history)
