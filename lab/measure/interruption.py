"""How long users could not work: by their operations, and by the pulse's single attempts."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from .records import FOREVER_NS, OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .records import Operation, Probe

_BY_START = attrgetter("intended_ns")


class Span(NamedTuple):
    """A time without service; `back` is false when nothing was served again before the history's end."""

    start_ns: int
    end_ns: int
    back: bool

    @property
    def length_ns(self) -> int:
        """How long it lasted."""
        return self.end_ns - self.start_ns


def interruptions(served: Iterable[Operation], unserved: Sequence[Operation], last_ns: int) -> list[Span]:
    """Spans without service, over all wards and journeys, merged and in order.

    Each ward's journey is looked at apart: a run of operations not served opens with the intended start of
    its first, and closes with the intended start of the first served operation of the same ward and kind
    after its last. The kind (read or write) closes it rather than the journey alone, because a rare journey
    comes back seconds after the service did. A run that nothing closes lasts until `last_ns`.
    """
    if not unserved:
        return []
    failing: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in unserved:
        failing[row.ward, row.kind, row.journey].append(row.intended_ns)
    of_journey, of_kind = _starts(served, min(map(_BY_START, unserved)), max(map(_BY_START, unserved)))
    spans = []
    for (ward, kind, journey), starts in failing.items():
        good = of_journey[ward, journey]
        # Operations between the same two good ones of their journey are one run.
        for _, run in groupby(sorted(starts), key=partial(bisect_right, good)):
            first, *more = run
            spans.append(_closed(first, more[-1] if more else first, of_kind[ward, kind], last_ns))
    return list(_merged(sorted(spans)))


_Starts = dict[tuple[str, str], list[int]]


def _starts(served: Iterable[Operation], first_ns: int, last_ns: int) -> tuple[_Starts, _Starts]:
    """Intended starts by ward and journey, and by ward and kind, in order, as far as they part or close anything.

    What was served before the first failure parts nothing; of what was served after the last one only the first of a
    ward and kind closes anything. An hour's history is then not sorted for an outage of seconds.
    """
    of_journey: _Starts = defaultdict(list)
    of_kind: _Starts = defaultdict(list)
    after: dict[tuple[str, str], int] = {}
    for row in served:
        at = row.intended_ns
        if at < first_ns:
            continue
        if at <= last_ns:
            of_journey[row.ward, row.journey].append(at)
            of_kind[row.ward, row.kind].append(at)
        elif at < after.get((row.ward, row.kind), FOREVER_NS):
            after[row.ward, row.kind] = at
    for named, at in after.items():
        of_kind[named].append(at)
    for starts in (*of_journey.values(), *of_kind.values()):
        starts.sort()
    return of_journey, of_kind


def _closed(first: int, last: int, served: Sequence[int], last_ns: int) -> Span:
    at = bisect_right(served, last)
    return Span(first, served[at], back=True) if at < len(served) else Span(first, last_ns, back=False)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is None or span.start_ns > current.end_ns:
            if current is not None:
                yield current
            current = span
        else:
            end = max(current.end_ns, span.end_ns)
            current = Span(current.start_ns, end, current.back and span.back)
    if current is not None:
        yield current


def longest_gap(probes: Iterable[Probe], interval_ns: int) -> int:
    """The longest outage that the pulse saw, over its wards; 0 when no attempt failed.

    From the last good intended start to the next good one, less the interval that separates two healthy
    attempts. Beyond the ends of the series one more good attempt is supposed: what was not tried cannot have
    failed.
    """
    series: dict[str, list[Probe]] = defaultdict(list)
    for probe in probes:
        series[probe.ward].append(probe)
    return max((_gap(sorted(rows, key=_BY_START), interval_ns) for rows in series.values()), default=0)


def _gap(rows: Sequence[Probe], interval_ns: int) -> int:
    longest = 0
    good, failing = rows[0].intended_ns - interval_ns, False
    for row in rows:
        if row.outcome != OK:
            failing = True
            continue
        if failing:
            longest = max(longest, row.intended_ns - good - interval_ns)
        good, failing = row.intended_ns, False
    return max(longest, rows[-1].intended_ns - good) if failing else longest
