"""From the lanes of the measure to what a timeline draws: stretches of one state. Pure.

What is slow or interrupted is decided by `lab.measure`, so that a figure cannot disagree with its verdict.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from lab.measure import lanes as measured
from lab.measure.lanes import INTERRUPTED, SERVED, SLOW, SLOW_OPERATION_NS
from reports.model import Lane, Span, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.measure import History
    from lab.measure import Lane as Measured

    Wait = tuple[int, int]
    Run = tuple[int, int, State]
    Relief = Mapping[tuple[str, str], Sequence[int]]

NANO = 1_000_000_000
BUCKET = NANO // 100
"""Nanoseconds a bucket covers: the pulse's own grid of 10 ms, so that no coarser grid smears two of its beats."""

MOST_LANES = 8
"""More than these and the wards' pulses share one lane: the figure must be read on half a page."""

ORDER = ("pulse", "pulse-kept", "read-record", "list-prescriptions", "record-act", "prescribe", "sign-in")

HOLD = 2 * NANO // BUCKET
"""Buckets for which an answer still speaks when no other follows. Beyond, nothing is drawn."""


_BAD = {State.SERVED: 1, State.SLOW: 2, State.INTERRUPTED: 3}
_STATES = dict(zip(_BAD.values(), _BAD, strict=True))
_ALIKE = re.compile(rb"([\1-\3])\1*")
"""A row of neighbouring buckets of one state; nothing is known of a bucket of 0."""


def lanes_of(history: History, origin_ns: int) -> tuple[Lane, ...]:
    """Return the lanes of a history: pulses, then the journeys of all wards in the order of a clinician's day."""
    together: dict[tuple[str, str | None], list[Measured]] = defaultdict(list)
    seen = measured(history, BUCKET)
    journeys = {one.journey for one in seen}
    apart = len(journeys) - 1 + sum(one.journey == "pulse" for one in seen) <= MOST_LANES
    for one in seen:
        together[one.journey, one.ward if apart and one.journey == "pulse" else None].append(one)
    relief = _relief(history, seen)
    waits = _waits(history, seen[0].start_ns if seen else 0)
    lanes = (
        Lane(journey, ward, _spans(group, origin_ns, relief, waits[journey]))
        for (journey, ward), group in together.items()
    )
    return tuple(sorted(lanes, key=_rank))


def grained(spans: Iterable[Span], start: float, end: float, grain: float) -> tuple[Span, ...]:
    """Return the spans on a grid of cells, each cell as bad as the worst instant in it.

    An outage shorter than a cell fills the cell: what is drawn may be longer than what was, never absent.
    """
    count = max(1, round((end - start) / grain))
    runs = ((int((span.start - start) / grain + 1e-6), _ceil((span.end - start) / grain), span.state) for span in spans)
    return tuple(_joined(_painted(count, runs), start, grain))


def _ceil(value: float) -> int:
    return -int(-(value - 1e-6) // 1)


def _rank(lane: Lane) -> tuple[int, str, str]:
    known = ORDER.index(lane.journey) if lane.journey in ORDER else len(ORDER)
    return known, lane.journey, lane.ward or ""


def _spans(group: Sequence[Measured], origin_ns: int, relief: Relief, waits: Sequence[Wait]) -> tuple[Span, ...]:
    """Lay the wards of a journey over one another; where they differ the worst is shown."""
    seen = max(_end(lane.cells) for lane in group)
    runs: list[Run] = [(first, last, State.SLOW) for first, last in waits]
    for lane in group:
        runs += _held(lane.cells, relief[lane.ward, lane.journey])
    states = _painted(max([seen, *(last for _, last in waits)]), runs)
    for _, last in waits:
        for index in range(last, min(last + HOLD, seen)):
            states[index] = states[index] or _BAD[State.SERVED]
            if states[index] != _BAD[State.SERVED]:
                break
    return tuple(_joined(states, (group[0].start_ns - origin_ns) / NANO, BUCKET / NANO))


def _end(cells: Mapping[int, int]) -> int:
    return next(reversed(cells)) + 1


def _held(cells: Mapping[int, int], relief: Sequence[int]) -> Iterator[Run]:
    """Let each bucket speak for the empty ones after it, an interruption until its ward finds relief."""
    end = _end(cells)
    run = 0, 0, State.SERVED
    for (index, cell), other in zip(cells.items(), [*islice(cells, 1, None), end], strict=True):
        state, until = State.SERVED, index + HOLD
        if cell & INTERRUPTED:
            after = bisect_right(relief, index)
            state, until = State.INTERRUPTED, relief[after] if after < len(relief) else end
        elif cell & SLOW:
            state, until = State.SLOW, index + 1
        if state is not run[2] or index != run[1]:
            yield run
            run = index, index, state
        run = run[0], min(until, other), state
    yield run


def _waits(history: History, start_ns: int) -> dict[str, list[Wait]]:
    """Return, by journey, the buckets during which a user waited for a late answer: from intention to answer.

    The measure puts an operation where it was meant to start; a clinician lives through the whole wait.
    """
    patience = history.patience_ns
    waits: dict[str, list[Wait]] = defaultdict(list)
    for operation in history.operations:
        if operation.latency_ns > SLOW_OPERATION_NS and operation.served(patience):
            begun, answered = operation.intended_ns - start_ns, operation.end_ns - start_ns
            waits[operation.journey].append((begun // BUCKET, -(-answered // BUCKET)))
    return waits


def _relief(history: History, seen: Iterable[Measured]) -> Relief:
    """Return, by ward and journey, the buckets in which an interruption of it can end.

    As in the measure: an operation of the same kind (read or write) is served, because a rare journey only comes
    back seconds after the service did. A pulse waits for its own.
    """
    kinds = {operation.journey: operation.kind for operation in history.operations}
    served: dict[tuple[str, str], set[int]] = defaultdict(set)
    lanes = list(seen)
    for lane in lanes:
        good = (index for index, cell in lane.cells.items() if cell & (SERVED | SLOW))
        served[lane.ward, kinds.get(lane.journey, lane.journey)].update(good)
    return {
        (lane.ward, lane.journey): tuple(sorted(served[lane.ward, kinds.get(lane.journey, lane.journey)]))
        for lane in lanes
    }


def _painted(count: int, runs: Iterable[Run]) -> bytearray:
    """Return a row of buckets, each as bad as the worst run over it."""
    states = bytearray(count)
    for first, last, state in sorted(runs, key=lambda run: _BAD[run[2]]):
        begin, end = max(first, 0), min(last, count)
        if begin < end:
            states[begin:end] = bytes([_BAD[state]]) * (end - begin)
    return states


def _joined(states: bytearray, origin: float, step: float) -> Iterator[Span]:
    """Yield a span for each row of neighbouring buckets of one state, laid from an origin on in steps of seconds."""
    for row in _ALIKE.finditer(states):
        yield Span(origin + row.start() * step, origin + row.end() * step, _STATES[row[0][0]])
