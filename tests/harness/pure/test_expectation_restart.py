"""What HA is expected to do: where a lone server is started again, by which rule, after how long, and why it is not."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.expectation import Class, expect, storage
from lab.plan import NodeKind, Plan, PlanError, Rule, Scope, load, loads, shipped

TINY_TEXT = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")
TINY, ZERO, PCA = load("tiny"), load("zero"), load("pca-2012")
MUST = loads(TINY_TEXT.replace("rule: should", "rule: must"))
STOP = loads(TINY_TEXT.replace("isolation_response: leave on", "isolation_response: stop"))
FIXED = settings(derandomize=True, deadline=None, max_examples=100)

EXAMPLES = {
    # What is lost: the class of imaging, and a part of the reason.
    "nothing": ((), "A", "transparent"),
    "another host": (("esx-11",), "A", "transparent"),
    "its host": (("esx-21",), "C", "HA restarts imagerie, for instance on esx-11, outside salle-2"),
    "its room": (("salle-2",), "C", "(host-dead 18 s + boot 15 s, divided by 3)"),
    "the server itself": (("imagerie",), "C", "for instance on esx-21: imagerie stops for about 44.7 s (guest-monitor"),
    "its volume, where it runs": (
        ("imagerie/esx-21",),
        "C",
        "outside salle-2 (the rule says should): imagerie stops for about 5 s (pdl 0 s + boot 15 s, divided by 3)",
    ),
    "its volume, where it does not run": (("imagerie/esx-11",), "A", "transparent"),
    "its volume, everywhere": (
        ("imagerie/esx-11", "imagerie/esx-21"),
        "D",
        "esx-21 may not see imagerie's volume and no host left sees its volume",
    ),
    "the storage parted: it is frozen, then moved": (
        ("fibre-a/storage", "fibre-b/storage"),
        "C",
        "(apd 140 s + vmcp 180 s + boot 15 s, divided by 3)",
    ),
    "everything parted, heard through the witness": (("fibre-a", "fibre-b"), "C", "(apd 140 s + vmcp 180 s"),
    "its host off everything but the wards": (
        ("sw-storage-2", "sw-management-2"),
        "C",
        "imagerie stops for about 11 s (host-dead 18 s + boot 15 s, divided by 3).",
    ),
    "the virtualiser that serves": (("svc-1",), "B", "stands still for 2.6 s"),
    "an array": (("baie-1",), "A", "answers in time"),
    "its host and the witness": (("esx-21", "quorum"), "C", "HA restarts imagerie"),
    "its room and the witness": (("salle-2", "quorum"), "D", "and the arbiters have no majority"),
    "its room and the other array": (("salle-2", "baie-1"), "D", "and every array is lost"),
    "both hosts": (("esx-11", "esx-21"), "D", "imagerie is lost with esx-21 and no host is left"),
    "its host, and the storage of the other": (
        ("esx-21", "esx-11/sw-storage-1"),
        "D",
        "and no host left sees its volume",
    ),
    "its host, and the arbiters for the other": (
        ("esx-21", "esx-11/sw-management-1"),
        "D",
        "and no host left reaches the arbiters",
    ),
    "its host, and the wards of the other": (
        ("esx-21", "rocade-1"),
        "D",
        "and no host that the wards reach can take it",
    ),
}


@pytest.mark.parametrize(("lost", "letter", "said"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_what_a_lone_server_beside_a_pair_is_expected_to_do(lost: tuple[str, ...], letter: str, said: str) -> None:
    prediction = expect(TINY, "imagerie", frozenset(lost))
    assert prediction.klass == letter
    assert said in prediction.reason


def test_a_restart_is_told_in_both_languages() -> None:
    prediction = expect(TINY, "imagerie", frozenset({"esx-21"}))

    assert prediction.outage == timedelta(seconds=11)
    assert prediction.reason == (
        "HA restarts imagerie, for instance on esx-11, outside salle-2 (the rule says should): "
        "imagerie stops for about 11 s (host-dead 18 s + boot 15 s, divided by 3)."
    )
    assert prediction.sentence_fr == (
        "La haute disponibilité redémarre imagerie, par exemple sur esx-11, hors de salle-2 (la règle dit should) : "
        "imagerie s'arrête environ 11 s (host-dead 18 s + boot 15 s, divisés par 3)."
    )


def test_a_server_stays_in_its_room_if_a_host_is_left_there() -> None:
    prediction = expect(ZERO, "imagerie", frozenset({"esx-22"}))
    assert "for instance on esx-21: imagerie stops" in prediction.reason


def test_an_outage_without_its_timers_is_not_derived() -> None:
    bare = loads(TINY_TEXT.replace("  host-dead: ", "  host-lost: "))
    prediction = expect(bare, "imagerie", frozenset({"esx-21"}))

    assert (prediction.klass, prediction.outage) == (Class.C, None)
    assert prediction.reason.endswith("imagerie stops meanwhile.")


def test_a_rule_that_must_be_kept_leaves_the_decision_to_a_human() -> None:
    prediction = expect(MUST, "imagerie", frozenset({"salle-2"}))

    assert prediction.klass is Class.D
    assert prediction.reason == (
        "imagerie is lost with esx-21 and the rule says that it must stay in salle-2: "
        "imagerie stops until somebody decides."
    )
    assert expect(MUST, "dopasoins", frozenset({"salle-2"})).klass is Class.B


def test_an_isolated_host_stops_its_servers_if_the_plan_says_so() -> None:
    lost = frozenset({"esx-21/sw-management-2"})

    assert expect(TINY, "imagerie", lost).klass is Class.A
    stopped = expect(STOP, "imagerie", lost)
    assert stopped.klass is Class.C
    assert "(isolation-response 60 s + boot 15 s, divided by 3)" in stopped.reason
    pair = expect(STOP, "dopasoins", lost)
    assert pair.klass is Class.B
    assert pair.reason.startswith("dopasoins-2 is stopped by esx-21, isolated; ")


def test_a_wrong_isolation_address_stops_the_room_that_is_left() -> None:
    wrong = loads(
        TINY_TEXT.replace("isolation_response: leave on", "isolation_response: stop, isolation_addresses: [svc-1]")
    )

    assert expect(STOP, "dopasoins", frozenset({"salle-1"})).klass is Class.B
    left = expect(wrong, "dopasoins", frozenset({"salle-1"}))
    assert left.klass is Class.D
    alone = expect(wrong, "imagerie", frozenset({"salle-1"}))
    assert alone.reason == (
        "imagerie is stopped by esx-21, isolated and every host left takes itself for isolated: "
        "imagerie stops until somebody decides."
    )
    assert expect(wrong, "imagerie", frozenset({"esx-11"})).klass is Class.A, "an address answers"


def test_where_servers_run_now_decides() -> None:
    moved = {"imagerie": "esx-11"}

    assert expect(TINY, "imagerie", frozenset({"esx-21"}), placement=moved).klass is Class.A
    lost = expect(TINY, "imagerie", frozenset({"esx-11"}), placement=moved)
    assert lost.klass is Class.C
    assert "for instance on esx-21: " in lost.reason, "home again"
    assert tuple(storage(TINY, frozenset({"fibre-a", "fibre-b"}), placement=moved).frozen) == ("dopasoins-2",)


def test_two_members_on_one_host_are_lost_together() -> None:
    together = {"dopasoins-1": "esx-21"}

    assert expect(TINY, "dopasoins", frozenset({"esx-21"}), placement=together).klass is Class.D
    assert expect(TINY, "dopasoins", frozenset({"esx-11"}), placement=together).klass is Class.A


@pytest.mark.parametrize("placement", [{"imageri": "esx-11"}, {"imagerie": "esx-1"}, {"imagerie": "baie-1"}])
def test_a_placement_names_servers_and_hosts(placement: dict[str, str]) -> None:
    with pytest.raises(PlanError, match=r"did you mean|known: esx-11, esx-21"):
        expect(TINY, "imagerie", placement=placement)


@pytest.mark.parametrize("asked", ["dopasoins", "imagerie"])
@pytest.mark.parametrize("host", ["esx-11", "esx-12", "esx-21", "esx-22"])
def test_the_plan_of_2012_restarts_what_it_promised_to_keep_running(asked: str, host: str) -> None:
    (server,) = PCA.services[asked].runs_on
    prediction = expect(PCA, asked, frozenset({host}))

    assert prediction.klass is (Class.C if PCA.host_of(server) == host else Class.A)
    promised = PCA.services["dopasoins"].objectives
    assert {promised[Scope.ONE_COMPONENT].interruption, promised[Scope.A_ROOM].interruption} == {timedelta()}


PLANS = [load(name) for name in shipped()]


def hosts(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]


@FIXED
@given(st.data())
def test_a_lone_server_on_a_host_that_lives_and_works_is_not_restarted(data: st.DataObject) -> None:
    plan = data.draw(st.sampled_from(PLANS))
    now = data.draw(st.sampled_from(hosts(plan)))
    lost = data.draw(st.frozensets(st.sampled_from([host for host in hosts(plan) if host != now])))
    assert expect(plan, "imagerie", lost, placement={"imagerie": now}).klass is Class.A


@FIXED
@given(st.data())
def test_a_lone_server_is_restarted_elsewhere_while_one_host_is_left(data: st.DataObject) -> None:
    plan = data.draw(st.sampled_from([plan for plan in PLANS if plan.ha.rule is not Rule.MUST]))
    now = data.draw(st.sampled_from(hosts(plan)))
    left = data.draw(st.sampled_from([host for host in hosts(plan) if host != now]))
    prediction = expect(plan, "imagerie", frozenset(hosts(plan)) - {left}, placement={"imagerie": now})
    assert prediction.klass is Class.C
    assert f"for instance on {left}" in prediction.reason
