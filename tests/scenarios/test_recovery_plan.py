"""The recovery plan of before (PRA): one room, copied now and then to the other, where people start again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import PowerLoss

if TYPE_CHECKING:
    from lab import Lab

pytestmark = [pytest.mark.nightly, pytest.mark.disaster]


@pytest.mark.scenario("P2", fr="PRA : perte de la salle de production, reprise dans l'autre")
def test_care_starts_again_from_the_last_copy(lab: Lab, copied_room: str) -> None:
    """Care starts again in the other room from the last complete copy, when the room that serves burns."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed(writes=20) as history, lab.fault(PowerLoss(copied_room)):
        lab.recover()
        lab.hold()

    dopasoins.judge(history).require()
