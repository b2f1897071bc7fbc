"""The pre-change gate: each component that the continuity plan calls transparent is taken away, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import Blackhole, CableCut, PowerLoss, SwitchLoss

if TYPE_CHECKING:
    from lab import Lab

pytestmark = pytest.mark.gate


@pytest.mark.scenario("H1", fr="Perte d'un serveur physique")
def test_care_goes_on_when_a_host_dies(lab: Lab, esx_host: str) -> None:
    """Care goes on when a physical server loses its power."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(esx_host)):
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("H15", fr="Perte d'un commutateur")
def test_care_goes_on_when_a_switch_dies(lab: Lab, switch: str) -> None:
    """Care goes on when a network node dies."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(SwitchLoss(switch)):
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("V15", fr="Coupure d'un câble entre deux lieux")
def test_care_goes_on_when_a_cable_is_cut(lab: Lab, cable: str) -> None:
    """Care goes on when one of two parallel cables is cut."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(CableCut(cable)):
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("V15b", fr="Câble muet, porteuse maintenue")
def test_care_goes_on_when_a_cable_falls_silent(lab: Lab, silent_cable: str) -> None:
    """Care goes on when a cable stays lit and carries nothing."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Blackhole(silent_cable)):
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("S5", fr="Coupure de tous les câbles entre deux lieux")
def test_care_goes_on_when_every_cable_between_two_places_is_cut(lab: Lab, parallel_cables: tuple[str, ...]) -> None:
    """Care goes on when both cables between two places are cut."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(CableCut(*parallel_cables)):
        lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.disaster
@pytest.mark.scenario("R1", fr="Perte d'une salle")
def test_care_goes_on_when_a_room_burns(lab: Lab, room: str) -> None:
    """Care goes on when a whole room goes dark."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(room)):
        lab.hold()

    dopasoins.judge(history).require()
