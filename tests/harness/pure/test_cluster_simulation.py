"""The cluster's decisions in simulated time: random faults, planted defects, and each timer on its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab.replica.cluster import master, orders
from lab.replica.cluster.catalogue import Catalogue, ServerSpec
from lab.replica.cluster.isolation import Isolation
from lab.replica.cluster.local import Local
from lab.replica.cluster.neighbours import Neighbours
from lab.replica.cluster.placement import place
from lab.replica.cluster.settings import Settings
from tests.harness.pure import cluster_world
from tests.harness.pure.cluster_places import CATALOGUE, HOSTS
from tests.harness.pure.cluster_world import (
    FAULTS_FROM,
    FAULTS_UNTIL,
    LONGEST,
    TARGETS,
    Fault,
    Schedule,
    World,
    play,
    random_schedule,
)
from tests.harness.pure.storage_oracle import ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.replica.cluster.record import Order

FAULTS = st.one_of(
    [
        st.builds(
            Fault,
            at=st.floats(FAULTS_FROM, FAULTS_UNTIL),
            kind=st.just(kind),
            target=st.sampled_from(targets),
            lasts=st.floats(0.1, LONGEST),
        )
        for kind, targets in TARGETS.items()
    ]
)


SENT_TWICE = [  # one of two orders alike was written, and the host taken back into service before the other one was
    Fault(10.0, "maintenance", "esx-22", 1.0),
    Fault(10.0, "maintenance", "esx-22", 1.0),
    Fault(10.0, "host hangs", "esx-21", 3.0),
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), faults=st.lists(FAULTS, max_size=4))
@example(seed=0, faults=SENT_TWICE)
def test_what_fits_runs_once_in_the_end_and_nothing_ever_twice(seed: int, faults: list[Fault]) -> None:
    play(Schedule(seed, tuple(faults)))


def test_a_seed_stands_for_one_course_of_events() -> None:
    worlds = [play(random_schedule(7)) for _ in range(2)]
    assert worlds[0].clock.events == worlds[1].clock.events
    assert worlds[0].oracle.said == worlds[1].oracle.said


def is_noticed(schedules: Iterable[Schedule]) -> bool:
    for schedule in schedules:
        try:
            play(schedule)
        except ViolationError:
            return True
    return False


@pytest.mark.parametrize("defect", ["no-fence", "ha-off", "over-capacity", "move-both-twins", "forget-released"])
def test_a_planted_defect_is_noticed(defect: str) -> None:
    assert is_noticed(random_schedule(seed, frozenset({defect})) for seed in range(300))


# Defects that no configuration can plant: a rule is taken away.


def isolated_after_sleep() -> int:
    """How many of the masters that sleep for 4.5 s take themselves for isolated on waking."""
    worlds = [world_with(Fault(5.0, "host hangs", quiet_master(seed), 4.5), seed=seed) for seed in range(10)]
    return sum(len(said(world, "isolated")) for world in worlds)


def test_a_host_that_slept_and_does_not_forgive_the_others_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isolated_after_sleep() == 0
    monkeypatch.setattr(Neighbours, "forgive", lambda *_: None)
    monkeypatch.setattr(Isolation, "forgive", lambda *_: None)
    assert isolated_after_sleep() > 0


def test_orphans_that_are_left_alone_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Local._stop  # noqa: SLF001 - the rule is inside

    def lazy(local: Local, name: str, reason: str, now: float, *, hard: bool) -> None:
        if reason != "the record has it elsewhere":
            stop(local, name, reason, now, hard=hard)

    monkeypatch.setattr(Local, "_stop", lazy)
    assert is_noticed(random_schedule(seed) for seed in range(300))


def test_detection_that_trusts_one_network_only_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Settings.scaled(0.2).host_dead
    monkeypatch.setattr(Neighbours, "is_dead", lambda heard, host, now: heard.silence(host, now) >= limit)
    assert is_noticed(random_schedule(seed) for seed in range(300))


def test_placement_that_ignores_memory_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    weightless = {name: replace(spec, memory=0) for name, spec in CATALOGUE.servers.items()}
    monkeypatch.setattr(master, "place", lambda hosts, _servers, *rest: place(hosts, weightless, *rest))
    assert is_noticed(random_schedule(seed) for seed in range(300))


# One fault at a time: which timer fires, and what is left alone. Timers are a fifth of the vendor's.


def world_with(*faults: Fault, policy: str = "leave", seed: int = 3) -> World:
    world = World(Schedule(seed, faults), policy=policy)
    world.play()
    return world


def said(world: World, kind: str, after: float = 0.0) -> list[tuple[float, str]]:
    return [(at, detail) for at, _host, one, detail in world.oracle.said if one == kind and at >= after]


def master_of(world: World) -> str:
    return next(name for name, host in world.hosts.items() if host.agent and host.agent.is_master)


def quiet_master(seed: int = 3) -> str:
    return master_of(world_with(Fault(5.0, "beats get lost", "all", 0.0), seed=seed))


def other_than(*names: str) -> str:
    return next(host for host in HOSTS if host not in names)


def test_a_quiet_world_starts_every_server_once() -> None:
    world = world_with(Fault(8.0, "beats get lost", "all", 0.0))
    assert world.oracle.counts["starts"] == len(world.catalogue.servers)
    assert len(said(world, "elect")) == 0
    hosts = {detail.split(" ")[0]: detail.split(" ")[2].rstrip(",") for _at, detail in said(world, "decide")}
    assert all(hosts[name] == spec.first for name, spec in world.catalogue.servers.items() if spec.first)


def test_four_hundred_and_fifty_servers_start_and_those_of_a_lost_room_start_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = {name: replace(host, cpu=500, memory=500) for name, host in CATALOGUE.hosts.items()}
    servers = {f"vm-{at:03}": ServerSpec(1, 1, first=tuple(HOSTS)[at % 4]) for at in range(450)}
    monkeypatch.setattr(cluster_world, "CATALOGUE", Catalogue(hosts, servers))
    world = World(Schedule(3, (Fault(20.0, "room dark", "1", 12.0),)), policy="leave")
    world.settings = replace(world.settings, power_ons=32)
    world.play()
    assert len(said(world, "dead")) == 2
    assert len(said(world, "fence")) == 2 * 112 + 2
    assert world.oracle.counts["starts"] == 450 + 2 * 112 + 2


def test_a_host_is_dead_after_18_seconds_and_its_servers_restart_at_once() -> None:
    deciding = quiet_master()
    lost = other_than(deciding)
    world = world_with(Fault(5.0, "host dies for good", lost, 1.0))
    ((dead, detail),) = said(world, "dead")
    assert detail == f"{lost} is dead, says {deciding}"
    assert 3.6 - 0.3 <= dead - 5.0 <= 3.6 + 0.6
    restarted = [at for at, _ in said(world, "start", after=5.0)]
    assert len(restarted) >= 2
    assert dead <= min(restarted) <= dead + 1.0


def test_a_lost_master_is_replaced_after_25_seconds_and_its_servers_restart_after_35() -> None:
    world = world_with(Fault(5.0, "host dies for good", quiet_master(), 1.0))
    elected = said(world, "elect", after=5.0)
    assert 5.0 - 0.3 <= elected[0][0] - 5.0 <= 5.0 + 1.5
    assert len(said(world, "master", after=5.0)) == 1
    dead = said(world, "dead")[0][0]
    assert 7.0 - 0.3 <= dead - 5.0 <= 7.0 + 1.5


def test_a_partition_of_the_management_network_restarts_nothing() -> None:
    world = world_with(Fault(5.0, "management apart", "1", 11.0))
    assert not said(world, "dead") + said(world, "fence") + said(world, "start", after=5.0)


@pytest.mark.parametrize("policy", ["leave", "stop"])
def test_an_isolated_host_answers_by_its_policy(policy: str) -> None:
    isolated = other_than(quiet_master())
    world = world_with(Fault(5.0, "host hears nothing", isolated, 14.0), policy=policy)
    declared = said(world, "isolated")[0][0]
    assert 6.0 - 0.3 <= declared - 5.0 <= 6.0 + 0.6
    released = said(world, "release", after=5.0)
    if policy == "leave":
        assert not released + said(world, "start", after=5.0)
    else:
        assert 12.0 - 0.3 <= released[0][0] - 5.0 <= 12.0 + 0.6
        assert {detail.split(": ")[1] for _, detail in released[:1]} == {"isolated"}
        assert min(at for at, _ in said(world, "start", after=5.0)) > released[0][0]


def test_storage_that_comes_back_in_time_stops_nothing() -> None:
    world = world_with(Fault(5.0, "host without storage", other_than(quiet_master()), 3.4))
    assert not said(world, "release") + said(world, "start", after=5.0)


def test_storage_that_stays_away_moves_the_servers_after_both_delays() -> None:
    world = world_with(Fault(5.0, "host without storage", other_than(quiet_master()), 8.0))
    released = said(world, "release")
    assert released[0][1].endswith(": storage")
    assert 4.0 - 0.3 <= released[0][0] - 5.0 <= 4.0 + 0.6


def test_storage_that_nobody_sees_stops_nothing() -> None:
    world = world_with(Fault(5.0, "storage down", "storage", 9.0))
    assert not said(world, "release") + said(world, "start", after=5.0)


def test_volumes_that_are_gone_for_good_move_the_servers_at_once() -> None:
    world = world_with(Fault(5.0, "volumes unmapped", other_than(quiet_master()), 3.0))
    released = said(world, "release")
    assert released[0][1].endswith(": pdl")
    assert released[0][0] - 5.0 <= 0.6


def test_without_arbiters_nothing_is_decided_and_nothing_stops() -> None:
    world = world_with(Fault(5.0, "arbiters down", "arbiters", 12.0))
    assert not said(world, "dead") + said(world, "fence") + said(world, "elect") + said(world, "start", after=5.0)


def test_a_server_that_starts_nowhere_is_given_up_and_a_human_may_order_it_again() -> None:
    faults = [Fault(4.9, "host starts nothing", host, 60.0) for host in HOSTS]
    world = world_with(*faults, Fault(5.0, "server crashes", "gros", 0.0))
    (given_up,) = [at for at, detail in said(world, "given up") if detail.startswith("gros")]
    assert given_up - 5.0 >= world.settings.attempts[-1]
    assert "start gros" in [detail for _, detail in said(world, "order")]


def test_a_pair_comes_home_one_at_a_time_and_a_lone_server_stays() -> None:
    world = world_with(Fault(6.0, "room dark", "1", 11.5), seed=5)
    back = 17.5
    moved = [detail.split(" ")[0] for _, detail in said(world, "move")]
    assert moved
    assert all(world.catalogue.servers[name].twin for name in moved)
    assert min(at for at, _ in said(world, "move")) >= back + world.settings.corrected_after


def ordered(order: Order) -> World:
    world = World(Schedule(3), policy="leave", until=20.0)
    world.clock.after(6.0, lambda: world.order(order))
    return world


def test_maintenance_empties_a_host() -> None:
    world = ordered(orders.maintenance("esx-12", on=True))
    with pytest.raises(ViolationError, match="maintenance"):
        world.play()
    agent = world.hosts["esx-12"].agent
    assert agent is not None
    assert agent.record is not None
    assert "esx-12" not in {one.host for one in agent.record.servers.values()}
    assert not world.hosts["esx-12"].servers


def test_an_order_moves_a_lone_server() -> None:
    world = ordered(orders.move("seul-0", "esx-22"))
    world.play()
    assert [detail for _, detail in said(world, "move")] == ["seul-0 from esx-11 to esx-22"]
    assert "seul-0" in world.hosts["esx-22"].servers
