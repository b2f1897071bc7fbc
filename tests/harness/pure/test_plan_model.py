"""What follows from a plan, on small written examples."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import resources

import pytest
import yaml

from lab.plan import (
    IsolationResponse,
    NodeKind,
    PlanError,
    Priority,
    Rule,
    Scope,
    UnknownNameError,
    Volume,
    dumps,
    format_duration,
    format_size,
    load,
    loads,
    parse_duration,
    schema,
    shipped,
)

TINY = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")


def test_a_node_has_what_its_kind_has_and_its_own_exceptions() -> None:
    plan = loads("nodes: {esx-21: {memory: 24 GiB, stands_on: {servers: [sw-servers-2]}}}\n" + TINY)

    assert plan.nodes["esx-11"].memory == 32 * 2**30
    assert plan.nodes["esx-21"].memory == 24 * 2**30
    assert plan.nodes["esx-21"].cpu == 8
    assert plan.nodes["esx-21"].stands_on["servers"] == ("sw-servers-2",)


def test_nodes_stand_on_every_switch_of_their_place() -> None:
    zero = load("zero")

    assert zero.nodes["esx-11"].stands_on["servers"] == ("sw-servers-1a", "sw-servers-1b")
    assert zero.nodes["quorum"].stands_on == {
        "management": ("sw-management-3",),
        "storage": ("sw-storage-3",),
        "servers": ("sw-servers-3",),
    }
    assert zero.nodes["cardiologie"].kind is NodeKind.WARD
    assert zero.switches["sw-soins-a"].place == "services-de-soins"
    assert not zero.places["services-de-soins"].is_room


def test_addresses_are_distinct_and_inside_their_subnet() -> None:
    zero = load("zero")
    owners = [(n.name, net) for n in zero.nodes.values() for net in n.stands_on]
    owners += [(server, "servers") for server in zero.servers]
    given = [zero.address(*owner) for owner in owners]

    assert len({interface.ip for interface in given}) == len(owners)
    assert zero.services["dopasoins"].address not in {interface.ip for interface in given}
    assert all(i.network == zero.networks[net].subnet for i, (_, net) in zip(given, owners, strict=True))


def test_addresses_step_over_those_of_the_services() -> None:
    plan = loads(TINY.replace("10.78.4.10", "10.78.4.11"))
    assert str(plan.address("esx-11", "servers")) == "10.78.4.12/24"


def test_an_address_on_a_network_where_one_does_not_stand_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="owner of an address on storage 'cardiologie'"):
        load("tiny").address("cardiologie", "storage")


def with_servers(*lines: str) -> str:
    """Write servers of one cpu before those of the tiny plan."""
    written = "".join(f"  {line}\n" for line in lines)
    return TINY.replace("\nservers:\n  dopasoins-1:", f"\nservers:\n{written}  dopasoins-1:")


def test_servers_start_in_their_preferred_room_where_most_is_free() -> None:
    text = with_servers("first: {continuity: restart, prefers: salle-1, cpu: 1, memory: 1 GiB, boot: 5 s}")
    plan = loads(text.replace("hosts: [esx-11]", "hosts: [esx-11, esx-12]"))

    assert plan.host_of("first") == "esx-11"
    assert plan.host_of("dopasoins-1") == "esx-12"
    assert plan.host_of("dopasoins-2") == "esx-21"


def test_a_server_that_its_room_cannot_take_starts_in_the_other() -> None:
    text = with_servers(
        "big: {continuity: restart, prefers: salle-1, cpu: 4, memory: 20 GiB, boot: 5 s}",
        "late: {continuity: restart, prefers: salle-1, cpu: 2, memory: 16 GiB, boot: 5 s}",
    )
    plan = loads(text.replace("rule: should", "admission: {cpu: 0 %, memory: 0 %}"))

    assert plan.host_of("big") == "esx-11"
    assert plan.host_of("late") == "esx-21"


def test_too_many_servers_are_refused() -> None:
    text = with_servers("other: {continuity: restart, prefers: salle-1, cpu: 7, memory: 1 GiB, boot: 5 s}")
    with pytest.raises(PlanError, match="no host has room left for dopasoins-1 outside the room of its twin"):
        loads(text)


def test_a_server_has_a_mirrored_volume_and_one_without_data_an_empty_one() -> None:
    plan = loads(with_servers("other: {continuity: restart, cpu: 1, memory: 1 GiB, boot: 5 s}"))

    assert plan.volumes["dopasoins-1"] == Volume("dopasoins-1", 512 * 2**20, ("baie-1", "baie-2"))
    assert plan.volumes["dopasoins-1"].footprint == 512 * 2**20 + 4096 + 4096
    assert plan.volumes["other"] == Volume("other", 0, ())
    assert plan.volumes["other"].footprint == 0


def test_a_volume_goes_to_the_first_array_of_each_room_that_still_holds_it() -> None:
    text = TINY.replace("arrays: [baie-2]", "arrays: [baie-2, baie-3]")
    plan = loads("nodes: {baie-2: {capacity: 1 GiB}}\n" + text)

    assert plan.volumes["dopasoins-1"].copies == ("baie-1", "baie-2")
    assert plan.volumes["dopasoins-2"].copies == ("baie-1", "baie-3")


def test_the_first_room_with_a_virtualiser_is_preferred_unless_the_plan_says_otherwise() -> None:
    assert loads(TINY.replace("storage: {prefers: salle-1}", "")).preferred_room == "salle-1"
    other = loads(TINY.replace("storage: {prefers: salle-1}", "storage: {prefers: salle-2}"))
    assert other.preferred_room == "salle-2"
    assert other.volumes["dopasoins-1"].copies == ("baie-2", "baie-1")
    assert loads(dumps(other)) == other


def test_a_server_is_started_again_with_medium_priority_unless_the_plan_says_otherwise() -> None:
    plan = load("tiny")

    assert plan.ha.priority_of("dopasoins-1") is Priority.HIGH
    assert plan.ha.priority_of("imagerie") is Priority.MEDIUM
    assert (plan.ha.rule, plan.ha.isolation_response) == (Rule.SHOULD, IsolationResponse.LEAVE_ON)
    assert (plan.ha.admission.cpu, plan.ha.admission.memory) == (50, 50)


def test_what_ha_is_told_survives_writing() -> None:
    told = "ha: {rule: must, isolation_response: stop, admission: {cpu: 40 %}}"
    plan = loads(re.sub(r"ha: .*", told, TINY))

    assert "cpu: 40 %" in dumps(plan)
    assert loads(dumps(plan)) == plan


@pytest.mark.parametrize("name", shipped())
def test_a_step_on_the_way_may_be_shorter_than_our_failovers(name: str) -> None:
    plan = load(name)
    slowest = max(timer.value for timer in plan.failovers.values())
    acting = [timer for timer, written in plan.timers.items() if written.acts and written.value]

    assert min(map(plan.scaled, acting)) >= 2 * slowest
    assert plan.scaled("heartbeat") < slowest


def test_vendor_timers_are_scaled() -> None:
    assert load("zero").scaled("host-dead") == timedelta(seconds=6)
    with pytest.raises(UnknownNameError, match="did you mean host-dead"):
        load("zero").scaled("host-dea")


def test_cables_are_found_whichever_end_comes_first() -> None:
    zero = load("zero")
    assert [cable.name for cable in zero.cables_between("salle-2", "salle-1")] == ["fibre-a", "fibre-b"]


def test_zero_owes_something_in_each_scope() -> None:
    assert set(load("zero").services["dopasoins"].objectives) == set(Scope)


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_plan_survives_writing(name: str) -> None:
    plan = load(name)
    assert loads(dumps(plan)) == plan
    assert "16 GiB" in dumps(load("zero"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("15 s", 15), ("250 ms", 0.25), ("30 min", 1800), ("2 h", 7200), ("2.6 s", 2.6), ("0 s", 0)]
)
def test_durations_are_written_as_they_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("size", "text"), [(2**31, "2 GiB"), (1536 * 2**20, "1536 MiB"), (1000, "1000 B"), (2**40, "1 TiB")]
)
def test_sizes_are_written_in_the_largest_unit_that_divides_them(size: int, text: str) -> None:
    assert format_size(size) == text


def test_the_schema_describes_each_field() -> None:
    described = schema()
    models = [described, *described["$defs"].values()]
    bare = [
        f"{model['title']}.{key}"
        for model in models
        for key, field in model.get("properties", {}).items()
        if "description" not in field
    ]
    assert bare == []
    assert "name" not in described["$defs"]["Cable"]["properties"]


def test_a_written_plan_is_plain_yaml() -> None:
    assert yaml.safe_load(dumps(load("tiny")))["cables"]["fibre-a"]["between"] == ["salle-1", "salle-2"]
