"""What a clinician would notice: a prescription that disappears, a record older than one already read.

The record only grows, so every read owes what was acknowledged before it was asked for (read-your-writes, whoever
wrote) and what an earlier read was shown (monotonic reads). Reads that overlap owe each other nothing.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from .records import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .records import Operation, Probe

FIRST_PAGE = 5  # acts that a record's first page shows, the latest first
_LISTS = "list-prescriptions"
_PAGES = "read-record"
_LAST = "\N{LATIN SMALL LETTER Y WITH DIAERESIS}"  # after every client number


class Noticed(NamedTuple):
    """Client numbers of writes that a later read did not show, and access ids of reads that were older than another."""

    vanished: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


def noticed(operations: Iterable[Operation], probes: Iterable[Probe]) -> Noticed:
    """Look at every read that succeeded and says what it was shown."""
    good = [op for op in operations if op.outcome == OK and op.patient is not None]
    gone: set[str] = set()
    for shown, written in ((_LISTS, "prescribe"), (_PAGES, "record-act")):
        reads, writes = _by_patient(good, shown), _by_patient(good, written)
        for patient, looks in reads.items():
            gone.update(_vanished(looks, writes.get(patient, []), page=FIRST_PAGE if shown == _PAGES else None))
    return Noticed(tuple(sorted(gone)), tuple(sorted(_stale(probes))))


def _by_patient(operations: Iterable[Operation], journey: str) -> dict[str, list[Operation]]:
    found: dict[str, list[Operation]] = defaultdict(list)
    for op in operations:
        if op.journey == journey and op.patient is not None and (op.saw is not None or op.kind == "write"):
            found[op.patient].append(op)
    return found


def _vanished(looks: Sequence[Operation], writes: Sequence[Operation], page: int | None) -> Iterator[str]:
    """Numbers that a look at one patient should have shown and did not.

    A page that is full owes no number that five later acts may have pushed out: only those that are known to be later
    than one which it does show.
    """
    done = {op.key: op for op in writes if op.key is not None}
    owed: set[str] = set()
    begun: list[tuple[int, str]] = []  # of those owed, when each was begun; in order
    order, at = _since(looks, done), 0
    for look in sorted(looks, key=_asked):
        while at < len(order) and order[at][0] < _asked(look):
            number = order[at][1]
            owed.add(number)
            if number in done:
                insort(begun, (done[number].intended_ns, number))
            at += 1
        shown = frozenset(look.saw or ())
        if page is None or len(shown) < page:
            yield from owed - shown
        elif oldest := min((done[key].end_ns for key in shown if key in done), default=0):
            yield from (number for _, number in begun[bisect_right(begun, (oldest, _LAST)) :] if number not in shown)


def _asked(look: Operation) -> int:
    return look.intended_ns if look.asked_ns is None else look.asked_ns


def _since(looks: Iterable[Operation], done: dict[str, Operation]) -> list[tuple[int, str]]:
    """Since when each number is owed, in order: its acknowledgement, or the first look that showed it."""
    since = {key: op.end_ns for key, op in done.items()}
    for look in looks:
        for number in look.saw or ():
            since[number] = min(since.get(number, look.end_ns), look.end_ns)
    return sorted((at, number) for number, at in since.items())


def _stale(probes: Iterable[Probe]) -> Iterator[str]:
    """Reads of the pulse's record that were older than one which had ended before they began."""
    seen = [probe for probe in probes if probe.version is not None]
    ended = sorted(seen, key=attrgetter("end_ns"))
    newest, at = "", 0
    for probe in sorted(seen, key=attrgetter("start_ns")):
        while ended[at].end_ns < probe.start_ns:
            newest = max(newest, ended[at].version or "")
            at += 1
        if (probe.version or "") < newest:
            yield probe.access
