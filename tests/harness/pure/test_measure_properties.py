"""What holds for every history: an outage is found with its length, and the order of lines means nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.measure import History, Operation, Outcome, Readback, Verdict, judge
from lab.measure.interruption import interruptions
from lab.measure.records import FOREVER_NS

MS = 1_000_000
PULSE_MS = 10
OPERATION_MS = 100
LENGTH_MS = 5_000


@dataclass(frozen=True)
class Promise:
    """What the plan of these tests promises."""

    interruption: timedelta | None = timedelta()
    freeze: timedelta | None = timedelta(seconds=5)
    loss: int | None = 0


def history(out_from: int, out_to: int) -> list[str]:
    """A ward that looks for five seconds at a service which is out for part of them (all in ms)."""

    def row(at: int, **more: object) -> str:
        outcome = "failed" if out_from <= at < out_to else "ok"
        return json.dumps({"w": "cardiologie", "t": at * MS, "e": (at + 1) * MS, "o": outcome, **more})

    frame: list[dict[str, object]] = [
        {"k": "start", "v": 1, "writer": "pulse@cardiologie", "t": 0, "interval_ns": PULSE_MS * MS},
        {"k": "start", "v": 1, "writer": "journeys@cardiologie", "t": 0, "patience_ns": 10_000 * MS},
        {"k": "end", "writer": "pulse@cardiologie", "t": LENGTH_MS * MS},
        {"k": "end", "writer": "journeys@cardiologie", "t": LENGTH_MS * MS},
    ]
    return [
        *(json.dumps(line) for line in frame),
        *(row(at, k="pulse", s=at * MS, c="new", why=None, x=f"p{at}", m=None) for at in range(0, LENGTH_MS, PULSE_MS)),
        *(
            row(at, k="op", op=f"o{at}", j="read-record", a="read", key=None, n=1)
            for at in range(0, LENGTH_MS, OPERATION_MS)
        ),
    ]


def verdict(lines: list[str]) -> Verdict:
    trail = frozenset(f"p{at}" for at in range(0, LENGTH_MS, PULSE_MS))
    readback = Readback({"dopasoins-1": {"acts": {}}}, trail)
    return judge(History.parse(lines), readback, Promise(), scenario="x", service="dopasoins")


# A loaded machine is slow, and that is no defect of a pure function.
on_any_machine = settings(deadline=None)
outages = st.tuples(st.integers(1, 3_000), st.integers(0, 1_800)).map(lambda o: (o[0], o[0] + o[1]))


@on_any_machine
@given(outages)
def test_the_pulse_finds_an_outage_within_one_interval(outage: tuple[int, int]) -> None:
    begin, end = outage
    seen = verdict(history(begin, end)).interruption_without_retries

    assert abs(seen - timedelta(milliseconds=end - begin)) <= timedelta(milliseconds=PULSE_MS)


@on_any_machine
@given(outages)
def test_operations_find_an_outage_within_one_interval(outage: tuple[int, int]) -> None:
    begin, end = outage
    seen = verdict(history(begin, end))

    assert abs(seen.interruption - timedelta(milliseconds=end - begin)) <= timedelta(milliseconds=OPERATION_MS)
    assert (seen.verdict is Outcome.NOT_MET) == (seen.operations_failed > 0)


@on_any_machine
@given(outages, st.integers(0, 2**32))
def test_shuffled_lines_give_the_same_verdict(outage: tuple[int, int], seed: int) -> None:
    lines = history(*outage)
    shuffled = list(lines)
    Random(seed).shuffle(shuffled)  # noqa: S311 - an order, not a secret

    assert verdict(shuffled) == verdict(lines)


@on_any_machine
@given(outages, st.integers(0, 400))
def test_a_pulse_attempt_that_is_left_out_is_noticed(outage: tuple[int, int], hole: int) -> None:
    lines = history(*outage)
    pulses = [line for line in lines if '"k": "pulse"' in line]
    lines.remove(pulses[1 + hole])

    assert verdict(lines).verdict is Outcome.INCONCLUSIVE


def operation(at: int, who: int, outcome: str) -> Operation:
    """One of two wards' reads and writes, in three journeys."""
    journey, kind = (("read-record", "read"), ("list-prescriptions", "read"), ("record-act", "write"))[who % 3]
    return Operation(f"o{at}-{who}", ("cardiologie", "urgences")[who // 3], journey, kind, None, at, at + 1, outcome, 1)


def told_plainly(operations: list[Operation], last: int) -> list[tuple[int, int]]:
    """The definition at the head of `interruptions`, looked up anew for each failure; not merged."""
    found = []
    for bad in (op for op in operations if op.outcome != "ok"):
        own = [op for op in operations if (op.ward, op.journey) == (bad.ward, bad.journey)]
        good = [op.intended_ns for op in own if op.outcome == "ok"]
        before = max((at for at in good if at <= bad.intended_ns), default=-1)
        after = min((at for at in good if at > bad.intended_ns), default=FOREVER_NS)
        run = [op.intended_ns for op in own if op.outcome != "ok" and before <= op.intended_ns < after]
        closing = [
            op.intended_ns
            for op in operations
            if op.outcome == "ok" and (op.ward, op.kind) == (bad.ward, bad.kind) and op.intended_ns > max(run)
        ]
        found.append((min(run), min(closing, default=last)))
    return found


@on_any_machine
@given(st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 5)), st.sampled_from(("ok", "ok", "failed"))))
def test_interruptions_are_what_their_definition_says(lived: dict[tuple[int, int], str]) -> None:
    operations = [operation(*when, outcome) for when, outcome in lived.items()]
    served = [op for op in operations if op.outcome == "ok"]
    unserved = [op for op in operations if op.outcome != "ok"]

    seen = interruptions(served, unserved, 99)

    covered = {at for span in seen for at in range(span.start_ns, span.end_ns)}
    assert covered == {at for first, last in told_plainly(operations, 99) for at in range(first, last)}
    assert all(one.end_ns < other.start_ns for one, other in pairwise(seen))
