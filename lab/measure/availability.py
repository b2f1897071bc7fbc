"""Each journey, profession and kind of session apart: what was served, how long it was away, how long people waited.

Percentiles are free of coordinated omission twice over: operations start on a grid whatever earlier ones do, and one
that was not served counts with the patience that its user spent, not with the instant at which it was refused. They are
exact: the HdrHistogram published for Python rounds the rank (of six waits it gives the fifth for the 90th percentile),
which flatters short runs, and takes three times as long as sorting.
"""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .interruption import interruptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .records import Operation

ONE_IN = (2, 10, 100, 1000)  # the 50th, 90th, 99th and 99.9th percentile


class Availability(NamedTuple):
    """What the clinicians of all wards got of one journey, as one profession, or by one kind of session; seconds.

    `by` is `journey`, `profession` or `connection`, and `name` which one.
    """

    by: str
    name: str
    operations: int
    failed: int
    interruption_s: float
    freeze_s: float
    p50_s: float
    p90_s: float
    p99_s: float
    p999_s: float

    @property
    def rate(self) -> float:
        """The share that was served, from 0 to 1."""
        return 1 - self.failed / self.operations


Apart = tuple[Availability, ...]
_BY = ("journey", "profession", "connection")


def apart(served: Sequence[Operation], unserved: Sequence[Operation], patience_ns: int | None) -> Apart:
    """Every journey of these operations, then every profession and kind of session where the history tells them.

    An interruption is closed by an operation of the same journey here, and of no other: this is what its own users
    lived through, so a rare journey looks worse than the service was.
    """
    found: list[Availability] = []
    for by in _BY:
        good, bad = _named(served, by), _named(unserved, by)
        names = sorted(filter(None, good.keys() | bad.keys()))
        found += [_of(by, name, good.get(name, []), bad.get(name, []), patience_ns) for name in names]
    return tuple(found)


def _named(operations: Sequence[Operation], by: str) -> dict[str | None, list[Operation]]:
    groups: dict[str | None, list[Operation]] = defaultdict(list)
    for operation, name in zip(operations, map(attrgetter(by), operations), strict=True):
        groups[name].append(operation)
    return groups


def _of(
    by: str, name: str, served: list[Operation], unserved: list[Operation], patience_ns: int | None
) -> Availability:
    waits = [op.end_ns - op.intended_ns for op in served]
    freeze, interruption = max(waits, default=0), 0
    if unserved:
        last = max(op.end_ns for rows in (served, unserved) for op in rows)
        interruption = max(span.length_ns for span in interruptions(served, unserved, last))
        waits += [max(op.latency_ns, patience_ns or 0) for op in unserved]
    return Availability(by, name, len(waits), len(unserved), interruption / 1e9, freeze / 1e9, *percentiles(waits))


def percentiles(waits_ns: Iterable[int]) -> tuple[float, ...]:
    """The waits which one in two, ten, a hundred and a thousand exceeds (nearest rank), in seconds."""
    waits = sorted(waits_ns)
    return tuple(waits[-1 - len(waits) // one_in] / 1e9 for one_in in ONE_IN)


def stored(rows: Iterable[Availability]) -> list[dict[str, Any]]:
    """As `verdict.json` has them."""
    return [row._asdict() for row in rows]


def restored(rows: Iterable[dict[str, Any]]) -> tuple[Availability, ...]:
    """What `stored` made; a field of a later version is left out."""
    return tuple(Availability(**{name: row[name] for name in Availability._fields}) for row in rows)
