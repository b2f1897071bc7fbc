"""Laws of every fault: it bites, it is felt, and its healing leaves the lab as it was."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faults import Blackhole, CableCut, PowerLoss, SwitchLoss
from lab.plan import PlanError, load
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.bench import Lab
    from lab.faulting import Fault

TINY = load("tiny")
CABLE = next(iter(TINY.cables))

quick: st.SearchStrategy[Fault] = st.one_of(
    st.sampled_from(list(TINY.cables)).map(CableCut),
    st.sampled_from(list(TINY.cables.values())).flatmap(
        lambda cable: st.sampled_from([None, *cable.between]).map(lambda end: Blackhole(cable.name, end))
    ),
    st.sampled_from(list(TINY.switches)).map(SwitchLoss),
)


def picture(lab: Lab) -> tuple[object, ...]:
    """Everything that a fault may change and that healing must bring back."""
    lit = {name: link.carrier for name, link in lab.fabric.links().items()}
    firmware = {name: lab.levers.firmware_runs(name) for name in lab.plan.switches}
    nodes = {name: lab.nodes.is_on(name) for name in lab.nodes.nodes}
    return lit, firmware, nodes, set(lab.fabric.dropped()), lab.levers.journal.items()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(quick, min_size=1, max_size=3))
def test_inject_then_heal_leaves_the_lab_as_it_was(tiny: Lab, faults: list[Fault]) -> None:
    before = picture(tiny)
    for fault in faults:
        fault.inject(tiny)
    for fault in faults:
        fault.heal(tiny)
    wait_until(lambda: picture(tiny) == before, within=5, because=lambda: f"{before} became {picture(tiny)}")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=quick)
def test_healing_twice_or_what_was_never_injected_does_nothing(tiny: Lab, fault: Fault) -> None:
    before = picture(tiny)
    fault.heal(tiny)
    assert picture(tiny) == before
    fault.inject(tiny)
    fault.heal(tiny)
    fault.heal(tiny)
    wait_until(lambda: picture(tiny) == before, within=5, because=lambda: f"{before} became {picture(tiny)}")


@pytest.mark.parametrize("target", [next(iter(TINY.rooms)), next(iter(TINY.rooms.values())).hosts[0]])
def test_power_lost_and_given_back_leaves_the_lab_whole(whole: Lab, target: str) -> None:
    fault = PowerLoss(target)
    before = picture(whole)
    fault.inject(whole)
    wait_until(lambda: fault.holds(whole).holds, within=2, because=lambda: fault.holds(whole).detail)
    assert any("off" in ailment for ailment in whole.ailments())
    fault.heal(whole)
    whole.wait_whole()
    assert picture(whole) == before


def test_a_cable_cut_is_felt_by_both_its_ends_and_a_silent_one_stays_lit(whole: Lab) -> None:
    cut, silent = CableCut(CABLE), Blackhole(CABLE)
    ends = [end for strand in whole.layout.strands_of(CABLE) for end in strand.ends]
    cut.inject(whole)
    assert not any(whole.fabric.links()[end].carrier for end in ends)
    cut.heal(whole)
    silent.inject(whole)
    assert all(whole.fabric.links()[end].carrier for end in ends)
    wait_until(lambda: all(whole.fabric.dropped()[end] for end in ends), within=2, because="nothing is swallowed")
    silent.heal(whole)


def test_the_kernel_ends_a_blackhole_that_nobody_heals(whole: Lab) -> None:
    end = whole.layout.strands_of(CABLE)[0].ends[0]
    whole.fabric.kill([end], seconds=1)
    wait_until(lambda: end not in whole.fabric.dropped(), within=4, because="the element does not expire")


def test_an_unknown_target_names_the_known_ones() -> None:
    with pytest.raises(PlanError, match=r"no node or room is called 'salle-9'; known: .*salle-1"):
        PowerLoss("salle-9").lost(TINY)


def test_no_bridge_has_a_forward_delay_that_would_open_an_idle_port(whole: Lab) -> None:
    """The kernel arms it even without spanning tree: 15 s later an idle port learns, 30 s later it forwards."""
    inside = ("nsenter", "-t", str(whole.enclosure.pid), "-n")
    wards = [
        ("nsenter", "-t", str(whole.enclosure.pid), "-n", "-m", "-p", "nsenter", f"--net=/proc/{pid}/ns/net")
        for pid in whole.wards.values()
    ]
    for where in (inside, *wards):
        told = subprocess.run(
            [*where, "ip", "-d", "-j", "link", "show", "type", "bridge"], capture_output=True, check=True
        )
        bridges = json.loads(told.stdout)
        assert bridges
        assert {bridge["linkinfo"]["info_data"]["forward_delay"] for bridge in bridges} == {0}


def test_power_given_back_at_once_finds_every_switch_alive(whole: Lab) -> None:
    """Old wires of dead nodes vanish while new ones are plugged in: neither firmware nor fabric may trip over it."""
    place = whole.plan.places["salle-1"]
    switches = [name for names in place.switches.values() for name in names]
    for _ in range(3):
        whole.levers.power_off(place.nodes, switches)
        whole.levers.mend_all()
    assert [name for name in whole.plan.switches if not whole.levers.firmware_runs(name)] == []


def test_a_node_that_returns_has_the_address_that_its_peers_know(whole: Lab) -> None:
    """Or they would send to its former life for as long as they trust what they knew: an array was back after 42 s."""
    port = whole.layout.ports_of("baie-2")[0]

    def address() -> str:
        (link,) = json.loads(whole.run_in("baie-2", "ip", "-json", "link", "show", port.inside))
        return str(link["address"])

    before = address()
    whole.levers.reboot("baie-2")
    wait_until(lambda: whole.nodes.is_on("baie-2"), within=10, because="it has no power")
    assert address() == before == port.hardware


def test_a_node_has_the_kernel_settings_of_the_replica_whatever_the_machine_prefers(whole: Lab) -> None:
    """Figures would be those of the machine's own choices otherwise, and other ones on the next machine."""
    for node in whole.nodes.nodes:
        script = "cd /proc/sys/net; cat ipv4/tcp_congestion_control bridge/bridge-nf-call-*tables 2>/dev/null; true"
        congestion, *detours = whole.run_in(node, "sh", "-c", script).split()
        assert (node, congestion, set(detours) - {"0"}) == (node, "reno", set())
