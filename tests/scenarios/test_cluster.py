"""The cluster: hosts, agents and servers fail; lone servers are restarted, pairs carry on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults import CableCut, Crash, Isolation, PortLoss, PowerLoss, Reboot, Stall

if TYPE_CHECKING:
    from lab import Lab

gate, nightly, disaster = pytest.mark.gate, pytest.mark.nightly, pytest.mark.disaster


@gate
@pytest.mark.scenario("H1c", fr="Perte du serveur physique d'un serveur virtuel sans double")
def test_a_lone_server_is_restarted_elsewhere(lab: Lab) -> None:
    """Imaging comes back on another host when its own loses its power; the record does not notice."""
    imagerie, dopasoins = lab.service("imagerie"), lab.service("dopasoins")

    with (
        imagerie.observed() as images,
        dopasoins.observed() as history,
        lab.fault(PowerLoss(lab.target("the-host-of imagerie"))),
    ):
        lab.hold()

    imagerie.judge(images).require()
    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("H2", fr="Perte du serveur physique maître HA")
def test_care_goes_on_when_the_ha_master_dies(lab: Lab) -> None:
    """Care goes on when the host that decides for the cluster loses its power: another one decides."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(lab.target("the-ha-master"))):
        lab.hold()

    dopasoins.judge(history).require()


@gate
@pytest.mark.scenario("H13", fr="Arrêt brutal d'un serveur virtuel")
def test_a_crashed_server_is_restarted(lab: Lab) -> None:
    """Imaging comes back on its own host when its server crashes."""
    imagerie = lab.service("imagerie")

    with imagerie.observed() as history, lab.fault(Crash("imagerie")):
        lab.hold()

    imagerie.judge(history).require()


@nightly
@pytest.mark.scenario("H13b", fr="Blocage d'un serveur virtuel")
def test_a_server_that_hangs_is_reset(lab: Lab) -> None:
    """Imaging comes back when its server hangs: no sign of life, no input or output, so it is reset."""
    imagerie = lab.service("imagerie")

    with imagerie.observed() as history, lab.fault(Stall("imagerie")):
        lab.hold()

    imagerie.judge(history).require()


@gate
@pytest.mark.parametrize("program", ["application", "database", "server"])
@pytest.mark.scenario("H13c", fr="Arrêt brutal d'un programme du membre actif")
def test_care_goes_on_when_a_program_of_the_active_member_crashes(lab: Lab, program: str) -> None:
    """Care goes on when the application, the database or the whole of the member that serves crashes."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Crash(lab.target("the-address-of dopasoins"), program)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.parametrize("program", ["application", "database", "server"])
@pytest.mark.scenario("H13d", fr="Blocage d'un programme du membre actif")
def test_care_goes_on_when_a_program_of_the_active_member_hangs(lab: Lab, program: str) -> None:
    """Care goes on when the application, the database or the whole of the member that serves stands still."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Stall(lab.target("the-address-of dopasoins"), program)):
        lab.hold()

    dopasoins.judge(history).require()


@gate
@pytest.mark.parametrize("program", ["agent", "guard"])
@pytest.mark.scenario("H2b", fr="Arrêt brutal de l'agent ou du gardien du maître HA")
def test_nobody_notices_that_an_agent_or_a_guard_crashes(lab: Lab, program: str) -> None:
    """Servers run on when the agent, or the guard with its agent, of the HA master crashes: both are started again."""
    imagerie, dopasoins = lab.service("imagerie"), lab.service("dopasoins")

    with (
        imagerie.observed() as images,
        dopasoins.observed() as history,
        lab.fault(Crash(lab.target("the-ha-master"), program)),
    ):
        lab.hold()

    imagerie.judge(images).require()
    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("H2c", fr="Blocage de l'agent d'un serveur physique")
def test_a_stuck_agent_keeps_no_server_alive(lab: Lab) -> None:
    """Imaging is restarted elsewhere when its host's agent hangs: the guard gives the host's servers up."""
    imagerie = lab.service("imagerie")

    with imagerie.observed() as history, lab.fault(Stall(lab.target("the-host-of imagerie"), "agent")):
        lab.hold()

    imagerie.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("S8", fr="Tous les chemins perdus pour un serveur physique, durablement")
def test_servers_leave_a_host_that_lost_its_storage_for_good(lab: Lab) -> None:
    """Imaging is restarted where its volume is seen once the APD time-out and the VMCP delay have run out."""
    imagerie, dopasoins = lab.service("imagerie"), lab.service("dopasoins")

    with (
        imagerie.observed() as images,
        dopasoins.observed() as history,
        lab.fault(PortLoss(lab.target("the-host-of imagerie"), "storage")),
    ):
        lab.hold()

    imagerie.judge(images).require()
    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("S9", fr="Tous les chemins perdus, retrouvés pendant le délai de grâce")
def test_servers_stay_on_a_host_whose_storage_comes_back_in_time(lab: Lab) -> None:
    """Imaging stands still and stays where it is: its storage is back after the APD time-out, before the VMCP delay."""
    imagerie = lab.service("imagerie")

    with imagerie.observed() as history, lab.fault(PortLoss(lab.target("the-host-of imagerie"), "storage")):
        lab.hold(short_of="vmcp")

    imagerie.judge(history).require()


@nightly
@pytest.mark.scenario("H1d", fr="Redémarrage d'un serveur physique")
def test_care_goes_on_when_a_host_reboots(lab: Lab, esx_host: str) -> None:
    """Care goes on when a host restarts faster than anybody declares it dead: its servers come back on it."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Reboot(esx_host)):
        lab.hold()

    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("H3b", fr="Isolement complet d'un serveur physique")
def test_care_goes_on_when_a_host_is_cut_off_from_everybody(lab: Lab, esx_host: str) -> None:
    """Care goes on when a host lives and nobody hears it: its servers are restarted elsewhere, the old ones fenced."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Isolation(esx_host)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@disaster
@pytest.mark.scenario("R1b", fr="Isolement complet d'une salle")
def test_care_goes_on_when_a_room_is_cut_off_from_everybody(lab: Lab, room: str) -> None:
    """Care goes on when a room lives and nobody hears it: the other carries on, the old servers are fenced."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(Isolation(room)):
        lab.hold()

    dopasoins.judge(history).require()
    lab.storage.verify().require()


@nightly
@disaster
@pytest.mark.scenario("R1r", fr="Perte d'une salle sous 450 pouls lents")
def test_care_goes_on_under_the_rounds_when_a_room_burns(lab: Lab, room: str) -> None:
    """Care goes on when a room goes dark while 450 slow pulses ask for the service beside the wards."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed(rounds=450) as history, lab.fault(PowerLoss(room)):
        lab.hold()

    dopasoins.judge(history).require()


# What the shipped plans leave out: played on a variant of them, which each test names.


@nightly
@pytest.mark.scenario("H4", fr="Isolement d'un serveur physique, réponse : arrêter ses serveurs virtuels")
def test_an_isolated_host_stops_its_servers(lab: Lab, host_that_stops_when_isolated: str) -> None:
    """Servers of an isolated host are stopped and restarted elsewhere, where the plan says so.

    `--set ha.isolation_response=stop`
    """
    imagerie, dopasoins = lab.service("imagerie"), lab.service("dopasoins")

    with (
        imagerie.observed() as images,
        dopasoins.observed() as history,
        lab.fault(PortLoss(host_that_stops_when_isolated, "management")),
    ):
        lab.hold()

    imagerie.judge(images).require()
    dopasoins.judge(history).require()


@nightly
@pytest.mark.scenario("H9", fr="Redémarrage sans place, retenté quand il y en a")
def test_a_server_waits_for_a_host_that_has_room(lab: Lab, host_that_nobody_can_replace: str) -> None:
    """Imaging waits while no host has room for it, and is back with the one that has.

    `--set kinds.host.memory="20 GiB" --set ha.admission="{cpu: 0 %, memory: 0 %}"`
    """
    imagerie, dopasoins = lab.service("imagerie"), lab.service("dopasoins")

    with (
        imagerie.observed() as images,
        dopasoins.observed() as history,
        lab.fault(PowerLoss(host_that_nobody_can_replace)),
    ):
        lab.hold()

    imagerie.judge(images).require()
    dopasoins.judge(history).require()


@nightly
@disaster
@pytest.mark.scenario("H16", fr="Serveur virtuel loin de son stockage, puis coupure entre les salles")
def test_no_ghost_writes_when_a_server_is_off_its_storage_side(
    lab: Lab, host_off_the_storage_side: str, mirror_cables: tuple[str, ...]
) -> None:
    """Imaging runs in the room that loses the storage when the rooms part: its ghost writes nothing, HA restarts it."""
    imagerie = lab.service("imagerie")
    lab.send("imagerie", host_off_the_storage_side)

    with imagerie.observed() as history, lab.fault(CableCut(*mirror_cables)):
        lab.hold()

    imagerie.judge(history).require()
    lab.storage.verify().require()


@nightly
@disaster
@pytest.mark.scenario("H17", fr="Perte d'une salle sous la règle « doit »")
def test_a_rule_that_must_be_kept_is_kept(lab: Lab, room_that_must_keep_its_servers: str) -> None:
    """HA leaves down what must not leave its room, and the pair goes on.

    `--set ha.rule=must`
    """
    dopasoins, imagerie = lab.service("dopasoins"), lab.service("imagerie")

    with (
        dopasoins.observed() as history,
        imagerie.observed() as images,
        lab.fault(PowerLoss(room_that_must_keep_its_servers)),
    ):
        lab.hold()

    dopasoins.judge(history).require()
    imagerie.judge(images).require()


@nightly
@disaster
@pytest.mark.scenario("H18", fr="Adresse d'isolement unique, dans la salle perdue")
def test_a_wrong_isolation_address_stops_the_other_room(lab: Lab, room_with_the_only_isolation_address: str) -> None:
    """What the wards see when a room takes the only isolation address with it: the other room takes itself for alone.

    `--set "ha.isolation_addresses=[svc-1]" --set ha.isolation_response=stop`
    """
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history, lab.fault(PowerLoss(room_with_the_only_isolation_address)):
        lab.hold()

    dopasoins.judge(history).require()
