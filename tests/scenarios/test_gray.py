"""Gray failures: nothing is dead, whoever watches finds nothing, and care must go on."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from faults import During, Flapping, FullDisk, HalfDeadSwitch, Latency, Loss, MemoryPressure, Rate, Stall, Starved, Then
from lab.plan import Scope
from lab.service import RATE

if TYPE_CHECKING:
    from lab import Lab

gate, nightly = pytest.mark.gate, pytest.mark.nightly
MS = timedelta(milliseconds=1)


@gate
@pytest.mark.scenario("H15b", fr="Commutateur à moitié mort")
def test_care_goes_on_when_a_switch_is_half_dead(lab: Lab, gray_switch: str) -> None:
    """Care goes on when a network node forwards nothing, though its ports are lit and its monitor lives."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(HalfDeadSwitch(gray_switch)):
        lab.hold()

    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("V15c", fr="Câble entre les salles qui perd des paquets dans un sens")
def test_care_goes_on_when_a_cable_loses_frames_one_way(lab: Lab, mirror_cable: str) -> None:
    """Care goes on when a cable between the rooms loses one frame in five towards one of them."""
    dopasoins = lab.service("dopasoins")
    towards = lab.plan.cables[mirror_cable].between[1]

    with dopasoins.observed() as history, lab.fault(Loss(mirror_cable, 20, towards=towards)):
        lab.hold()

    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("H1b", fr="Serveur physique réduit à 1 % d'un processeur")
def test_care_goes_on_when_a_host_is_starved(lab: Lab, gray_host: str) -> None:
    """Care goes on when a physical server has next to no processor left."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Starved(gray_host)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("H1e", fr="Serveur physique à court de mémoire")
def test_care_goes_on_when_a_host_is_short_of_memory(lab: Lab, gray_host: str) -> None:
    """Care goes on when a physical server has no memory left but what its programs hold."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(MemoryPressure(gray_host)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("V15d", fr="Faux contact d'un câble entre les salles")
def test_care_goes_on_when_a_cable_flaps(lab: Lab, mirror_cable: str) -> None:
    """Care goes on when a cable between the rooms loses its carrier and gets it back, again and again."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Flapping(mirror_cable)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("V16b", fr="Retard de 10 ms sur tous les câbles entre les salles")
def test_care_goes_on_when_the_rooms_are_far_apart(lab: Lab, mirror_cables: tuple[str, ...]) -> None:
    """Care goes on, slower, when every cable between the rooms is 10 ms late each way."""
    dopasoins = lab.service("dopasoins")
    late = Then(*map(partial(Latency, by=10 * MS, jitter=2 * MS), mirror_cables), scope=Scope.A_ROOM)

    with dopasoins.observed() as history, lab.fault(late):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("V16c", fr="Perte de 1 % sur tous les câbles entre les salles")
def test_care_goes_on_when_every_cable_between_the_rooms_is_lossy(lab: Lab, mirror_cables: tuple[str, ...]) -> None:
    """Care goes on when every cable between the rooms loses one frame in a hundred."""
    dopasoins = lab.service("dopasoins")
    lossy = Then(*map(partial(Loss, percent=1), mirror_cables), scope=Scope.A_ROOM)

    with dopasoins.observed() as history, lab.fault(lossy):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("V16d", fr="Débit de 20 Mbit/s sur un câble, pendant le faux contact de l'autre")
def test_care_goes_on_when_a_cable_is_narrow_and_the_other_flaps(lab: Lab, mirror_cables: tuple[str, ...]) -> None:
    """Care goes on when one cable between the rooms is narrow while the other has a loose connection."""
    narrow, flapping = mirror_cables[0], mirror_cables[-1]
    dopasoins = lab.service("dopasoins")

    with (
        dopasoins.observed() as history,
        lab.fault(During(Rate(narrow, 20), Flapping(flapping), after=500 * MS, scope_is=Scope.A_ROOM)),
    ):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("S2c", fr="Disque d'un serveur plein")
def test_care_goes_on_when_a_servers_disk_is_full(lab: Lab, server_with_a_volume: str) -> None:
    """Care goes on when the disk of one server has no space left."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(FullDisk(server_with_a_volume)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("H13e", fr="Tempête de nouvelles tentatives, à dix fois la charge")
def test_care_comes_back_from_a_storm_of_retries(lab: Lab) -> None:
    """Care goes on when, at ten times the usual load, everybody's requests come again at the other member."""
    dopasoins = lab.service("dopasoins")
    stuck = Stall(lab.target("the-address-of dopasoins"), "application")

    with dopasoins.observed(rate=10 * RATE) as history, lab.fault(stuck):
        lab.hold()

    dopasoins.judge(history).require()
