"""Every cut between two places: who wins in storage, HA, database and address is who the plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import CableCut, NetworkCut
from lab import deciders

if TYPE_CHECKING:
    from lab import Lab
    from lab.expectation import Cut

pytestmark = [pytest.mark.nightly, pytest.mark.disaster]


def parting(cut: Cut) -> CableCut | NetworkCut:
    """The fault that makes a cut."""
    return NetworkCut(cut.network, cut.one, cut.other) if cut.network else CableCut(*sorted(cut.lost))


@pytest.mark.scenario("V6", fr="Coupure entre deux lieux : qui décide")
def test_who_decides_is_who_the_plan_says(lab: Lab, place_cut: Cut) -> None:
    """When two places are parted, whoever the plan names decides, and care goes on as it promises."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(parting(place_cut)):
        lab.hold()
        found = deciders.settled(lab, place_cut)

    dopasoins.judge(history).require()
    found.require(lab, place_cut)
