"""Who serves the volumes after a loss, what is frozen, and what clients see of it."""

from __future__ import annotations

import re
from importlib import resources
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.expectation import Class, expect, smallest_cuts, storage
from lab.plan import PlanError, load, loads

ZERO = load("zero")
TINY = load("tiny")
TINY_TEXT = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")
OTHER = loads(TINY_TEXT.replace("storage: {prefers: salle-1}", "storage: {prefers: salle-2}"))
FIXED = settings(derandomize=True, deadline=None, max_examples=100)

BOTH = ("baie-1", "baie-2")
STATES = {
    # What is lost: who serves, from which arrays, which servers are frozen.
    "nothing": ((), "svc-1", BOTH, ()),
    "the preferred virtualiser": (("svc-1",), "svc-2", BOTH, ()),
    "the other": (("svc-2",), "svc-1", BOTH, ()),
    "its array": (("baie-1",), "svc-1", ("baie-2",), ()),
    "its room": (("salle-1",), "svc-2", ("baie-2",), ()),
    "the other room": (("salle-2",), "svc-1", ("baie-1",), ()),
    "the third room": (("ultime-secours",), "svc-1", BOTH, ()),
    "the rooms apart": (("fibre-a", "fibre-b"), "svc-1", ("baie-1",), ("dopasoins-2", "imagerie")),
    "the rooms apart, its array lost": (("fibre-a", "fibre-b", "baie-1"), "svc-2", ("baie-2",), ("dopasoins-1",)),
    "its storage switch": (("sw-storage-1",), "svc-2", ("baie-2",), ("dopasoins-1",)),
    "its management switch": (("sw-management-1",), "svc-2", BOTH, ()),
    "the third room's switches": (("sw-storage-3", "sw-management-3"), "svc-1", BOTH, ()),
    "both arrays": (BOTH, None, (), ("dopasoins-1", "dopasoins-2", "imagerie")),
    "both virtualisers": (("svc-1", "svc-2"), None, (), ("dopasoins-1", "dopasoins-2", "imagerie")),
    "two arbiters": (("etcd-2", "quorum"), None, (), ("dopasoins-1", "dopasoins-2", "imagerie")),
    "a room and the witness": (("salle-1", "quorum"), None, (), ("dopasoins-2", "imagerie")),
}


@pytest.mark.parametrize(("lost", "active", "in_sync", "frozen"), STATES.values(), ids=STATES.keys())
def test_who_serves(
    lost: tuple[str, ...], active: str | None, in_sync: tuple[str, ...], frozen: tuple[str, ...]
) -> None:
    found = storage(TINY, frozenset(lost))
    assert (found.active, found.in_sync, tuple(found.frozen)) == (active, in_sync, frozen)
    assert found.moved is (active == "svc-2")


STANDALONE = loads(TINY_TEXT.replace("volume: 256 MiB}", "volume: 256 MiB, standalone: baie-2}"))


def test_a_stand_alone_volume_depends_on_its_array_and_on_no_virtualiser() -> None:
    volume = STANDALONE.volumes["imagerie"]
    assert (volume.alone, volume.copies, volume.homes) == ("baie-2", ("baie-2",), ("baie-2", "baie-1"))
    lost = expect(STANDALONE, "imagerie", frozenset({"baie-2"}))
    assert lost.klass is Class.D
    assert "imagerie is frozen since esx-21 cannot reach baie-2, which holds it alone" in lost.reason
    assert expect(TINY, "imagerie", frozenset({"baie-2"})).klass is Class.A
    assert expect(STANDALONE, "imagerie", frozenset({"svc-1", "svc-2"})).klass is Class.A
    assert expect(TINY, "imagerie", frozenset({"svc-1", "svc-2"})).klass is Class.D
    assert expect(STANDALONE, "imagerie", frozenset({"baie-1"})).klass is Class.A


def test_the_plan_says_which_room_has_the_head_start() -> None:
    apart = frozenset({"fibre-a", "fibre-b"})
    assert storage(OTHER, apart).active == "svc-2"
    assert storage(OTHER, apart).in_sync == ("baie-2",)
    assert tuple(storage(OTHER, apart).frozen) == ("dopasoins-1",)
    assert expect(OTHER, "dopasoins", frozenset({"svc-1"})).klass is Class.A
    assert expect(OTHER, "dopasoins", frozenset({"svc-2"})).klass is Class.B


MAJORITIES = {
    "nothing": ((), {"etcd-1", "etcd-2", "quorum"}),
    "one arbiter": (("etcd-1",), {"etcd-2", "quorum"}),
    "the rooms apart: either leads with the witness": (("fibre-a", "fibre-b"), {"etcd-1", "etcd-2", "quorum"}),
    "a room off management": (("sw-management-2",), {"etcd-1", "quorum"}),
    "the third room off management": (("sw-management-3",), {"etcd-1", "etcd-2"}),
    "two arbiters": (("etcd-1", "quorum"), set()),
    "all three apart": (("fibre-a", "fibre-b", "fibre-1s", "fibre-2s"), set()),
}


@pytest.mark.parametrize(("lost", "majority"), MAJORITIES.values(), ids=MAJORITIES.keys())
def test_which_arbiters_still_decide(lost: tuple[str, ...], majority: set[str]) -> None:
    assert set(storage(TINY, frozenset(lost)).majority) == majority


def test_the_state_speaks_a_sentence_in_both_languages() -> None:
    apart = storage(TINY, frozenset({"fibre-a", "fibre-b", "baie-1"}))
    assert apart.reason == (
        "svc-1 reaches no array in sync, so that svc-2 serves from baie-2, without baie-1; "
        "dopasoins-1 is frozen since esx-11 cannot reach svc-2."
    )
    assert apart.sentence_fr == (
        "svc-1 n'atteint aucune baie à jour, si bien que svc-2 sert depuis baie-2, sans baie-1 ; "
        "dopasoins-1 est gelé car esx-11 n'atteint pas svc-2."
    )
    nobody = storage(TINY, frozenset({"baie-1", "salle-2"}))
    assert nobody.reason == "every array is lost; dopasoins-1 is frozen."
    assert nobody.sentence_fr == "Toutes les baies sont perdues ; dopasoins-1 est gelé."


def test_a_take_over_that_outlasts_an_answer_is_noticed() -> None:
    lost = frozenset({"svc-1"})
    slow = expect(TINY, "dopasoins", lost)
    assert slow.klass is Class.B
    assert slow.reason == (
        "the volumes of dopasoins-1 and dopasoins-2 stand still for 2.6 s while svc-2 takes over from svc-1 "
        "(a client waits 2 s); dopasoins goes on through dopasoins-1 and dopasoins-2, after retries."
    )
    fast = expect(
        loads(TINY_TEXT.replace("virtualiser-lost: {value: 2.6 s", "virtualiser-lost: {value: 2 s")), "dopasoins", lost
    )
    assert fast.klass is Class.A
    assert "stand still for 2 s while svc-2 takes over from svc-1" in fast.reason
    unknown = expect(loads(re.sub(r"  virtualiser-lost: .*\n", "", TINY_TEXT)), "dopasoins", lost)
    assert unknown.klass is Class.B
    assert "nobody has measured how long" in unknown.reason


def test_an_array_is_given_up_before_clients_notice() -> None:
    prediction = expect(ZERO, "dopasoins", frozenset({"baie-2"}))
    assert prediction.klass is Class.A
    assert prediction.reason == (
        "the volumes of dopasoins-1 and dopasoins-2 stand still for 700 ms while svc-1 gives up baie-2 "
        "(a client waits 2 s): dopasoins answers in time, the loss is transparent."
    )
    assert prediction.sentence_fr == (
        "Les volumes de dopasoins-1 et dopasoins-2 s'arrêtent 700 ms le temps que svc-1 écarte baie-2 "
        "(un client attend 2 s) : dopasoins répond à temps, la perte est transparente."
    )


STOPPED = {
    "both frozen": (BOTH, "every array is lost: dopasoins stops"),
    "no majority": (("etcd-1", "etcd-2"), "the arbiters have no majority: dopasoins stops"),
    "nothing reaches both": (
        ("sw-management-1", "sw-storage-2"),
        "no virtualiser reaches both an array in sync and a majority of arbiters: ",
    ),
    "one lost, one frozen": (
        ("esx-11", "sw-storage-2"),
        "dopasoins-1 is lost with esx-11 and dopasoins-2 is frozen since esx-21 cannot reach svc-1: ",
    ),
    "one frozen, and no arbitrator": (
        ("quorum", "sw-storage-2"),
        "dopasoins-2 is frozen since esx-21 cannot reach svc-1 and no two voters of the database can talk: ",
    ),
}


@pytest.mark.parametrize(("lost", "said"), STOPPED.values(), ids=STOPPED.keys())
def test_a_pair_that_stops_says_why(lost: tuple[str, ...], said: str) -> None:
    prediction = expect(TINY, "dopasoins", frozenset(lost))
    assert prediction.klass is Class.D
    assert prediction.reason.startswith(said)


UNKNOWN = {
    "baie1": "did you mean baie-1?",
    "fibre-a/storag": "did you mean fibre-a/storage?",
    "rocade-1/storage": "known: rocade-1/servers",
    "esx-11/sw-storage-2": "did you mean esx-11/sw-storage-1?",
    "esx-1/sw-storage-1": "known: baie-1, baie-2",
}


@pytest.mark.parametrize(("name", "said"), UNKNOWN.items())
def test_an_unknown_name_lists_the_known_ones(name: str, said: str) -> None:
    with pytest.raises(PlanError, match=re.escape(said)):
        storage(TINY, frozenset({name}))


STRANDS = {
    "storage parted: the losing room's member is frozen": (("fibre-a/storage", "fibre-b/storage"), "svc-1", "B"),
    "one strand of two": (("fibre-a/storage",), "svc-1", "A"),
    "management parted: the witness still joins both": (("fibre-a/management", "fibre-b/management"), "svc-1", "A"),
    "servers parted": (("fibre-a/servers", "fibre-b/servers"), "svc-1", "B"),
    "a host off its storage": (("esx-11/sw-storage-1",), "svc-1", "B"),
    "the other host off its storage": (("esx-21/sw-storage-2",), "svc-1", "B"),
    "the virtualiser off its storage": (("svc-1/sw-storage-1",), "svc-2", "B"),
    "the virtualiser off the arbiters": (("svc-1/sw-management-1",), "svc-2", "B"),
    "an array off its switch": (("baie-1/sw-storage-1",), "svc-1", "A"),
    "a host off the servers network": (("esx-11/sw-servers-1",), "svc-1", "B"),
}


@pytest.mark.parametrize(("lost", "active", "letter"), STRANDS.values(), ids=STRANDS.keys())
def test_one_network_of_a_cable_or_one_port_may_be_lost(lost: tuple[str, ...], active: str, letter: str) -> None:
    assert storage(TINY, frozenset(lost)).active == active
    assert expect(TINY, "dopasoins", frozenset(lost)).klass == letter


def test_a_copy_left_behind_does_not_serve_afterwards() -> None:
    parted, fresh = frozenset({"fibre-a/storage", "fibre-b/storage"}), frozenset({"baie-1"})

    assert storage(TINY, parted | fresh).active == "svc-2"
    after = storage(TINY, parted, fresh)
    assert after.active is None
    assert after.reason == (
        "every array in sync is lost; dopasoins-1 is frozen; dopasoins-2 is frozen; imagerie is frozen."
    )
    assert expect(TINY, "dopasoins", parted, fresh).klass is Class.D


def test_the_holder_keeps_the_lease_while_it_may() -> None:
    two = loads(TINY_TEXT.replace("virtualisers: [svc-1]", "virtualisers: [svc-1, svc-3]"))
    assert storage(two, frozenset({"svc-1"})).active == "svc-3"
    assert storage(two, frozenset({"svc-1"}), frozenset({"svc-3"})).active == "svc-2"
    assert storage(two).active == "svc-1"


@FIXED
@given(st.lists(st.frozensets(st.sampled_from([*TINY.nodes, *TINY.switches, *TINY.cables]), max_size=2), max_size=4))
def test_what_is_lost_step_by_step_leaves_no_more_in_sync(steps: list[frozenset[str]]) -> None:
    fresh = {"baie-1", "baie-2"}
    for count in range(len(steps) + 1):
        found = storage(TINY, *steps[:count])
        assert {*found.in_sync} <= fresh
        fresh = {*found.in_sync} or fresh


@pytest.mark.parametrize(("name", "count"), [("tiny", 98), ("zero", 47)])
def test_the_smallest_cuts_of_the_storage(name: str, count: int) -> None:
    plan = load(name)
    cuts = smallest_cuts(plan, "dopasoins")

    assert {frozenset({"baie-1", "baie-2"}), frozenset({"svc-1", "svc-2"})} <= {*cuts}
    assert {frozenset(two) for two in combinations(("etcd-1", "etcd-2", "quorum"), 2)} <= {*cuts}
    assert {"salle-1", "baie-2"} in cuts
    assert ({"sw-storage-1", "esx-21"} in cuts) is (name == "tiny"), "zero has two storage switches a room"
    assert [cut for cut in cuts if len(cut) == 1] == []
    assert len(cuts) == count, "each was read against the rules once: read the new ones too"


THINGS = [*ZERO.places, *ZERO.nodes, *ZERO.switches, *ZERO.cables, *ZERO.servers]
losses = st.frozensets(st.sampled_from(THINGS), max_size=6)


@FIXED
@given(losses, losses)
def test_losing_more_brings_neither_array_nor_arbiter_back(some: frozenset[str], more: frozenset[str]) -> None:
    before, after = storage(ZERO, some), storage(ZERO, some | more)
    assert {*after.majority} <= {*before.majority}
    assert after.active is None or before.active is not None
    if after.active == before.active:
        assert {*after.in_sync} <= {*before.in_sync}
        assert {*before.frozen} - {*after.frozen} <= gone(some | more)


def gone(lost: frozenset[str]) -> set[str]:
    """Give the servers whose host is lost, or which are lost themselves."""
    hosts = {server: ZERO.nodes[ZERO.host_of(server)] for server in ZERO.servers}
    return {server for server, host in hosts.items() if {server, host.name, host.place} & lost}


@FIXED
@given(losses)
def test_whoever_serves_lives_and_can_be_proved_to(lost: frozenset[str]) -> None:
    found = storage(ZERO, lost)
    if found.active is None:
        assert found.in_sync == ()
        return
    assert not {found.active, ZERO.nodes[found.active].place} & lost
    assert found.in_sync
    assert len(found.majority) >= 2
    assert not {*found.in_sync, *found.majority} & lost


@FIXED
@given(losses)
def test_a_frozen_pair_stops_and_a_frozen_member_costs_its_place(lost: frozenset[str]) -> None:
    frozen = {*storage(ZERO, lost).frozen} & {*ZERO.services["dopasoins"].runs_on}
    klass = expect(ZERO, "dopasoins", lost).klass
    assert klass >= (Class.A, Class.B, Class.D)[len(frozen)]
