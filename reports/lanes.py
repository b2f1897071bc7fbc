"""From the lanes of the measure to what a timeline draws: stretches of one state. Pure.

What is slow or interrupted is decided by `lab.measure`, so that a figure cannot disagree with its verdict.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.measure import lanes as measured
from lab.measure.lanes import SLOW_OPERATION_NS
from reports.model import Lane, Span, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.measure import Cell, History
    from lab.measure import Lane as Measured

    Wait = tuple[int, int]
    Relief = Mapping[tuple[str, str], Sequence[int]]

NANO = 1_000_000_000
BUCKET = NANO // 100
"""Nanoseconds a bucket covers: the pulse's own grid of 10 ms, so that no coarser grid smears two of its beats."""

MOST_LANES = 8
"""More than these and the wards' pulses share one lane: the figure must be read on half a page."""

ORDER = ("pulse", "pulse-kept", "read-record", "list-prescriptions", "record-act", "prescribe", "sign-in")

HOLD = 2 * NANO // BUCKET
"""Buckets for which an answer still speaks when no other follows. Beyond, nothing is drawn."""


_BAD = {State.SERVED: 0, State.SLOW: 1, State.INTERRUPTED: 2}


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
    cells: dict[int, State] = {}
    for span in spans:
        first, last = (span.start - start) / grain, (span.end - start) / grain
        for cell in range(max(0, int(first + 1e-6)), min(count, _ceil(last))):
            cells[cell] = max(cells.get(cell, State.SERVED), span.state, key=_BAD.__getitem__)
    return tuple(_joined(cells, start, grain))


def _ceil(value: float) -> int:
    return -int(-(value - 1e-6) // 1)


def _rank(lane: Lane) -> tuple[int, str, str]:
    known = ORDER.index(lane.journey) if lane.journey in ORDER else len(ORDER)
    return known, lane.journey, lane.ward or ""


def _spans(group: Sequence[Measured], origin_ns: int, relief: Relief, waits: Sequence[Wait]) -> tuple[Span, ...]:
    """Lay the wards of a journey over one another; where they differ the worst is shown."""
    states: dict[int, State] = {}
    for first, last in waits:
        states.update(dict.fromkeys(range(first, last), State.SLOW))
    for lane in group:
        for index, state in _held(lane.cells, relief[lane.ward, lane.journey]):
            if index not in states or _BAD[state] > _BAD[states[index]]:
                states[index] = state
    seen = max(len(lane.cells) for lane in group)
    for _, last in waits:
        for index in range(last, min(last + HOLD, seen)):
            if states.setdefault(index, State.SERVED) is not State.SERVED:
                break
    return tuple(_joined(states, (group[0].start_ns - origin_ns) / NANO, BUCKET / NANO))


def _held(cells: Sequence[Cell], relief: Sequence[int]) -> Iterator[tuple[int, State]]:
    """Let each bucket speak for the empty ones after it, an interruption until its ward finds relief."""
    state, until = State.SERVED, 0
    for index, (served, slowed, interrupted) in enumerate(cells):
        if interrupted:
            after = bisect_right(relief, index)
            state, until = State.INTERRUPTED, relief[after] if after < len(relief) else len(cells)
        elif slowed:
            state, until = State.SLOW, index + 1
        elif served:
            state, until = State.SERVED, index + HOLD
        if index < until:
            yield index, state


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
        good = (index for index, cell in enumerate(lane.cells) if cell.served or cell.slow)
        served[lane.ward, kinds.get(lane.journey, lane.journey)].update(good)
    return {
        (lane.ward, lane.journey): tuple(sorted(served[lane.ward, kinds.get(lane.journey, lane.journey)]))
        for lane in lanes
    }


def _joined(cells: Mapping[int, State], origin: float, step: float) -> Iterator[Span]:
    """Yield a span for each row of neighbouring cells of one state, laid from an origin on in steps of seconds."""
    row: list[int] = []
    for cell in sorted(cells):
        if row and (cell != row[-1] + 1 or cells[cell] is not cells[row[0]]):
            yield Span(origin + row[0] * step, origin + (row[-1] + 1) * step, cells[row[0]])
            row.clear()
        row.append(cell)
    if row:
        yield Span(origin + row[0] * step, origin + (row[-1] + 1) * step, cells[row[0]])
