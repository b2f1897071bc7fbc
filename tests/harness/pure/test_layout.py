"""From plan to wires."""

from __future__ import annotations

from itertools import combinations

import pytest

from lab.fabric import lay_out
from lab.plan import load, shipped


@pytest.mark.parametrize("name", shipped())
def test_switches_of_a_network_form_a_full_mesh_since_isolated_ports_carry_no_transit(name: str) -> None:
    plan = load(name)
    layout = lay_out(plan, plan.nodes)
    joined = {frozenset(strand.switches) for strand in layout.strands}
    for one, other in combinations(plan.switches.values(), 2):
        assert (frozenset({one.name, other.name}) in joined) == (one.network == other.network)


@pytest.mark.parametrize("name", shipped())
def test_interface_names_are_unique_and_short_enough_for_the_kernel(name: str) -> None:
    plan = load(name)
    layout = lay_out(plan, plan.nodes)
    outside = [end for strand in layout.strands for end in strand.ends]
    outside += [*layout.bridges.values(), *(port.outside for port in layout.ports)]
    assert len(outside) == len(set(outside))
    assert all(len(interface) <= 15 for interface in [*outside, *(port.inside for port in layout.ports)])


@pytest.mark.parametrize("name", shipped())
def test_every_port_has_an_address_of_its_own_and_keeps_it(name: str) -> None:
    plan = load(name)
    addresses = [port.hardware for port in lay_out(plan, plan.nodes).ports]
    assert len(addresses) == len(set(addresses))
    assert all(len(bytes.fromhex(one.replace(":", ""))) == 6 for one in addresses)
    assert all(one.startswith("02:") for one in addresses), "locally administered, of one card"
    assert addresses == [port.hardware for port in lay_out(load(name), load(name).nodes).ports]


def test_of_two_neighbours_exactly_one_leads_and_both_number_their_cables_alike() -> None:
    plan = load("zero")
    layout = lay_out(plan, plan.nodes)
    partner = dict(pair for strand in layout.strands for pair in (strand.ends, strand.ends[::-1]))
    groups: dict[tuple[str, ...], bool] = {}
    for switch in plan.switches:
        told = layout.firmware(switch)["groups"]
        assert isinstance(told, list)
        groups |= {tuple(group["ports"]): group["leads"] for group in told}
    trunks = {ports: leads for ports, leads in groups.items() if ports[0] in partner}
    for ports, leads in trunks.items():
        assert trunks[tuple(partner[port] for port in ports)] is not leads


def test_every_cable_of_the_plan_has_strands_on_each_network_it_carries() -> None:
    plan = load("zero")
    layout = lay_out(plan, plan.nodes)
    for cable in plan.cables.values():
        assert {strand.network for strand in layout.strands_of(cable.name)} == set(cable.carries)
