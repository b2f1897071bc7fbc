"""Which class a set of failures gives, by example and by law."""

from __future__ import annotations

from importlib import resources
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lab.expectation import Class, expect, smallest_cuts, storage
from lab.plan import PlanError, dumps, load, loads

ZERO = load("zero")
TINY = load("tiny")
TINY_TEXT = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")
FIXED = settings(derandomize=True, deadline=None, max_examples=200)

# The record on one server that only HA protects, as it was in 2012.
ALONE = loads(
    TINY_TEXT[: TINY_TEXT.index("\nha: ")].replace("[esx-11]", "[esx-11, esx-12]")
    + "\nservers: {dopasoins: {continuity: restart, prefers: salle-1, cpu: 2, memory: 8 GiB, boot: 45 s}}"
    + TINY_TEXT[TINY_TEXT.index("\nservices:\n") : TINY_TEXT.index("  imagerie:\n    runs_on")]
    .replace("[dopasoins-1, dopasoins-2]", "[dopasoins]")
    .replace("    arbitrator: quorum\n", "")
    + TINY_TEXT[TINY_TEXT.index("\ntimers:\n") :]
)

# The same with its data on a mirrored volume.
STORED = loads(dumps(ALONE).replace("boot: 45 s", "boot: 45 s, volume: 512 MiB"))

BETWEEN_ROOMS = ("fibre-a", "fibre-b")

EXAMPLES = {
    "nothing": ((), "A"),
    "a host of the pair": (("esx-11",), "B"),
    "another host": (("esx-12",), "A"),
    "a room": (("salle-1",), "B"),
    "the third room": (("ultime-secours",), "B"),
    "both rooms": (("salle-1", "salle-2"), "D"),
    "the arbitrator": (("quorum",), "B"),
    "the arbitrator's only switch": (("sw-servers-3",), "B"),
    "one switch of two": (("sw-servers-1a",), "A"),
    "both switches of a room": (("sw-servers-1a", "sw-servers-1b"), "B"),
    "the preferred room's management switch: its virtualiser loses the arbiters": (("sw-management-1",), "B"),
    "the other room's management switch": (("sw-management-2",), "A"),
    "the witness's management switch": (("sw-management-3",), "A"),
    "one storage switch of two": (("sw-storage-1a",), "A"),
    "both storage switches of a room: its member is frozen": (("sw-storage-1a", "sw-storage-1b"), "B"),
    "both of the other room": (("sw-storage-2a", "sw-storage-2b"), "B"),
    "the third room's storage switch": (("sw-storage-3",), "A"),
    "an array": (("baie-1",), "A"),
    "the other array": (("baie-2",), "A"),
    "both arrays": (("baie-1", "baie-2"), "D"),
    "the virtualiser that serves": (("svc-1",), "B"),
    "the one that stands by": (("svc-2",), "A"),
    "both virtualisers": (("svc-1", "svc-2"), "D"),
    "the virtualiser that serves and its array": (("svc-1", "baie-1"), "B"),
    "the virtualiser that serves and the other's array": (("svc-1", "baie-2"), "B"),
    "an arbiter": (("etcd-1",), "A"),
    "two arbiters": (("etcd-1", "etcd-2"), "D"),
    "every arbiter": (("etcd-1", "etcd-2", "quorum"), "D"),
    "a room and the witness": (("salle-2", "quorum"), "D"),
    "a room and the other room's arbiter": (("salle-2", "etcd-1"), "D"),
    "a room and the other room's array": (("salle-2", "baie-1"), "D"),
    "the rooms apart, and the virtualiser that serves": ((*BETWEEN_ROOMS, "svc-1"), "B"),
    "the rooms apart, and the array of the preferred one": ((*BETWEEN_ROOMS, "baie-1"), "B"),
    "the rooms apart, and the member beside the virtualiser": ((*BETWEEN_ROOMS, "esx-11"), "D"),
    "the rooms apart, and the witness": ((*BETWEEN_ROOMS, "quorum"), "D"),
    "one member frozen, the other lost": (("sw-storage-2a", "sw-storage-2b", "esx-11"), "D"),
    "one cable of two": (("fibre-a",), "A"),
    "both cables between the members, relayed by the arbitrator": (("fibre-a", "fibre-b"), "B"),
    "both cables from a room to the wards": (("rocade-1-a", "rocade-1-b"), "B"),
    "both cables from both rooms to the wards": (("rocade-1-a", "rocade-1-b", "rocade-2-a", "rocade-2-b"), "D"),
    "the rescue node": (("secours",), "A"),
    "one switch of the wards": (("sw-soins-a",), "A"),
    "both switches of the wards": (("sw-soins-a", "sw-soins-b"), "D"),
    "both members": (("esx-11", "esx-21"), "D"),
    "a member itself": (("dopasoins-1",), "B"),
    "a member and the arbitrator: no majority": (("esx-11", "quorum"), "D"),
    "members apart and no arbitrator to relay": (("fibre-a", "fibre-b", "sw-servers-3"), "D"),
    "a member, and the wards of the other": (("esx-11", "rocade-2-a", "rocade-2-b"), "D"),
    "a ward itself": (("cardiologie",), "D"),
}


@pytest.mark.parametrize(("lost", "letter"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_class_of_a_pair(lost: tuple[str, ...], letter: str) -> None:
    assert expect(ZERO, "dopasoins", frozenset(lost)).klass == letter


ALONE_EXAMPLES = {
    "nothing": ((), "A"),
    "its host": (("esx-11",), "C"),
    "its room": (("salle-1",), "C"),
    "another host": (("esx-21",), "A"),
    "every host": (("esx-11", "esx-12", "esx-21"), "D"),
    "its switch, while its host lives: nobody restarts it": (("sw-servers-1",), "D"),
    "its host and the cable to the other room's hosts": (("salle-1", "rocade-2"), "D"),
    "the server itself": (("dopasoins",), "C"),
    "the storage, where it keeps nothing": (("baie-1", "baie-2", "svc-1", "svc-2"), "A"),
    "its host, and no majority to give its session away": (("esx-11", "etcd-2", "quorum"), "D"),
}

STORED_EXAMPLES = {
    "nothing": ((), "A"),
    "its host": (("esx-11",), "C"),
    "its room": (("salle-1",), "C"),
    "an array": (("baie-1",), "A"),
    "the virtualiser that serves": (("svc-1",), "B"),
    "its storage switch: HA restarts it where its volume is seen": (("sw-storage-1",), "C"),
    "the rooms apart: storage stays with it": (BETWEEN_ROOMS, "A"),
    "the rooms apart, and the array beside it": ((*BETWEEN_ROOMS, "baie-1"), "C"),
    "both arrays": (("baie-1", "baie-2"), "D"),
    "two arbiters": (("etcd-1", "etcd-2"), "D"),
    "its storage switch, and every host that could take it": (("sw-storage-1", "esx-21"), "D"),
    "its host, and the only other host's storage": (("esx-11", "esx-12", "sw-storage-2"), "D"),
}


@pytest.mark.parametrize(("lost", "letter"), ALONE_EXAMPLES.values(), ids=ALONE_EXAMPLES.keys())
def test_the_class_of_a_server_that_stands_alone(lost: tuple[str, ...], letter: str) -> None:
    assert expect(ALONE, "dopasoins", frozenset(lost)).klass == letter


@pytest.mark.parametrize(("lost", "letter"), STORED_EXAMPLES.values(), ids=STORED_EXAMPLES.keys())
def test_the_class_of_a_server_with_a_volume(lost: tuple[str, ...], letter: str) -> None:
    assert expect(STORED, "dopasoins", frozenset(lost)).klass == letter


def test_a_server_is_not_restarted_where_it_has_no_room() -> None:
    small = loads(
        TINY_TEXT.replace("runs_on: [dopasoins-1, dopasoins-2]\n    arbitrator: quorum", "runs_on: [dossier]")
        .replace(
            "\nservers:\n",
            "\nservers:\n  dossier: {continuity: restart, prefers: salle-1, cpu: 6, memory: 8 GiB, boot: 45 s}\n"
            "  labo: {continuity: restart, prefers: salle-2, cpu: 1, memory: 8 GiB, boot: 45 s}\n",
        )
        .replace("rule: should", "admission: {cpu: 0 %, memory: 0 %}")
    )
    prediction = expect(small, "dopasoins", frozenset({"esx-11"}))
    assert prediction.klass is Class.D
    assert prediction.reason.startswith("dossier is lost with esx-11 and no host left has room for it: ")


def test_a_server_of_the_rescue_room_is_not_restarted_by_ha() -> None:
    rescue = loads(dumps(ALONE).replace("continuity: restart", "continuity: rescue"))
    assert expect(rescue, "dopasoins", frozenset({"esx-11"})).klass is Class.D


def test_a_prediction_speaks_a_sentence_in_both_languages() -> None:
    prediction = expect(ZERO, "dopasoins", frozenset({"salle-2"}))
    assert prediction.reason == (
        "dopasoins-2 is lost with esx-21; dopasoins goes on through dopasoins-1, after retries."
    )
    assert prediction.sentence_fr == (
        "dopasoins-2 est perdu avec esx-21 ; dopasoins continue par dopasoins-1, au prix de nouvelles tentatives."
    )
    isolated = expect(ZERO, "dopasoins", frozenset({"sw-servers-3"}))
    assert isolated.reason.startswith("quorum is cut off; ")


@pytest.mark.parametrize(("asked", "lost"), [("dopasoin", "salle-1"), ("dopasoins", "sale-1")])
def test_an_unknown_name_lists_the_known_ones(asked: str, lost: str) -> None:
    with pytest.raises(PlanError, match="did you mean"):
        expect(ZERO, asked, frozenset({lost}))


def test_the_smallest_cuts_of_zero() -> None:
    cuts = smallest_cuts(ZERO, "dopasoins")

    assert [cut for cut in cuts if len(cut) == 1] == []
    assert {"sw-soins-a", "sw-soins-b"} in cuts
    assert {"esx-11", "esx-21"} in cuts
    assert {"esx-11", "quorum"} in cuts
    assert {"fibre-a", "fibre-b"} not in cuts


def test_the_smallest_cuts_of_tiny_are_minimal() -> None:
    cuts = smallest_cuts(TINY, "dopasoins")

    assert {"esx-11", "esx-21"} in cuts
    assert not any(one < other for one in cuts for other in cuts)


THINGS = [*ZERO.places, *ZERO.nodes, *ZERO.switches, *ZERO.cables, *ZERO.servers]
PARALLEL = [tuple(c.name for c in ZERO.cables_between(a, b)) for a, b in combinations(ZERO.places, 2)]
losses = st.frozensets(st.sampled_from(THINGS), max_size=6)


@FIXED
@given(losses, losses)
def test_losing_more_never_makes_a_pair_better(some: frozenset[str], more: frozenset[str]) -> None:
    """Unless it moves the storage, which may leave a frozen member for a room that has nobody to serve."""
    assume(storage(ZERO, some | more).active in (storage(ZERO, some).active, None))
    assert expect(ZERO, "dopasoins", some).klass <= expect(ZERO, "dopasoins", some | more).klass


@FIXED
@given(
    st.frozensets(st.sampled_from([*ALONE.rooms, *(n for n in ALONE.nodes if n.startswith("esx"))])),
    st.frozensets(st.sampled_from([*ALONE.rooms, *ALONE.switches, *ALONE.cables])),
)
def test_losing_more_places_never_makes_a_lone_server_better(some: frozenset[str], more: frozenset[str]) -> None:
    assert expect(ALONE, "dopasoins", some).klass <= expect(ALONE, "dopasoins", some | more).klass


@FIXED
@given(st.tuples(*(st.sampled_from((None, *pair)) for pair in PARALLEL)))
def test_one_cable_of_each_pair_may_go_unnoticed(cut: tuple[str | None, ...]) -> None:
    assert expect(ZERO, "dopasoins", frozenset(filter(None, cut))).klass is Class.A


@FIXED
@given(st.sampled_from(smallest_cuts(ZERO, "dopasoins")), losses)
def test_whatever_holds_one_of_the_smallest_cuts_interrupts(cut: frozenset[str], more: frozenset[str]) -> None:
    assert expect(ZERO, "dopasoins", cut | more).klass is Class.D
