"""Test the tester: a mirror that is not one must be found out. docs/track-record.md lists these defects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from faults import ArrayReplaced, PowerLoss
from lab.bench import Lab
from lab.errors import NotMet
from lab.plan import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.measure import Verdict

    Play = Callable[..., Verdict]

TINY = load("tiny")
FAR = next(iter(TINY.volumes.values())).copies[-1]


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
