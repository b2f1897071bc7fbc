"""The storage: each copy, controller, path and arbiter is taken away; then what no redundancy can carry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from faults import (
    BitRot,
    CableCut,
    ControllerBug,
    Crash,
    DuringResync,
    FullArray,
    Hang,
    NetworkCut,
    PermanentDeviceLoss,
    PlannedStop,
    PortLoss,
    PowerLoss,
    ReadErrors,
    SlowArray,
    Then,
)
from lab.plan import Scope

if TYPE_CHECKING:
    from lab import Lab

gate, nightly, disaster = pytest.mark.gate, pytest.mark.nightly, pytest.mark.disaster


@gate
@pytest.mark.scenario("S3", fr="Perte d'une baie de disques")
def test_care_goes_on_when_an_array_dies(lab: Lab, array: str) -> None:
    """Care goes on when a disk array loses its power: input and output move to the other copy."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(array)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@gate
@pytest.mark.scenario("V3", fr="Blocage d'une baie de disques")
def test_care_goes_on_when_an_array_hangs(lab: Lab, array: str) -> None:
    """Care goes on when a disk array takes requests and answers none."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Hang(array)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S2", fr="Disques illisibles dans une baie")
def test_care_goes_on_when_disks_of_an_array_fail(lab: Lab, array: str) -> None:
    """Care goes on when a stretch of a volume can no longer be read from one array."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(ReadErrors(array, "dopasoins-1")):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S2b", fr="Baie de disques pleine")
def test_care_goes_on_when_an_array_is_full(lab: Lab, array: str) -> None:
    """Care goes on when one array has no space left."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(FullArray(array)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S12", fr="Corruption silencieuse d'une copie")
def test_care_goes_on_when_data_rots(lab: Lab, fresh_array: str) -> None:
    """Care goes on when bytes of the copy that is read turn in silence, until a comparison finds and mends them."""
    dopasoins = lab.service("dopasoins")
    rot = BitRot(fresh_array, lab.target("the-address-of dopasoins"))

    with dopasoins.observed() as history, lab.fault(rot):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S12b", fr="Corruption silencieuse de la table des actes, relue à froid")
def test_a_corrupted_table_is_read_from_the_disk(lab: Lab, fresh_array: str) -> None:
    """What the wards see when the table of acts has rotted on the copy that is read, and its server starts again."""
    dopasoins = lab.service("dopasoins")
    member = lab.target("the-address-of dopasoins")
    rot = BitRot(fresh_array, member, file="data/dopasoins/acts.ibd")

    with dopasoins.observed() as history, lab.fault(Then(rot, Crash(member), scope=Scope.ONE_COMPONENT)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@gate
@pytest.mark.scenario("V16", fr="Baie de disques lente")
def test_care_goes_on_when_an_array_is_slow(lab: Lab, array: str) -> None:
    """Care goes on, slower, when one array answers 20 ms late, as over a degraded link."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(SlowArray(array, by=timedelta(milliseconds=20))):
        lab.hold()

    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("V1", fr="Perte d'un contrôleur de stockage")
def test_care_goes_on_when_a_virtualiser_dies(lab: Lab, virtualiser: str) -> None:
    """Care goes on when a storage virtualiser node loses its power."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(virtualiser)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("V1b", fr="Blocage d'un contrôleur de stockage")
def test_care_goes_on_when_a_virtualiser_hangs(lab: Lab, virtualiser: str) -> None:
    """Care goes on when a storage virtualiser node freezes, and when it wakes up believing that it still leads."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Hang(virtualiser)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("V2", fr="Arrêt programmé d'un contrôleur de stockage")
def test_care_goes_on_when_a_virtualiser_is_stopped(lab: Lab, virtualiser: str) -> None:
    """Care goes on when a storage virtualiser node is stopped for maintenance."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PlannedStop(virtualiser)):
        lab.hold()

    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("V7", fr="Perte d'un arbitre")
def test_care_goes_on_when_an_arbiter_dies(lab: Lab, arbiter: str) -> None:
    """Care goes on when one of the three arbiters loses its power."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(arbiter)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("S4", fr="Coupure du réseau de stockage entre les salles")
def test_care_goes_on_when_the_storage_network_parts(lab: Lab, parted_rooms: tuple[str, str]) -> None:
    """Care goes on when storage alone is parted: the losing room holds, without error, and the winner serves."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(NetworkCut("storage", *parted_rooms)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S6", fr="Volume d'un serveur isolé retiré aux serveurs physiques de sa salle")
def test_a_lone_server_loses_its_volume(lab: Lab, lone_server: str) -> None:
    """A server whose volume is taken away from its room's hosts is stopped at once, and restarted where it is seen."""
    service = next(one for one in lab.plan.services.values() if lone_server in one.runs_on).name
    room = lab.plan.nodes[lab.plan.host_of(lone_server)].place

    with lab.service(service).observed() as history, lab.fault(PermanentDeviceLoss(lone_server, room)):
        lab.hold()

    lab.service(service).judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S6b", fr="Volume d'un membre de la paire retiré aux serveurs physiques de sa salle")
def test_care_goes_on_when_a_member_loses_its_volume(lab: Lab, paired_server: str) -> None:
    """Care goes on when the volume of one member of the pair is taken away from the hosts of its room."""
    dopasoins = lab.service("dopasoins")
    room = lab.plan.nodes[lab.plan.host_of(paired_server)].place

    with dopasoins.observed() as history, lab.fault(PermanentDeviceLoss(paired_server, room)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("S7", fr="Tous les chemins perdus pour un serveur physique, brièvement")
def test_care_goes_on_when_a_host_loses_its_storage(lab: Lab, esx_host: str) -> None:
    """Care goes on when a host loses every path to its storage for less than the APD time-out."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PortLoss(esx_host, "storage")):
        lab.hold(short_of="apd")

    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("S1", fr="Perte d'un chemin sur deux")
def test_care_goes_on_when_one_path_is_cut(lab: Lab, storage_port: tuple[str, str]) -> None:
    """Care goes on when a host, a controller or an array loses one of its two storage ports (S10 for an array)."""
    node, switch = storage_port
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PortLoss(node, "storage", switch)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("V8", fr="Arbitre de la troisième salle perdu, puis coupure entre les salles")
def test_rooms_part_without_their_witness(lab: Lab, witness: str, parallel_cables: tuple[str, ...]) -> None:
    """What the wards see when the witness is lost and the rooms part after that."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Then(PowerLoss(witness), CableCut(*parallel_cables))):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("V12", fr="Perte de tous les arbitres")
def test_every_arbiter_dies(lab: Lab, every_arbiter: tuple[str, ...]) -> None:
    """What the wards see when nobody is left to decide: storage stands still rather than part."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Then(*map(PowerLoss, every_arbiter))):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@disaster
@pytest.mark.scenario("V4", fr="Défaut commun aux deux contrôleurs de stockage")
def test_every_controller_crashes(lab: Lab) -> None:
    """What the wards see when one bug crashes both storage controllers, and each of their restarts."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(ControllerBug()):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@disaster
@pytest.mark.scenario("S11", fr="Miroir rompu par la coupure, puis perte de la baie à jour")
def test_the_fresh_copy_dies_after_the_rooms_parted(lab: Lab, parted_rooms: tuple[str, str], fresh_array: str) -> None:
    """What the wards see when storage parts and the array with the only fresh copy dies: no stale copy is served."""
    dopasoins = lab.service("dopasoins")
    parted_then_lost = Then(NetworkCut("storage", *parted_rooms), PowerLoss(fresh_array))

    with dopasoins.observed() as history, lab.fault(parted_then_lost):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@disaster
@pytest.mark.scenario("V14", fr="Perte de la seule baie à jour pendant la resynchronisation de l'autre")
def test_the_fresh_copy_dies_during_a_resync(lab: Lab, array_and_its_twin: tuple[str, str]) -> None:
    """What the wards see when an array is back but behind, and the other one dies: no stale copy is served."""
    behind, fresh = array_and_its_twin
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(DuringResync(behind, PowerLoss(fresh))):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@pytest.mark.scenario("V14b", fr="Baie perdue à nouveau pendant sa resynchronisation")
def test_care_goes_on_when_an_array_dies_again_during_its_resync(lab: Lab, array: str) -> None:
    """Care goes on when an array that is being brought up to date dies again."""
    dopasoins = lab.service("dopasoins")
    again = DuringResync(array, PowerLoss(array), scope_is=Scope.ONE_COMPONENT)

    with dopasoins.observed() as history, lab.fault(again):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()
