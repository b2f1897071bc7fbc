"""Planned changes under observation: what is maintained or upgraded in turn, while care goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import ArrayReplaced, HostMaintenance, PlannedStop, Reboot, Restart, VolumeTakenIn

if TYPE_CHECKING:
    from lab import Lab

pytestmark = pytest.mark.maintenance


@pytest.mark.scenario("M1", fr="Mise en maintenance d'un serveur physique")
def test_care_goes_on_while_a_host_is_maintained(lab: Lab, esx_host: str) -> None:
    """Care goes on while a host is emptied, worked on, and given back."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(HostMaintenance(esx_host)):
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("M2", fr="Mise à niveau des contrôleurs de stockage, l'un après l'autre")
def test_care_goes_on_while_the_virtualisers_are_upgraded(lab: Lab, every_virtualiser: tuple[str, ...]) -> None:
    """Care goes on while the storage controllers are stopped and started in turn."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history:
        for virtualiser in every_virtualiser:
            with lab.fault(PlannedStop(virtualiser)):
                lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@pytest.mark.scenario("M3", fr="Redémarrage des arbitres, l'un après l'autre")
def test_care_goes_on_while_the_arbiters_are_restarted(lab: Lab, every_arbiter: tuple[str, ...]) -> None:
    """Care goes on while the arbiters restart in turn."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history:
        for arbiter in every_arbiter:
            with lab.fault(Reboot(arbiter)):
                lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.parametrize("program", ["application", "database"])
@pytest.mark.scenario("M4", fr="Mise à niveau de l'application ou de la base, un membre après l'autre")
def test_care_goes_on_while_the_members_are_upgraded(lab: Lab, program: str) -> None:
    """Care goes on while the application, or the database, of each member is stopped and started in turn."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history:
        for member in dopasoins.plan.runs_on:
            with lab.fault(Restart(member, program)):
                lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("M5", fr="Remplacement d'une baie de disques par une neuve")
def test_care_goes_on_while_an_array_is_replaced(lab: Lab, array: str) -> None:
    """Care goes on while the volumes go from an array to a new one, and the old one is retired."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(ArrayReplaced(array)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@pytest.mark.scenario("M6", fr="Passage d'un volume isolé dans l'espace virtualisé")
def test_care_goes_on_while_a_volume_is_taken_in(lab: Lab, standalone_server: str) -> None:
    """Care goes on while a stand-alone volume comes into the mirrored space, without a stop of its server."""
    service = lab.service(next(one for one in lab.plan.services.values() if standalone_server in one.runs_on).name)

    with service.observed() as history, lab.fault(VolumeTakenIn(standalone_server)):
        lab.hold()
        lab.storage.verify(standalone_server).require()

    service.judge(history).require()
