"""Everything that can be measured from a history and a read-back, before anyone asks what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .availability import Availability, apart
from .instrument import kept_interval_ns, lag_ns, pulse_interval_ns
from .integrity import Integrity, integrity, unknown_writes
from .interruption import interruptions, longest_gap
from .noticed import Noticed, noticed
from .records import FOREVER_NS, OK
from .rounds import Away, away

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .history import History
    from .interruption import Span
    from .readback import Readback
    from .records import Operation, Probe


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one run; durations as the verdict has them."""

    spans: tuple[Span, ...]
    interruption: timedelta
    interruption_total: timedelta
    interruption_without_retries: timedelta
    interruption_kept: timedelta
    freeze: timedelta
    integrity: Integrity
    unknown: int
    smallest_gap: timedelta
    lag: timedelta
    operations: int
    operations_failed: int
    attempts: int
    attempts_failed: int
    tries_failed: int
    noticed: Noticed
    apart: tuple[Availability, ...]
    rounds: tuple[Away, ...]
    healed_ns: int | None = None

    def for_verdict(self) -> dict[str, Any]:
        """The figures that a verdict carries, under the names it gives them."""
        own = {"spans", "integrity", "noticed", "tries_failed", "healed_ns"}
        plain = {name: value for name, value in vars(self).items() if name not in own}
        return plain | self.integrity._asdict() | self.noticed._asdict()

    @property
    def observed(self) -> str:
        """The class that the clients saw.

        A: no attempt of an operation failed. B: some did and were made again, no operation failed. C: operations
            failed, and the service came back by itself. D: it did not, or not before the fault was healed. The
            pulse's attempts do not decide: it gives up after 250 ms, as an instrument must and no client does.
        """
        healed = self.healed_ns
        if any(not span.back or (healed and span.start_ns <= healed < span.end_ns) for span in self.spans):
            return "D"
        if self.spans:
            return "C"
        return "B" if self.tries_failed else "A"


def measure(history: History, readback: Readback | None, since_ns: int, healed_ns: int | None = None) -> Figures:
    """Measure a run. Interruption, freeze and class regard what ended after `since_ns`, the injection."""
    patience = history.patience_ns
    operations = [op for op in history.operations if op.end_ns > since_ns]
    probes = [probe for probe in history.probes if probe.end_ns > since_ns]
    fresh = [probe for probe in probes if probe.connection == "new"]
    kept = [probe for probe in probes if probe.connection == "kept"]
    tries = [attempt for attempt in history.tries if attempt.end_ns > since_ns]
    served, unserved = split(operations, patience)
    spans = interruptions(served, unserved, _last_ns(operations, fresh))
    lengths = [span.length_ns for span in spans]
    lag, interval = lag_ns(history.probes), pulse_interval_ns(history)
    return Figures(
        spans=tuple(spans),
        interruption=_duration(max(lengths, default=0)),
        interruption_total=_duration(sum(lengths)),
        interruption_without_retries=_duration(longest_gap(fresh, interval)),
        interruption_kept=_duration(longest_gap(kept, kept_interval_ns(history))),
        freeze=_duration(max((op.end_ns - op.intended_ns for op in served), default=0)),
        integrity=integrity(history, readback) if readback else Integrity(),
        unknown=unknown_writes(history),
        smallest_gap=_duration(interval + lag),
        lag=_duration(lag),
        operations=len(operations),
        operations_failed=len(unserved),
        attempts=len(probes) + len(tries),
        attempts_failed=sum(row.outcome != OK for rows in (probes, tries) for row in rows),
        tries_failed=sum(row.outcome != OK for row in tries),
        noticed=noticed(history.operations, history.probes),
        apart=apart(served, unserved, patience),
        rounds=away(history, since_ns),
        healed_ns=healed_ns,
    )


def _last_ns(*series: Sequence[Operation | Probe]) -> int:
    return max((row.end_ns for rows in series for row in rows), default=0)


def _duration(nanoseconds: int) -> timedelta:
    return timedelta(microseconds=nanoseconds / 1000)


def split(operations: Iterable[Operation], patience_ns: int | None) -> tuple[list[Operation], list[Operation]]:
    """Those that were served, and those that were not: as `Operation.served`, which a million calls would slow down."""
    limit = FOREVER_NS if patience_ns is None else patience_ns
    served: list[Operation] = []
    unserved: list[Operation] = []
    for op in operations:
        (served if op.outcome == OK and op.end_ns - op.intended_ns <= limit else unserved).append(op)
    return served, unserved
