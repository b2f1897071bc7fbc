"""What each instrument saw, bucket by bucket: the timelines of a report."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .records import OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .history import History

# Nielsen, Usability Engineering (1993), ch. 5: up to 0.1 s feels instantaneous, from 1 s on the thought is
# interrupted.
SLOW_PROBE_NS = 100_000_000
SLOW_OPERATION_NS = 1_000_000_000


SERVED, SLOW, INTERRUPTED = 1, 2, 4
"""How something went that was meant to start in a bucket."""


@dataclass(frozen=True)
class Lane:
    """What one instrument saw from one ward.

    Args:
        journey: `pulse`, `pulse-kept`, or a journey's name.
        ward: the ward.
        start_ns: monotonic instant at which the first bucket begins, the same for all lanes of a history.
        bucket_ns: length of a bucket.
        cells: the buckets in which something was meant to start, by number and in order, at least one: the sum of
            `SERVED`, `SLOW` and `INTERRUPTED`, each once.
    """

    journey: str
    ward: str
    start_ns: int
    bucket_ns: int
    cells: Mapping[int, int]


def lanes(history: History, bucket_ns: int) -> tuple[Lane, ...]:
    """The lanes of a history, pulses first, then journeys by name; none when it is empty."""
    marks = tuple(_marks(history))
    start_ns = min((mark[1] for mark in marks), default=0)
    cells: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for lane, intended, state in marks:
        seen, bucket = cells[lane], (intended - start_ns) // bucket_ns
        seen[bucket] = seen.get(bucket, 0) | state
    order = sorted(cells, key=lambda lane: (not lane[0].startswith("pulse"), *lane))
    return tuple(Lane(*lane, start_ns, bucket_ns, dict(sorted(cells[lane].items()))) for lane in order)


def _marks(history: History) -> Iterator[tuple[tuple[str, str], int, int]]:
    """Journey and ward, intended start and outcome of everything that was tried."""
    for probe in history.probes:
        late = probe.end_ns - probe.intended_ns > SLOW_PROBE_NS
        state = INTERRUPTED if probe.outcome != OK else SLOW if late else SERVED
        yield ("pulse" if probe.connection == "new" else "pulse-kept", probe.ward), probe.intended_ns, state
    patience = history.patience_ns
    for operation in history.operations:
        late = operation.latency_ns > SLOW_OPERATION_NS
        state = INTERRUPTED if not operation.served(patience) else SLOW if late else SERVED
        yield (operation.journey, operation.ward), operation.intended_ns, state
