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


@pytest.mark.scenario("P1", fr="PRA : essai de reprise, isolé, sur les copies")
@pytest.mark.parametrize("principal", ["dopasoins", "imagerie"])
@pytest.mark.usefixtures("copied_room")
def test_care_goes_on_while_the_recovery_plan_is_tested(lab: Lab, principal: str) -> None:
    """Care goes on while its restart from the copy is rehearsed, where no wire leads."""
    service = lab.service(principal)

    with service.observed() as history:
        found = lab.rehearse(principal)

    service.judge(history).require()
    assert found["interfaces"] == ["lo"]


@pytest.mark.scenario("P4", fr="PRA : bascule programmée dans l'autre salle, et retour en trois phases")
@pytest.mark.usefixtures("copied_room")
def test_nothing_is_lost_when_everything_moves_to_the_other_room_and_back(lab: Lab) -> None:
    """Nothing is lost when everything moves to the other room as announced, and moves back."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed(writes=20) as history:
        lab.migrate()
        lab.fail_back()

    dopasoins.judge(history).require()


@pytest.mark.scenario("P3", fr="PRA : réplication inversée, puis perte de l'autre salle")
def test_care_starts_again_where_it_came_from_when_the_other_room_burns(lab: Lab, room_of_copies: str) -> None:
    """Care starts again in its first room when the other burns, once that was moved to and copied back from."""
    dopasoins = lab.service("dopasoins")
    lab.migrate()
    lab.reprotect()

    with dopasoins.observed(writes=20) as history, lab.fault(PowerLoss(room_of_copies)):
        lab.recover()
        lab.hold()

    dopasoins.judge(history).require()
