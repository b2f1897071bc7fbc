"""The outbox of room three: no acknowledged act is missing after catch-up, order is kept, each arrives once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lab.replica.outbox.core import (
    ACKNOWLEDGE_FIRST,
    BATCH,
    RETRY,
    SKIP,
    WAIT,
    Deliver,
    Forget,
    Outbox,
    Read,
    Rest,
    Row,
    Unprotected,
)

BOOT = 1.0  # seconds that an application needs at least to come back; longer than WAIT


@dataclass
class Writer:
    """A clinician's write under way."""

    seq: int
    begun: int
    committed: bool = False
    deadline: float | None = None
    freed: bool = False
    """Whether the breaker opened while it waited: it waits for nothing more, and may hear of it late."""


@dataclass
class Act:
    """A committed act: when its writing began, and when its clinician was answered."""

    begun: int
    at: float
    answered: int | None = None


class Rooms(RuleBasedStateMachine):
    """Writers, one application's outbox and its table, and a room three that answers, refuses, or is not heard."""

    defects: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.events = 0
        self.seq = 0
        self.table: dict[int, float] = {}
        self.acts: dict[int, Act] = {}
        self.room: list[int] = []
        self.writers: list[Writer] = []
        self.core = Outbox(self.defects)
        self.knows_all = True
        self.reading: list[Row] | None = None
        self.delivering: tuple[Row, ...] | None = None
        self.arrived = False

    def _event(self) -> int:
        self.events += 1
        return self.events

    # -- writers

    @rule()
    def begin(self) -> None:
        self.seq += 1
        self.writers.append(Writer(self.seq, self._event()))

    @precondition(lambda self: any(not w.committed for w in self.writers))
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        writer = data.draw(st.sampled_from([w for w in self.writers if not w.committed]))
        writer.committed = True
        self.table[writer.seq] = self.now
        self.acts[writer.seq] = Act(writer.begun, self.now)

    @precondition(lambda self: any(w.committed and w.deadline is None for w in self.writers))
    @rule(data=st.data())
    def say_committed(self, data: st.DataObject) -> None:
        writer = data.draw(st.sampled_from([w for w in self.writers if w.committed and w.deadline is None]))
        writer.deadline = self.core.committed(Row(writer.seq, "act", ""), self.now)
        if writer.deadline is None:
            self._answer(writer)
        else:
            assert writer.deadline <= self.now + WAIT

    @precondition(lambda self: any(w.deadline is not None for w in self.writers))
    @rule()
    def answer(self) -> None:
        for writer in [w for w in self.writers if w.deadline is not None]:
            if writer.deadline is not None and self.now >= writer.deadline:
                self.core.expired(writer.seq)
                self._free()
            if self.core.is_delivered(writer.seq):
                self._answer(writer)

    def _answer(self, writer: Writer) -> None:
        self.writers.remove(writer)
        self.acts[writer.seq].answered = self._event()
        if not self.core.is_open and not writer.freed:
            assert writer.seq in self.room, "answered while the breaker is shut, and room three lacks it"

    def _free(self) -> None:
        """The breaker opened. It may be shut before a writer's thread has its turn: room three gave the charge back."""
        for writer in [w for w in self.writers if w.deadline is not None]:
            writer.freed = writer.freed or self.core.is_open

    # -- the sender

    @precondition(lambda self: self.reading is None and self.delivering is None)
    @rule()
    def send(self) -> None:
        match self.core.next(self.now):
            case Read():
                rows = sorted(self.table.items())[:BATCH]
                self.reading = [Row(seq, "act", "", self.now - at) for seq, at in rows]
            case Deliver(rows):
                self.delivering = rows
            case Forget(seqs):
                for seq in seqs:
                    self.table.pop(seq, None)
            case Rest(until):
                assert until > self.now or self.core.next(until) != Rest(until)

    @precondition(lambda self: self.reading is not None)
    @rule()
    def take_reading(self) -> None:
        assert self.reading is not None
        found = self.core.read(self.reading, self.now)
        self.knows_all = self.knows_all or set(self.table) <= {row.seq for row in self.reading}
        self.reading = None
        if isinstance(found, Deliver):
            self.delivering = found.rows

    @precondition(lambda self: self.delivering is not None and not self.arrived)
    @rule()
    def arrive(self) -> None:
        assert self.delivering is not None
        self.room += [row.seq for row in self.delivering if row.seq not in self.room]
        self.arrived = True

    @precondition(lambda self: self.arrived)
    @rule()
    def hear_of_it(self) -> None:
        assert self.delivering is not None
        self.core.delivered(self.delivering, self.now)
        self.delivering, self.arrived = None, False

    @precondition(lambda self: self.delivering is not None)
    @rule()
    def hear_nothing(self) -> None:
        self.core.failed(self.now)
        self._free()
        self.delivering, self.arrived = None, False

    # -- trouble and time

    @rule()
    def resume(self) -> None:
        """Room three gave the charge back."""
        self.core.resume()

    @rule(seconds=st.sampled_from([0.01, 0.2, WAIT, RETRY, 3.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def die(self) -> None:
        """The application is killed: its memory is lost, its clinicians get no answer, the table stays.

        Its next life takes what is older than any wait for answered by the former one. A row that is younger, and was
        answered because the breaker was open, would be found only by an application that is back within that wait.
        """
        self.now += BOOT
        self.core = Outbox(self.defects)
        self.writers.clear()
        self.reading, self.delivering, self.arrived, self.knows_all = None, None, False, False

    @rule()
    def inherit(self) -> None:
        """The twin answered for an act that it could not deliver, and died."""
        self.seq += 1
        self.table[self.seq] = self.now - 5
        self.acts[self.seq] = Act(self._event(), self.now, self._event())
        self.core.stale()
        self.knows_all = False

    # -- what must hold

    @invariant()
    def what_is_missing_is_known(self) -> None:
        missing = [seq for seq, act in self.acts.items() if act.answered and seq not in self.room]
        if missing and self.knows_all:
            assert self.core.unprotected_since() is not None

    @invariant()
    def nothing_arrives_before_what_had_been_answered_when_it_began(self) -> None:
        places = {seq: place for place, seq in enumerate(self.room)}
        for seq, act in self.acts.items():
            for later, place in places.items():
                if act.answered and act.answered < self.acts[later].begun:
                    assert places.get(seq, place) < place, f"{seq} was answered before {later} began; {self.room}"

    def teardown(self) -> None:
        """Room three answers from now on, and time passes."""
        self.writers = [w for w in self.writers if w.committed]
        for _ in range(40 + 2 * len(self.acts)):
            self.now += RETRY
            for writer in [w for w in self.writers if w.deadline is None]:
                writer.deadline = self.core.committed(Row(writer.seq, "act", ""), self.now)
                if writer.deadline is None:
                    self._answer(writer)
            if self.delivering is not None:
                if not self.arrived:
                    self.arrive()
                self.hear_of_it()
            elif self.reading is not None:
                self.take_reading()
            else:
                self.send()
            self.answer()
        assert sorted(self.room) == sorted(self.acts), "after catch-up room three has each act once"
        assert not self.table
        assert not self.core.is_open
        assert self.core.unprotected_since() is None
        assert self.core.lacking == 0


SETTINGS = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def test_no_acknowledged_act_is_missing_and_order_is_kept() -> None:
    run_state_machine_as_test(Rooms, settings=SETTINGS)


@pytest.mark.parametrize("defect", [ACKNOWLEDGE_FIRST, SKIP])
def test_the_search_finds_a_planted_defect(defect: str) -> None:
    machine = type("Defective", (Rooms,), {"defects": frozenset({defect})})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=settings(SETTINGS, derandomize=True))


@dataclass
class Shut:
    """An outbox that has read an empty table."""

    core: Outbox = field(default_factory=Outbox)

    def __post_init__(self) -> None:
        assert isinstance(self.core.next(0), Read)
        assert self.core.read([], 0) is None


def test_one_bounded_wait_when_room_three_dies_and_none_after() -> None:
    core = Shut().core

    deadline = core.committed(Row(1, "act", ""), 10.0)
    assert deadline == 10.0 + WAIT
    core.expired(1)

    assert core.is_delivered(1)
    assert core.committed(Row(2, "act", ""), 11.0) is None
    assert core.unprotected_since() == 10.0
    assert core.lacking == 2


def test_the_time_unprotected_lasts_from_the_first_act_that_lacks_until_room_three_has_all() -> None:
    core = Shut().core
    core.committed(Row(1, "act", ""), 10.0)
    core.failed(10.2)
    core.committed(Row(2, "act", ""), 12.0)

    assert core.next(10.3) == Rest(10.2 + RETRY)
    assert core.next(20.0) == Read()
    rows = (Row(1, "act", "", 10.0), Row(2, "act", "", 8.0))
    assert core.read(rows, 20.0) == Deliver(rows)
    core.delivered(rows, 20.1)
    assert core.next(20.1) == Forget((1, 2))
    assert core.next(20.1) == Read()
    assert core.read([], 20.2) is None

    assert core.periods == [Unprotected(10.0, 20.2, 2)]
    assert not core.is_open


def test_a_writer_that_was_let_go_may_hear_of_it_once_the_breaker_is_shut_again() -> None:
    """Its act is not in room three, and that is known."""
    core = Shut().core
    core.committed(Row(1, "act", ""), 10.0)
    core.failed(10.1)
    core.resume()

    assert not core.is_open
    assert core.is_delivered(1), "it waits no more"
    assert core.unprotected_since() == 10.0
    assert core.lacking == 1


@pytest.mark.parametrize(("age", "since"), [(BOOT, 10.0), (WAIT / 2, None)])
def test_what_a_former_life_left_counts_as_answered_once_it_is_older_than_any_wait(
    age: float, since: float | None
) -> None:
    core = Outbox()
    core.next(10.0 + age)
    core.read([Row(1, "act", "", age)], 10.0 + age)
    assert core.unprotected_since() == since


def test_what_is_written_while_the_last_reading_is_under_way_is_read_too() -> None:
    core = Shut().core
    core.failed(10.0)
    assert core.next(11.0) == Read()
    core.committed(Row(1, "act", ""), 11.1)

    assert core.read([], 11.2) is None
    assert core.is_open
    assert core.next(11.3) == Read()
