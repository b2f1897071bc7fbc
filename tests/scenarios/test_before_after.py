"""Before and after: the same losses, seen by the same wards, on the plan of 2009, that of 2012, and the one to come.

Each plan answers as it would: by itself, or by what its runbook tells people. `bascule compare` puts them side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import CableCut, PowerLoss, Then
from lab.plan import Scope

if TYPE_CHECKING:
    from lab import Lab

pytestmark = [pytest.mark.nightly, pytest.mark.disaster]


@pytest.mark.scenario("AA1", fr="Avant et après : perte du serveur physique du dossier médical")
def test_before_and_after_a_host_is_lost(lab: Lab) -> None:
    """Care with the physical server lost that runs the medical record."""
    dopasoins = lab.service("dopasoins")
    host = lab.target(f"the-host-of {dopasoins.plan.runs_on[0]}")

    with dopasoins.observed(writes=20) as history, lab.fault(PowerLoss(host)):
        lab.carry_on()
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("AA2", fr="Avant et après : perte d'une baie de disques")
def test_before_and_after_an_array_is_lost(lab: Lab, fresh_array: str) -> None:
    """Care with the disk array lost that is in the room which serves."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed(writes=20) as history, lab.fault(PowerLoss(fresh_array)):
        lab.carry_on()
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("AA3", fr="Avant et après : perte d'une salle")
def test_before_and_after_a_room_is_lost(lab: Lab, preferred_room: str) -> None:
    """Care with the room lost that serves."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed(writes=20) as history, lab.fault(PowerLoss(preferred_room)):
        lab.carry_on()
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("AA4", fr="Avant et après : coupure d'un câble entre les salles")
def test_before_and_after_a_cable_is_cut(lab: Lab, first_mirror_cable: str) -> None:
    """Care with one of the two cables cut that join the rooms."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed(writes=20) as history, lab.fault(CableCut(first_mirror_cable)):
        lab.carry_on()
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("AA5", fr="Avant et après : perte des deux salles")
def test_before_and_after_both_rooms_are_lost(lab: Lab, every_main_room: tuple[str, ...]) -> None:
    """Care with both rooms lost."""
    dopasoins = lab.service("dopasoins")
    both = Then(*map(PowerLoss, every_main_room), scope=Scope.BOTH_ROOMS)

    with dopasoins.observed(writes=20) as history, lab.fault(both):
        lab.carry_on()
        lab.hold()

    dopasoins.judge(history).require()
