"""The cluster's documents, and what a host does with its servers."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from lab.replica.cluster import orders
from lab.replica.cluster.beat import Beat, Released, RunningState, State
from lab.replica.cluster.catalogue import Catalogue, HostSpec, Priority, ServerSpec
from lab.replica.cluster.corrections import Corrections
from lab.replica.cluster.facts import Facts
from lab.replica.cluster.local import Local, Situation
from lab.replica.cluster.master import Master
from lab.replica.cluster.mastership import Watch, patience
from lab.replica.cluster.neighbours import Neighbours
from lab.replica.cluster.record import AT_ONCE, Assignment, Record, sessions
from lab.replica.cluster.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOGUE = Catalogue(
    {"h1": HostSpec("a", 8, 8), "h2": HostSpec("b", 8, 8)},
    {"one": ServerSpec(2, 2, Priority.LOW), "two": ServerSpec(2, 2, Priority.HIGH, boot=3.0, prefers="b", twin="one")},
)
WELL = Situation(certain=True, sees_storage=True, others_see_storage=True, isolated=False)
HERE = Record(1, "h1", {"one": Assignment("h1", 1), "two": Assignment("h1", 4)})


class Hypervisor:
    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    def start(self, server: str, number: int) -> None:
        self.done.append(("start", server, str(number)))

    def stop(self, server: str, reason: str, *, hard: bool) -> None:  # noqa: ARG002 - the reason is for the journal
        self.done.append(("kill" if hard else "stop", server))

    def event(self, kind: str, detail: str) -> None:
        pass

    def taken(self) -> list[tuple[str, ...]]:
        done, self.done = self.done, []
        return done


class Host:
    """One host's servers, tick by tick."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.hypervisor = Hypervisor()
        self.local = Local("h1", CATALOGUE, settings or Settings(), self.hypervisor)

    def tick(
        self, now: float, running: Mapping[str, RunningState], record: Record = HERE, here: Situation = WELL
    ) -> list[tuple[str, ...]]:
        self.local.running, self.local.looked = running, True
        self.local.tick(record, here, now)
        return self.hypervisor.taken()


def up(number: int, state: State = State.RUNNING, held: float = 0.0) -> RunningState:
    return RunningState(number, state, healthy=state is State.RUNNING, held=held)


BOTH = {"one": up(1), "two": up(4)}


def test_documents_come_back_as_they_went() -> None:
    record = Record(3, "h1", {"one": Assignment("h2", 7, 2, given_up=True)}, frozenset({"h2"}), {"one": "h1"})
    record = replace(record, orders=({"kind": "start", "server": "one", "id": "x"},), obeyed=("w",))
    assert Record.from_json(record.to_json()) == record
    beat = Beat("h1", 5, 9, 3, sees_storage=False, released={"one": Released(7, "storage")}, running={"two": "healthy"})
    assert Beat.from_json(beat.to_json()) == beat
    assert Catalogue.from_json(json.loads(json.dumps(CATALOGUE.to_json()))) == CATALOGUE


def test_scaling_touches_the_timers_of_the_vendor_and_nothing_else() -> None:
    scaled, whole = Settings.scaled(0.1, power_ons=2), Settings()
    assert scaled.power_ons == 2
    assert scaled.attempts == pytest.approx([part * 0.1 for part in whole.attempts])
    own = {"read_every", "master_reads_every", "storage_silent", "patience", "admission_cpu", "admission_memory"}
    for one in fields(Settings):
        value = getattr(whole, one.name)
        if isinstance(value, float):
            assert getattr(scaled, one.name) == pytest.approx(value * (1 if one.name in own else 0.1))


def test_a_host_starts_what_it_was_given_the_urgent_ones_first() -> None:
    host = Host()
    assert host.tick(0.0, {}) == [("start", "two", "4"), ("start", "one", "1")]
    assert host.tick(0.2, {}) == []  # told once


def test_no_more_are_powered_on_at_once_than_allowed() -> None:
    host = Host(Settings(power_ons=1))
    assert host.tick(0.0, {}) == [("start", "two", "4")]
    assert host.tick(0.2, {"two": up(4, State.STARTING)}) == []
    assert host.tick(0.4, {"two": up(4, State.BOOTING)}) == [("start", "one", "1")]


def test_nothing_starts_from_a_record_that_may_be_old_nor_before_the_hypervisor_has_spoken() -> None:
    host = Host()
    host.local.tick(HERE, WELL, 0.0)
    assert host.hypervisor.taken() == []
    assert host.tick(0.0, {}, here=replace(WELL, certain=False)) == []


@pytest.mark.parametrize("one", [Assignment("h2", 2), Assignment("h1", 2)])
def test_what_the_record_has_elsewhere_is_killed(one: Assignment) -> None:
    record = replace(HERE, servers={**HERE.servers, "one": one})
    assert ("kill", "one") in Host().tick(0.0, BOTH, record)


def test_a_crash_is_answered_here_with_a_pause_and_the_third_quick_one_gives_the_server_up() -> None:
    host, now, starts = Host(), 0.0, 0
    while not host.local.given_up and now < 60:
        starts += host.tick(now, {"one": up(1, State.FAILED), "two": up(4)}).count(("start", "one", "1"))
        now += 0.1
    assert starts == 2
    assert host.local.given_up == {"one": Released(1, "failed")}


def test_a_guest_without_a_sign_is_reset_only_when_it_does_no_io_either() -> None:
    host = Host()
    busy = RunningState(1, State.HUNG, silent=200.0, idle=100.0)
    assert host.tick(0.0, {**BOTH, "one": busy}) == []
    assert host.tick(1.0, {**BOTH, "one": replace(busy, idle=120.0)}) == [("kill", "one")]
    assert host.tick(2.0, {"two": up(4)}) == [("start", "one", "1")]


@pytest.mark.parametrize(
    ("held", "others", "stopped"), [(319.0, True, False), (320.0, True, True), (400.0, False, False)]
)
def test_storage_that_is_gone_stops_a_server_only_if_another_host_sees_it(
    held: float, *, others: bool, stopped: bool
) -> None:
    host = Host()
    here = replace(WELL, sees_storage=False, others_see_storage=others)
    assert (("kill", "one") in host.tick(0.0, {**BOTH, "one": up(1, held=held)}, here=here)) is stopped
    assert ("one" in host.local.given_up) is stopped


def test_a_volume_that_is_gone_for_good_stops_its_server_at_once_however_it_failed() -> None:
    host = Host()
    gone = replace(up(1, State.FAILED), pdl=True)
    assert host.tick(0.0, {**BOTH, "one": gone}) == [("kill", "one")]
    assert host.local.given_up == {"one": Released(1, "pdl")}


def test_what_may_not_be_seen_here_is_not_started_but_given_up() -> None:
    host = Host()
    assert host.tick(0.0, {}, here=replace(WELL, withheld=frozenset(["one"]))) == [("start", "two", "4")]
    assert host.local.given_up == {"one": Released(1, "pdl")}


def test_an_isolated_guest_gets_its_time_before_another_host_may_have_it() -> None:
    host = Host(Settings(isolation_policy="stop"))
    alone = replace(WELL, certain=False, isolated=True)
    assert host.tick(0.0, BOTH, here=alone) == [("stop", "one"), ("stop", "two")]
    assert not host.local.given_up
    assert ("kill", "one") in host.tick(301.0, BOTH, here=alone)
    host.tick(302.0, {}, here=alone)
    assert host.local.given_up.keys() == {"one", "two"}


def test_a_moving_server_stops_by_itself_and_is_given_up_when_it_has() -> None:
    host, record = Host(), replace(HERE, moves={"one": "h2"})
    assert host.tick(0.0, BOTH, record) == [("stop", "one")]
    assert host.tick(1.0, {"two": up(4)}, record) == []
    assert host.local.given_up == {"one": Released(1, "move")}


# The master


FACTS = Facts(
    now=1000.0,
    fresh=frozenset({"h1", "h2"}),
    dead=frozenset(),
    see_storage=frozenset({"h1", "h2"}),
    states={"h1": {"one": "healthy", "two": "healthy"}},
    released={},
)
H1_DEAD = replace(FACTS, fresh=frozenset({"h2"}), dead=frozenset({"h1"}))


def decide(record: Record, known: Facts, catalogue: Catalogue = CATALOGUE) -> Record:
    return Master(catalogue, Settings(), lambda _kind, _detail: None, 0.0).decide(record, known)


def test_nothing_is_changed_when_all_is_well() -> None:
    assert decide(HERE, FACTS) is HERE


def test_a_dead_host_loses_its_servers_and_their_sessions_in_one_change() -> None:
    after = decide(HERE, H1_DEAD)
    assert after.servers == {"one": Assignment("h2", 2), "two": Assignment("h2", 5)}
    assert json.loads(sessions(HERE, after)["sessions/two"]) == {"host": "h2", "number": 5}


def test_a_silent_host_that_is_not_dead_keeps_its_servers() -> None:
    assert decide(HERE, replace(FACTS, fresh=frozenset({"h2"}))) is HERE


WITH_VOLUME = replace(CATALOGUE, servers={**CATALOGUE.servers, "one": replace(CATALOGUE.servers["one"], volume=True)})
GONE_FROM_H1 = replace(FACTS, released={"h1": {"one": Released(1, "pdl")}}, withheld={"one": frozenset(["h1"])})


def test_a_volume_that_is_gone_moves_its_server_to_a_host_that_sees_it() -> None:
    after = decide(HERE, GONE_FROM_H1, WITH_VOLUME)
    assert after.servers["one"] == Assignment("h2", 2)


def test_a_server_waits_while_no_host_may_see_its_volume_and_starts_again_where_one_may() -> None:
    nowhere = replace(GONE_FROM_H1, withheld={"one": frozenset(["h1", "h2"])})
    assert decide(HERE, nowhere, WITH_VOLUME) is HERE
    given_back = replace(nowhere, withheld={"one": frozenset(["h2"])})
    assert decide(HERE, given_back, WITH_VOLUME).servers["one"] == Assignment("h1", 2)


def test_a_host_that_has_just_lost_a_volume_is_avoided_before_the_storage_has_told_everybody() -> None:
    untold = replace(GONE_FROM_H1, withheld={})
    assert decide(HERE, untold, WITH_VOLUME).servers["one"].host == "h2"


def test_no_correction_sends_a_member_to_a_host_that_may_not_see_its_volume() -> None:
    both = replace(WITH_VOLUME, servers={name: replace(s, volume=True) for name, s in WITH_VOLUME.servers.items()})
    beside = Record(1, "h1", {"one": Assignment("h1", 1), "two": Assignment("h1", 4)})
    facts = replace(FACTS, states={"h1": {"one": "healthy", "two": "healthy"}, "h2": {}})
    for withheld, moves in (({}, {"two": "h2"}), ({"two": frozenset(["h2"]), "one": frozenset(["h2"])}, {})):
        corrections = Corrections(both, Settings(corrected_after=0.0))
        told = replace(facts, withheld=withheld)
        corrections.moves(beside, told, quiet=True)
        assert corrections.moves(beside, replace(told, now=told.now + 1), quiet=True) == moves


def test_what_was_given_up_in_an_older_session_does_not_count() -> None:
    assert decide(HERE, replace(FACTS, released={"h1": {"two": Released(3, "storage")}})) is HERE
    after = decide(
        HERE, replace(FACTS, released={"h1": {"two": Released(4, "storage")}}, see_storage=frozenset({"h2"}))
    )
    assert after.servers["two"] == Assignment("h2", 5)


def test_one_swap_never_carries_more_than_the_arbiters_take() -> None:
    many = Catalogue(
        {"h1": HostSpec("a", 500, 500), "h2": HostSpec("b", 500, 500)},
        {f"s{at:03}": ServerSpec(1, 1, Priority(at % 3)) for at in range(300)},
    )
    record = Record(1, "h2", {name: Assignment("h1", 1) for name in many.servers})
    after = decide(record, replace(H1_DEAD, states={}), many)
    moved = [name for name, one in after.servers.items() if one.host == "h2"]
    assert len(moved) == AT_ONCE == len(sessions(record, after))
    assert all(many.servers[name].priority is Priority.HIGH for name in moved)


def test_admission_control_leaves_a_share_free_for_restarts() -> None:
    master = Master(CATALOGUE, Settings(admission_memory=0.8), lambda _kind, _detail: None, 0.0)
    after = master.decide(Record(1, "h1", {"one": Assignment(), "two": Assignment()}), replace(FACTS, states={}))
    assert {name for name, one in after.servers.items() if one.host} == {"two"}


def test_an_order_that_nobody_could_obey_is_refused_with_a_sentence() -> None:
    assert orders.wrong(orders.move("three", "h1"), CATALOGUE) == "no server is called 'three'; known: one, two"
    assert orders.wrong(orders.maintenance("h3", on=True), CATALOGUE) == "no host is called 'h3'; known: h1, h2"
    record = replace(HERE, orders=({**orders.move("three", "h1"), "id": "x"},))
    assert decide(record, FACTS) == replace(HERE, obeyed=("x",))


# Who is heard, and who is master


def test_beats_that_are_late_or_come_twice_say_nothing() -> None:
    ears = Neighbours("h1", CATALOGUE.hosts, Settings())
    ears.begin(0.0)
    ears.heard(Beat("h2", boot=2, seq=1), 1.0)
    ears.heard(Beat("h2", boot=2, seq=1), 5.0)
    ears.heard(Beat("h2", boot=1, seq=9), 6.0)
    assert ears.silence("h2", 10.0) == 9.0


def test_what_an_earlier_life_gave_up_is_forgotten() -> None:
    ears = Neighbours("h1", CATALOGUE.hosts, Settings())
    ears.begin(0.0)
    ears.stored({"h2": (0.0, 1, {"one": Released(1, "failed")})}, 1.0)
    assert ears.released("h2")
    ears.heard(Beat("h2", boot=2, seq=1), 2.0)
    assert not ears.released("h2")


def test_storage_heartbeats_keep_a_silent_host_alive() -> None:
    ears = Neighbours("h1", CATALOGUE.hosts, Settings())
    ears.begin(0.0)
    assert not ears.is_dead("h2", 14.9)
    assert ears.is_dead("h2", 15.0)
    ears.stored({"h2": (0.0, 1, {})}, 15.0)
    assert not ears.is_dead("h2", 32.9)
    assert ears.is_dead("h2", 33.0)


def test_time_in_which_the_record_could_not_be_read_does_not_count_against_the_master() -> None:
    watch = Watch(Settings())
    for now in (0.0, 0.5, 1.0, 60.0):
        watch.look(5, 6, now)
    assert watch.stood == 2.0


def test_candidates_come_one_after_the_other_and_those_that_see_the_storage_first() -> None:
    record, names, seeing = Record(1, "h0"), ("h1", "h2", "h3"), ("h2", "h3")
    waits = {host: patience(Settings(), record, host, names, seeing) for host in names}
    assert waits == {"h2": 25.0, "h3": 27.0, "h1": 35.0}
