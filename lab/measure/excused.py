"""What a recovery from an older copy takes with it, and no promise forbids: all from between copy and loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .noticed import Noticed, noticed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .history import History
    from .records import Probe, Try
    from .takeover import Takeover


class Excused(NamedTuple):
    """Client numbers of writes and ids of accesses from between the copy and the loss; what is noticed without them."""

    writes: frozenset[str]
    accesses: frozenset[str]
    noticed: Noticed


def excused(history: History, takeover: Takeover | None) -> Excused | None:
    """What may be gone; None where nothing may.

    Only what was answered after the copy was taken and before the recovery began: nothing older, for the copy was
    complete, and nothing newer, for the other room had served it.
    """
    if takeover is None or takeover.copy_ns is None or takeover.accepted is None:
        return None
    since, until = takeover.copy_ns, takeover.begun_ns
    operations = [op for op in history.operations if not since <= op.end_ns <= until]
    probes = [probe for probe in history.probes if not since <= probe.end_ns <= until]
    return Excused(
        frozenset(op.key for op in history.operations if op.key is not None and since <= op.end_ns <= until),
        _between(history.probes, since, until) | _between(history.tries, since, until),
        noticed(operations, probes),
    )


def _between(rows: Iterable[Probe | Try], since: int, until: int) -> frozenset[str]:
    return frozenset(row.access for row in rows if since <= row.end_ns <= until)
