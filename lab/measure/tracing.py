"""The trail: whether it tells each access once, in every copy, truly, and in the order in which they happened."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from .records import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .history import History
    from .readback import Readback, Trace

_PULSE_DOES = "read-record"


class Answered(NamedTuple):
    """An access that the service answered, as its client knows it."""

    access: str
    action: str
    patient: str | None
    start_ns: int
    end_ns: int


def answered(history: History) -> list[Answered]:
    """Every access that was answered. Of the pulse's, the patient is not in the history."""
    found = [
        Answered(row.access, _PULSE_DOES, None, row.start_ns, row.end_ns) for row in history.probes if row.outcome == OK
    ]
    about = {op.id: (op.journey, op.patient) for op in history.operations}
    found += [
        Answered(row.access, *about.get(row.operation, ("", None)), row.start_ns, row.end_ns)
        for row in history.tries
        if row.outcome == OK
    ]
    return found


def untraced(history: History, readback: Readback) -> set[str]:
    """Accesses that were answered and that the trail, or one of its copies, does not know."""
    trails = [readback.trail, *(frozenset(row.access for row in rows) for rows in readback.traces.values())]
    missing: set[str] = set()
    for rows in (history.probes, history.tries):
        told = [row.access for row in rows if row.outcome == OK]
        for trail in trails:
            missing.update(access for access in told if access not in trail)
    return missing


def mistraced(history: History, readback: Readback) -> set[str]:
    """Answered accesses that a copy of the trail tells twice, with another action or patient, or in the wrong order."""
    if not readback.traces:
        return set()
    accesses = answered(history)
    found: set[str] = set()
    for rows in readback.traces.values():
        counts = Counter(row.access for row in rows)
        told = {row.access: row for row in rows}
        known = [(access, told[access.access]) for access in accesses if access.access in told]
        found |= {access.access for access, row in known if counts[row.access] > 1 or not _true(access, row)}
        found |= set(_disordered(known))
    return found


def _true(access: Answered, row: Trace) -> bool:
    return access.action in {"", row.action} and access.patient in {None, row.patient}


def _disordered(known: Iterable[tuple[Answered, Trace]]) -> Iterator[str]:
    """Accesses whose row bears an earlier instant than that of one which had been answered before they began."""
    rows = [(access.start_ns, access.end_ns, row.at_us, access.access) for access, row in known]
    ended = sorted(rows, key=itemgetter(1))
    latest, at = 0, 0
    for start_ns, _, at_us, access in sorted(rows):
        while ended[at][1] < start_ns:
            latest = max(latest, ended[at][2])
            at += 1
        if at_us < latest:
            yield access
