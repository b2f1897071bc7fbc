"""The storage's decisions in simulated time: random faults, and the planted defects that the judgement must notice."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.replica.mirror import node
from lab.replica.mirror.flow import Flow
from lab.replica.path.core import Path
from tests.harness.pure.storage_array import Array
from tests.harness.pure.storage_network import Client
from tests.harness.pure.storage_oracle import ViolationError
from tests.harness.pure.storage_world import (
    FAULTS_UNTIL,
    LONGEST,
    TARGETS,
    Fault,
    Schedule,
    World,
    play,
    random_schedule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.replica.mirror.requests import HostWork
    from lab.replica.mirror.store import Swapped
    from lab.replica.path.core import NodeLink
    from tests.harness.pure.storage_nodes import HostMachine

FAULTS = st.one_of(
    [
        st.builds(
            Fault,
            at=st.floats(0.2, FAULTS_UNTIL),
            kind=st.just(kind),
            target=st.sampled_from(targets),
            lasts=st.floats(0.05, LONGEST),
        )
        for kind, targets in TARGETS.items()
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), faults=st.lists(FAULTS, max_size=6))
def test_nothing_acknowledged_is_lost_nothing_stale_is_read_and_the_copies_end_equal(
    seed: int, faults: list[Fault]
) -> None:
    play(Schedule(seed, tuple(faults)))


def test_a_seed_stands_for_one_course_of_events() -> None:
    worlds = [play(random_schedule(358)) for _ in range(2)]
    assert worlds[0].clock.events == worlds[1].clock.events
    assert worlds[0].oracle.done == worlds[1].oracle.done


def room_apart(defect: str) -> Iterator[Schedule]:
    """The room of the active node is cut off for longer than the lease lasts, while a host works there."""
    for seed in range(60):
        yield Schedule(seed, (Fault(1.0, "room apart", "1", 4.7),), frozenset({defect}))


def asleep(defect: str) -> Iterator[Schedule]:
    """The active node sleeps through the end of its lease, with requests half done, and wakes."""
    for seed in range(60):
        yield Schedule(seed, (Fault(0.5 + 0.011 * seed, "node pauses", "svc-1", 4.9),), frozenset({defect}))


def both_arrays(defect: str) -> Iterator[Schedule]:
    """One array loses its power, then the other: what the path sends again is all there is of the last writes."""
    for seed in range(200):
        faults = (
            Fault(1.9, "array loses power", "baie-2", 0.1),
            Fault(2.1, "array loses power", "baie-1", 0.8),
        )
        yield Schedule(seed, faults, frozenset({defect}))


def replaced() -> Iterator[Schedule]:
    """An array is replaced in the middle of what else happens, and half of the time something is ordered anew."""
    for seed in range(150):
        drawn, random = random_schedule(seed), Random(seed)  # noqa: S311 - a simulation
        at = random.uniform(0.3, 3.0)
        more = [Fault(at, "array replaced", "baie-1 baie-3", 0.0)]
        if seed % 2:
            then = random.choice(("baie-3 baie-1", "baie-2 baie-1", "baie-2 baie-3"))
            more.append(Fault(at + random.uniform(0.01, 2.0), "array replaced", then, 0.0))
        yield Schedule(seed, tuple(sorted((*drawn.faults, *more), key=lambda fault: fault.at)))


def handed(count: int, defect: str = "") -> Iterator[Schedule]:
    """A stand-alone volume is taken in, goes back, is taken in again, in the middle of what else happens."""
    for seed in range(count):
        yield random_schedule(seed, frozenset({defect}), "baie-1")


def stale_host() -> Iterator[Schedule]:
    """A host that reaches the array, and no node, loses its session while the volume is ours, which then goes back."""
    for seed in range(60):
        faults = (
            Fault(0.3, "taken in", "volume", 0.0),
            Fault(0.8, "cut", "esx-1 svc-1", 4.0),
            Fault(0.8, "cut", "esx-1 svc-2", 4.0),
            Fault(1.6, "session taken", "host", 0.0),
            Fault(2.2, "let go", "volume", 0.0),
        )
        yield Schedule(seed, faults, alone="baie-1")


def anything(defect: str) -> Iterator[Schedule]:
    for seed in range(400):
        yield random_schedule(seed, frozenset({defect}))


def taken(count: int) -> Iterator[Schedule]:
    """Another host takes the session, while the older one goes on and asks to be let in again."""
    for seed in range(count):
        yield Schedule(seed, (Fault(1.0, "session taken", "host", 0.1),))


def all_dark() -> Iterator[Schedule]:
    """Everything loses its power: what is left is what was made durable."""
    for seed in range(20):
        yield Schedule(seed, (Fault(1.5, "all dark", "both", 0.5),))


def commit(world: World, host: HostMachine) -> None:
    """What a database does: a write and a flush, and nothing more before they are answered."""
    if not host.outstanding:
        atom = world.random.randrange(world.atoms)
        host.write(range(atom, atom + 1))
        host.flush()


def is_noticed(schedules: Iterator[Schedule]) -> bool:
    for schedule in schedules:
        try:
            play(schedule)
        except ViolationError:
            return True
    return False


@pytest.mark.parametrize(
    "defect",
    [
        "skip-second-copy",
        "acknowledge-before-record",
        "no-epoch-check",
        "no-flush",
        "resync-forgets-last-grain",
        "stale-copy-rejoins",
        "retire-before-sync",
    ],
)
def test_a_planted_defect_is_noticed(defect: str) -> None:
    assert is_noticed(chain(room_apart(defect), asleep(defect), anything(defect)))


def test_a_stand_alone_volume_comes_and_goes_and_nothing_is_lost() -> None:
    worlds = [play(schedule) for schedule in handed(150)]
    assert sum(world.replacements["handed"] for world in worlds) > 150
    assert any(world.alone for world in worlds)


def test_a_host_that_is_not_fenced_is_noticed() -> None:
    assert is_noticed(handed(60, "host-not-fenced"))


def bare_after(*faults: Fault) -> float:
    """Seconds without a second copy that the nodes count where only this happens."""
    world = play(Schedule(3, faults))
    return max(node.core.volumes["v"].bare for node in world.nodes.values())


def test_the_time_without_a_second_copy_is_counted_and_a_replaced_array_costs_none() -> None:
    opening = bare_after()
    assert opening < 0.5
    assert bare_after(Fault(1.0, "array loses power", "baie-2", 1.0)) > opening + 1.0
    assert bare_after(Fault(1.0, "array replaced", "baie-2 baie-3", 0.0)) == pytest.approx(opening, abs=0.01)


# Defects that no configuration can plant: a rule of the mirror or of the path is taken away.


def test_a_virtualiser_that_checks_no_session_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_noticed(taken(20))
    monkeypatch.setattr(node, "_unlike", lambda *_: None)
    assert is_noticed(taken(20))


def test_writing_without_marking_first_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = Flow.start

    def start(flow: Flow, work: HostWork, now: float) -> None:
        if work.kind.name == "WRITE":
            flow.send(work, now)
        else:
            careful(flow, work, now)

    monkeypatch.setattr(Flow, "start", start)
    assert is_noticed(chain(asleep(""), anything("")))


def test_a_second_copy_that_counts_before_it_has_everything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Client.swap

    def swap(client: Client, expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        record = json.loads(put.get("volumes/v", "{}"))
        if record.get("outside") is False:
            put = {"volumes/v": json.dumps({**record, "blank": [], "in_sync": record["copies"]})}
        honest(client, expect, put, then)

    monkeypatch.setattr(Client, "swap", swap)
    assert is_noticed(handed(60))


def test_an_array_that_does_not_hear_which_host_is_the_newest_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def present(array: Array, number: int) -> None:  # noqa: ARG001 - that is the defect
        if array.answers and not any(session.open for session in array.sessions):
            array.newest = 0

    assert not is_noticed(stale_host())
    monkeypatch.setattr(Array, "present", present)
    assert is_noticed(stale_host())


def test_a_path_that_sends_nothing_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = Path.offered

    def forgetful(path: Path, link: NodeLink, node: str, epoch: int) -> bool:
        for job in [job for job in path._kept if job.answered]:  # noqa: SLF001 - the rule is inside
            path._drop(job)  # noqa: SLF001 - the same
        return offered(path, link, node, epoch)

    monkeypatch.setattr(Path, "offered", forgetful)
    assert is_noticed(both_arrays(""))


def test_a_mirror_that_lets_a_durable_write_wait_in_a_cache_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = Flow.send
    monkeypatch.setattr(World, "_one", commit)
    assert not is_noticed(all_dark())

    def send(flow: Flow, work: HostWork, now: float) -> None:
        work.fua = False
        careful(flow, work, now)

    monkeypatch.setattr(Flow, "send", send)
    assert is_noticed(all_dark())


def test_reads_that_overtake_held_writes_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flow, "_held_before", lambda _flow, _work: False)
    assert is_noticed(both_arrays(""))


# Courses of events that a random schedule has found, or that must not depend on luck.


def quiet_world(*faults: Fault, seed: int = 1) -> World:
    return play(Schedule(seed, faults))


def test_a_quiet_world_has_one_owner() -> None:
    world = quiet_world()
    assert [*world.oracle.speakers.values()] == ["svc-1"]
    assert world.comparisons["identical"] == 1


def test_a_planned_stop_hands_over() -> None:
    world = quiet_world(Fault(1.0, "node stops", "svc-1", 3.0))
    assert [*world.oracle.speakers.values()][:2] == ["svc-1", "svc-2"]


def test_a_resync_that_was_cut_short_does_not_go_on_in_the_next_session() -> None:
    play(random_schedule(674))


def test_an_array_is_replaced_whatever_else_happens() -> None:
    ends = Counter(tuple(play(schedule).holders()) for schedule in replaced())
    assert ends["baie-2", "baie-3"] > ends["baie-1", "baie-2"] > 0, "some were turned back, or refused"


def test_an_array_that_has_gone_holds_nothing_up() -> None:
    world = quiet_world(
        Fault(0.5, "array replaced", "baie-1 baie-3", 0.0),
        Fault(2.0, "array loses power", "baie-1", LONGEST),
        Fault(2.5, "node stops", "svc-1", 1.0),
    )
    assert world.holders() == ["baie-2", "baie-3"]
    assert world.replacements == {"ordered": 1}


def test_a_volume_that_gets_a_copy_while_it_is_compared_is_served_on() -> None:
    ordered = 0
    for milliseconds in range(1, 30):
        faults = (
            Fault(1.0, "verify", "volume", 0.0),
            Fault(1.0 + milliseconds / 1000, "array replaced", "baie-1 baie-3", 0.0),
        )
        world = quiet_world(*faults, seed=milliseconds)
        ordered += world.replacements["ordered"]
        # Arbiters lose one answer in a hundred: the order is then refused, and nothing has changed.
        assert world.holders() == (["baie-2", "baie-3"] if world.replacements["ordered"] else ["baie-1", "baie-2"])
    assert ordered > 20
