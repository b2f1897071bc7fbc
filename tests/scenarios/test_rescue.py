"""Ultime Secours: both rooms are lost, the principal services start again in the third, and return without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import ControllerBug, PowerLoss, Then
from lab.plan import Scope

if TYPE_CHECKING:
    from lab import Lab

pytestmark = [pytest.mark.nightly, pytest.mark.disaster]


@pytest.mark.scenario("U1", fr="Perte des deux salles")
@pytest.mark.parametrize("principal", ["dopasoins", "imagerie"])
def test_care_starts_again_in_room_three(lab: Lab, every_main_room: tuple[str, ...], principal: str) -> None:
    """Care starts again in room three when both rooms are lost, and returns to them without loss."""
    service = lab.service(principal)

    with (
        service.observed(writes=20) as history,
        lab.fault(Then(*map(PowerLoss, every_main_room), scope=Scope.BOTH_ROOMS)),
    ):
        lab.recover()
        lab.hold()

    service.judge(history).require()


@pytest.mark.scenario("V4b", fr="Défaut commun des contrôleurs, reprise en troisième salle")
@pytest.mark.parametrize("principal", ["dopasoins", "imagerie"])
def test_care_starts_again_in_room_three_when_the_storage_fails_in_both(lab: Lab, principal: str) -> None:
    """Care starts again in room three when a bug stops the storage of both rooms, and returns to them without loss."""
    service = lab.service(principal)

    with service.observed(writes=20) as history, lab.fault(ControllerBug()):
        lab.recover()
        lab.hold()

    service.judge(history).require()


@pytest.mark.scenario("U3", fr="Essai de reprise de la troisième salle, isolé")
@pytest.mark.parametrize("principal", ["dopasoins", "imagerie"])
def test_care_goes_on_while_the_restart_in_room_three_is_rehearsed(lab: Lab, principal: str) -> None:
    """Care goes on while its restart in room three is rehearsed, where no wire leads."""
    service = lab.service(principal)

    with service.observed() as history:
        found = lab.rehearse(principal)

    service.judge(history).require()
    assert found["interfaces"] == ["lo"]
