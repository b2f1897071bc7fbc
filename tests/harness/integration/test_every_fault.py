"""Laws of every fault, on a lab: it bites as measured, healing leaves no trace, and so does the journal alone."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import faults as shown
from faults import (
    ArrayReplaced,
    BitRot,
    Blackhole,
    CableCut,
    ControllerBug,
    Crash,
    Duplication,
    During,
    DuringResync,
    Every,
    Flapping,
    FullArray,
    FullDisk,
    HalfDeadSwitch,
    Hang,
    HostMaintenance,
    Isolation,
    Latency,
    Loss,
    MemoryPressure,
    NetworkCut,
    Nothing,
    PermanentDeviceLoss,
    PlannedStop,
    PortLoss,
    PowerLoss,
    Rate,
    ReadErrors,
    Reboot,
    Reordering,
    Restart,
    SlowArray,
    SlowResync,
    Stall,
    Starved,
    SwitchLoss,
    Then,
    VolumeTakenIn,
    WrongClock,
)
from lab.enclosure.sweep import CGROUPS
from lab.errors import NotAvailableError
from lab.fabric import sieves
from lab.fabric.wires import Way
from lab.nodes import NodeError, successor
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.bench import Lab
    from lab.faulting import Fault

MS = timedelta(milliseconds=1)
PORT = "esx-11/sw-servers-1"
CURED: list[Fault] = [
    Reboot("etcd-2"),
    Crash("imagerie", "application"),
    Crash("esx-21", "agent"),
    Restart("dopasoins-2", "database"),
]
"""What somebody of the lab mends by itself: the journal has nothing to undo."""
PLAYABLE: list[Fault] = [
    Stall("imagerie", "application"),
    Stall("esx-11", "guard"),
    Loss("fibre-a", 20),
    Loss("fibre-a/storage", 1),
    Loss("fibre-a", 20, towards="salle-2"),
    Loss(PORT, 20),
    Loss(PORT, 20, towards="esx-11"),
    Latency("fibre-a", by=10 * MS, jitter=2 * MS),
    Latency("fibre-a/servers", by=30 * MS, towards="salle-1"),
    Rate("fibre-a", 10),
    Rate(PORT, 1),
    Flapping("fibre-a", up=300 * MS, down=200 * MS),
    HalfDeadSwitch("sw-management-2"),
    HalfDeadSwitch("sw-storage-3"),
    Starved("etcd-2"),
    MemoryPressure("etcd-2"),
    MemoryPressure("esx-21"),
    FullDisk("dopasoins-2"),
    CableCut("fibre-a", "fibre-1s"),
    Blackhole("fibre-a", "salle-1"),
    NetworkCut("storage", "salle-1", "salle-2"),
    PortLoss("etcd-1", "management"),
    Isolation("etcd-2"),
    Isolation("ultime-secours"),
    SwitchLoss("sw-storage-2"),
    PowerLoss("esx-21"),
    PowerLoss("salle-2"),
    Hang("svc-2"),
    SlowArray("baie-2", by=5 * MS),
    SlowResync(),
    PermanentDeviceLoss("imagerie", "salle-1"),
    PermanentDeviceLoss("dopasoins-2", "salle-2"),
    FullArray("baie-2"),
    ReadErrors("baie-2", "dopasoins-1"),
    BitRot("baie-2", "dopasoins-1"),
    BitRot("baie-1", "dopasoins-2", file="data/dopasoins/acts.ibd"),
    ControllerBug(),
    PlannedStop("svc-2"),
    ArrayReplaced("baie-1"),
    HostMaintenance("esx-11"),  # of the other, a lone server would stay where it went
    Then(CableCut("fibre-a"), Loss("fibre-b", 5)),
    During(Rate("fibre-a", 20), Flapping("fibre-b", up=300 * MS, down=200 * MS), lasts=500 * MS),
    Every(CableCut("fibre-a"), each=400 * MS, lasts=200 * MS, times=3),
]
ARRAYS = ("baie-1", "baie-2")
BACK_WITHIN = 60  # seconds in which a room boots
NEEDS_WRITES: list[Fault] = [DuringResync("baie-2", PowerLoss("baie-2"))]
"""What a lab cannot show in which nobody writes: it has nothing to copy. V14 plays it."""
NEEDS_A_VARIANT: list[Fault] = [VolumeTakenIn("imagerie")]
"""What no shipped plan has: a stand-alone volume. M6 plays it."""
NEEDS_NETEM: list[Fault] = [Duplication("fibre-a", 10), Reordering("fibre-a", 10), Latency(PORT, by=10 * MS)]


def whole_state(lab: Lab) -> dict[str, Any]:
    """All that a fault may change."""
    inside = ("nsenter", "-t", str(lab.enclosure.pid), "-n", "tc", "qdisc", "show")
    queues = subprocess.run(inside, capture_output=True, text=True, check=True).stdout
    return {
        "links": {name: (link.up, link.carrier) for name, link in lab.fabric.links().items()},
        "queues": sorted(line.split("refcnt")[0] for line in queues.splitlines()),
        "inner queues": {node: inner_queues(lab, node) for node in lab.nodes.nodes},
        "firewall": lab.fabric.state(),
        "firmware": {name: lab.levers.firmware_runs(name) for name in lab.plan.switches},
        "nodes": {name: lab.nodes.is_on(name) for name in lab.nodes.nodes},
        "processors": {name: lab.levers.straits.allowed(name) for name in lab.nodes.nodes},
        "memory": {name: lab.levers.straits.memory_of(name)[0] for name in lab.nodes.nodes},
        "helpers": sorted(path.name for path in lab.enclosure.state.glob("helper-*.json")),
        "disks": {name: has_space(lab, name) for name in lab.plan.servers},
        "withheld": {
            name: lab.levers.masking.without(name) for name, volume in lab.plan.volumes.items() if volume.size
        },
        "copies": [lab.levers.copies.on(name) for array in ARRAYS for name in (array, successor(array))],
        "resync": [
            said["resync_mib_per_second"] for said in lab.storage.status()["virtualisers"].values() if said is not None
        ],
        "rot": sum(
            lab.levers.decay.left(array, volume.name) for volume in lab.plan.volumes.values() for array in volume.copies
        ),
        "journal": lab.levers.journal.items(),
    }


def inner_queues(lab: Lab, node: str) -> list[str]:
    try:
        return sorted(lab.nodes.run(node, "tc", "qdisc", "show").output.splitlines())
    except NodeError as error:
        return [str(error)]


def has_space(lab: Lab, server: str) -> bool:
    try:
        return lab.levers.straits.space(server) > 0
    except NodeError:  # it boots
        return False


def named(fault: Fault) -> str:
    return str(fault)


def test_every_fault_of_the_package_is_here() -> None:
    here = {type(fault).__name__ for fault in (*PLAYABLE, *CURED, *NEEDS_WRITES, *NEEDS_A_VARIANT, *NEEDS_NETEM)}
    assert here | {WrongClock.__name__, Nothing.__name__} == set(shown.__all__)


@pytest.mark.parametrize("fault", [*PLAYABLE, *CURED], ids=named)
def test_it_bites_as_measured_and_healing_it_leaves_no_trace(whole: Lab, fault: Fault) -> None:
    before = whole_state(whole)
    whole.count_from_now()
    assert not fault.holds(whole).holds
    fault.inject(whole)
    whole.count_from_now()
    wait_until(lambda: fault.holds(whole).holds, within=3, because=lambda: fault.holds(whole).detail)
    fault.heal(whole)
    fault.heal(whole)
    wait_until(
        lambda: whole_state(whole) == before,
        within=BACK_WITHIN,
        because=lambda: f"{before} became {whole_state(whole)}",
    )
    wait_until(lambda: not fault.holds(whole).holds, within=10, because="it still bites")


@pytest.mark.parametrize("fault", PLAYABLE[::3], ids=named)
def test_whoever_broke_it_the_journal_mends_it(whole: Lab, fault: Fault) -> None:
    before = whole_state(whole)
    fault.inject(whole)
    assert not whole.levers.journal.is_clear
    whole.levers.mend_all()
    wait_until(
        lambda: whole_state(whole) == before,
        within=BACK_WITHIN,
        because=lambda: f"{before} became {whole_state(whole)}",
    )


@pytest.mark.parametrize("fault", [*NEEDS_NETEM, WrongClock("esx-11", timedelta(hours=1))], ids=named)
def test_what_this_kernel_cannot_do_is_not_available_and_changes_nothing(whole: Lab, fault: Fault) -> None:
    if whole.fabric.impairing.has_netem() and not isinstance(fault, WrongClock):
        pytest.skip("this kernel has netem")
    before = whole_state(whole)
    with pytest.raises(NotAvailableError, match=r"netem|clock"):
        fault.inject(whole)
    assert whole_state(whole) == before


def test_the_kernel_ends_a_loss_that_nobody_heals(whole: Lab) -> None:
    whole.fabric.impairing.sift("loss", ["c1b in"], sieves.share(0.99), seconds=1)
    fault = Loss(whole.layout.strands[0].cable, 99)
    wait_until(lambda: not fault.holds(whole).holds, within=5, because="the element does not expire")
    whole.fabric.impairing.unsift("loss", ["c1b in"])


def counted_with(lab: Lab, node: str, command: str) -> dict[str, str]:
    """In which group the kernel counts the memory of the programs of a node that this command names."""
    container = f"/{lab.nodes.nodes[node].container.id}"
    found = {}
    for cgroup in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            words, groups = (cgroup.parent / "cmdline").read_bytes().split(b"\0"), cgroup.read_text()
        except OSError:  # it has ended
            continue
        if command.encode() in words and container in groups:
            found[cgroup.parent.name] = next(line for line in groups.splitlines() if ":memory:" in line)
    return found


def test_what_serves_disks_keeps_memory_of_its_own_while_a_host_has_none(whole: Lab) -> None:
    """Or it waits for itself: for a page of the disk that it serves."""
    if not (CGROUPS / "memory").is_dir():
        pytest.skip("version 2 of control groups has memory.high, and moves nobody")
    node = "esx-21"
    before = counted_with(whole, node, "nbdfuse")
    assert before
    MemoryPressure(node).inject(whole)
    meanwhile = counted_with(whole, node, "nbdfuse")
    MemoryPressure(node).heal(whole)
    assert {pid: line.rpartition("/")[0] for pid, line in before.items()} == meanwhile
    assert counted_with(whole, node, "nbdfuse") == before


def test_a_cut_of_a_flapping_cable_keeps_it_dark(whole: Lab) -> None:
    flapping = Flapping("fibre-a", up=100 * MS, down=100 * MS)
    flapping.inject(whole)
    ends = [end for strand in whole.layout.strands_of("fibre-a") for end in strand.ends]
    whole.levers.unplug(ends)
    assert not flapping.holds(whole).holds
    flapping.heal(whole)
    assert not any(whole.fabric.links()[end].carrier for end in ends)
    whole.levers.plug(ends)
    assert all(whole.fabric.links()[end].carrier for end in ends)


def test_a_cut_lets_nothing_pass_even_where_the_carrier_is_still_there(whole: Lab) -> None:
    strand = whole.layout.strands_of("fibre-a")[0]
    way = Way(*strand.ends)
    whole.levers.unplug(strand.ends)
    whole.fabric.power(strand.ends, up=True)  # as if the cut had not come to its carriers yet
    assert whole.levers.wires.cross(way, 50).received == 0
    whole.levers.plug(strand.ends)
    assert whole.levers.wires.cross(way, 50).received == 50


def test_a_silent_cable_is_silent_after_its_cut_is_mended(whole: Lab) -> None:
    silent, cut = Blackhole("fibre-a"), CableCut("fibre-a")
    before = whole_state(whole)
    silent.inject(whole)
    cut.inject(whole)
    cut.heal(whole)
    whole.count_from_now()
    wait_until(lambda: silent.holds(whole).holds, within=3, because=lambda: silent.holds(whole).detail)
    silent.heal(whole)
    wait_until(lambda: whole_state(whole) == before, within=10, because="the lab is not as it was")
