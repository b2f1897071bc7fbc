"""What the instrument itself was worth: its lag, its grid, the smallest gap it was sure to see."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .history import History
    from .records import Beat, Probe

_IN_A_THOUSAND = 1000


def lag_ns(probes: Iterable[Probe | Beat]) -> int:
    """How late attempts were started, 99.9th percentile (nearest rank); 0 without attempts."""
    late = sorted(probe.start_ns - probe.intended_ns for probe in probes)
    return late[-1 - len(late) // _IN_A_THOUSAND] if late else 0


def pulse_interval_ns(history: History) -> int:
    """The coarsest grid among the pulses on new connections; 0 when none said."""
    return max((w.interval_ns for w in history.writers if w.is_pulse and w.interval_ns), default=0)


def kept_interval_ns(history: History) -> int:
    """The coarsest grid among the pulses on kept connections; 0 when none said."""
    return max((w.kept_interval_ns for w in history.writers if w.kept_interval_ns), default=0)


def closed_loops(history: History) -> list[str]:
    """Names of the writers whose intended starts leave holes in their grid, or stand beside it.

    An instrument that waits for an answer before it asks again records fewer failures, the worse the outage:
    what it left out would have been the evidence.
    """
    starts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for probe in history.probes:
        starts[probe.ward, probe.connection].append(probe.intended_ns)
    for beat in history.beats:
        starts[beat.ward, f"beat {beat.pulse}"].append(beat.intended_ns)
    if any(writer.interval_ns and not writer.is_pulse for writer in history.writers):
        for operation in history.operations:
            starts[operation.ward, "operation"].append(operation.intended_ns)
    found = []
    for writer in history.writers:
        if writer.is_pulse:
            grids = [("new", writer.interval_ns), ("kept", writer.kept_interval_ns)]
        elif writer.name.startswith("rounds@"):
            grids = [(name, writer.interval_ns) for ward, name in starts if name.startswith("beat ")]
        else:
            grids = [("operation", writer.interval_ns)]
        if any(interval and not _whole(starts[writer.ward, name], interval) for name, interval in grids):
            found.append(writer.name)
    return sorted(found)


def _whole(starts: Sequence[int], interval_ns: int) -> bool:
    """Whether these starts follow each other at exactly one interval."""
    if not starts:
        return True
    begin = min(starts)
    return sorted(starts) == list(range(begin, begin + len(starts) * interval_ns, interval_ns))
