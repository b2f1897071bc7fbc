"""What each instrument saw, bucket by bucket: the timelines of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .records import OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .history import History

# Nielsen, Usability Engineering (1993), ch. 5: up to 0.1 s feels instantaneous, from 1 s on the thought is
# interrupted.
SLOW_PROBE_NS = 100_000_000
SLOW_OPERATION_NS = 1_000_000_000


class Cell(NamedTuple):
    """How many attempts or operations, by intended start, were served, served slowly, or not served."""

    served: int = 0
    slow: int = 0
    interrupted: int = 0


@dataclass(frozen=True)
class Lane:
    """What one instrument saw from one ward.

    Args:
        journey: `pulse`, `pulse-kept`, or a journey's name.
        ward: the ward.
        start_ns: monotonic instant at which the first bucket begins, the same for all lanes of a history.
        bucket_ns: length of a bucket.
        cells: by number, in order, the buckets in which something was meant to start; at least one.
    """

    journey: str
    ward: str
    start_ns: int
    bucket_ns: int
    cells: Mapping[int, Cell]


def lanes(history: History, bucket_ns: int) -> tuple[Lane, ...]:
    """The lanes of a history, pulses first, then journeys by name; none when it is empty."""
    marks = tuple(_marks(history))
    start_ns = min((intended for _, _, intended, _ in marks), default=0)
    counts: dict[tuple[str, str], dict[int, list[int]]] = {}
    for journey, ward, intended, state in marks:
        buckets = counts.setdefault((journey, ward), {})
        buckets.setdefault((intended - start_ns) // bucket_ns, [0, 0, 0])[state] += 1
    order = sorted(counts, key=lambda lane: (not lane[0].startswith("pulse"), *lane))
    return tuple(Lane(*lane, start_ns, bucket_ns, _cells(counts[lane])) for lane in order)


def _marks(history: History) -> Iterator[tuple[str, str, int, int]]:
    """Journey, ward, intended start and state (an index into Cell) of everything that was tried."""
    for probe in history.probes:
        late = probe.end_ns - probe.intended_ns > SLOW_PROBE_NS
        journey = "pulse" if probe.connection == "new" else "pulse-kept"
        yield journey, probe.ward, probe.intended_ns, int(late) if probe.outcome == OK else 2
    patience = history.patience_ns
    for operation in history.operations:
        late = operation.latency_ns > SLOW_OPERATION_NS
        yield (
            operation.journey,
            operation.ward,
            operation.intended_ns,
            int(late) if operation.served(patience) else 2,
        )


def _cells(buckets: dict[int, list[int]]) -> dict[int, Cell]:
    return {at: Cell(*buckets[at]) for at in sorted(buckets)}
