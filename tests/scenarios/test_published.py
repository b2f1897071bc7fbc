"""Published failures of several elements, and of one network only, that the other suites do not play."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from faults import CableCut, During, NetworkCut, PortLoss, PowerLoss, Then
from lab.plan import Scope

if TYPE_CHECKING:
    from lab import Lab

nightly, disaster = pytest.mark.nightly, pytest.mark.disaster


@nightly
@pytest.mark.scenario("H3", fr="Isolement d'un serveur physique du réseau d'administration")
def test_care_goes_on_when_a_host_is_isolated(lab: Lab, esx_host: str) -> None:
    """Care goes on when a host loses its management network and keeps its storage."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PortLoss(esx_host, "management")):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("H5", fr="Coupure du réseau d'administration entre les salles")
def test_care_goes_on_when_management_is_parted(lab: Lab, parted_rooms: tuple[str, str]) -> None:
    """Care goes on when the management network alone is parted between the rooms."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(NetworkCut("management", *parted_rooms)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("H6", fr="Perte de tous les serveurs physiques d'une salle")
def test_care_goes_on_when_a_room_loses_its_hosts(lab: Lab, hosts_of_a_room: tuple[str, ...]) -> None:
    """Care goes on when every host of a room dies and its storage lives."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Then(*map(PowerLoss, hosts_of_a_room), scope=Scope.A_ROOM)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("H7", fr="Perte des serveurs physiques d'une salle et de la baie de l'autre")
def test_hosts_of_one_room_and_storage_of_the_other_die(lab: Lab, hosts_and_far_array: tuple[str, ...]) -> None:
    """What the wards see when compute dies in one room and storage in the other."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Then(*map(PowerLoss, hosts_and_far_array))):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("H10", fr="Perte d'un serveur physique, puis d'un second dans l'autre salle")
def test_a_second_host_dies_in_the_other_room(lab: Lab, host_of_each_room: tuple[str, ...]) -> None:
    """What the wards see when a host dies, and then the first host of the other room."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Then(*map(PowerLoss, host_of_each_room))):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("V9", fr="Coupure entre les salles, puis perte de la salle gagnante")
def test_the_winning_room_burns_after_the_cut(lab: Lab, mirror_cables: tuple[str, ...]) -> None:
    """What the wards see when the rooms part and, once the other copy is behind, the one that won burns."""
    dopasoins = lab.service("dopasoins")
    rolling = During(CableCut(*mirror_cables), PowerLoss(str(lab.plan.preferred_room)), after=timedelta(seconds=5))

    with dopasoins.observed() as history, lab.fault(rolling):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("U2", fr="Troisième salle injoignable")
def test_care_goes_on_when_the_third_room_is_out_of_reach(lab: Lab, cables_of_the_third_room: tuple[str, ...]) -> None:
    """Care goes on when every cable to the third room is cut."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(CableCut(*cables_of_the_third_room)):
        lab.hold()

    dopasoins.judge(history).require()
