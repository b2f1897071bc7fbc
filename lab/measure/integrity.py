"""What became of the writes, and of the trace of every access."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .records import OK

if TYPE_CHECKING:
    from .history import History
    from .readback import Readback


class Integrity(NamedTuple):
    """Client numbers of writes, and access ids, for which something is wrong at the end; sorted."""

    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    diverged: tuple[str, ...] = ()
    untraced: tuple[str, ...] = ()


def integrity(history: History, readback: Readback) -> Integrity:
    """Compare what clients were told with what each copy and the trail hold.

    - lost: acknowledged, and absent from at least one copy;
    - duplicated: there more than once in a copy, acknowledged or not;
    - diverged: not acknowledged, in one copy and not in another (at most once in each is what an unknown
      write owes);
    - untraced: the attempt was answered, its access id is not in the trail.
    """
    writes = [op for op in history.operations if op.kind == "write"]
    written = {op.key for op in writes if op.key is not None}
    acknowledged = {op.key for op in writes if op.key is not None and op.outcome == OK}
    held = [readback.held(copy) for copy in readback.copies]
    somewhere = written.intersection(set().union(*held))
    everywhere = somewhere.intersection(*held)
    return Integrity(
        lost=tuple(sorted(acknowledged - everywhere)),
        duplicated=tuple(sorted(written & readback.repeated())),
        diverged=tuple(sorted(somewhere - everywhere - acknowledged)),
        untraced=tuple(sorted(_answered(history) - readback.trail)),
    )


def unknown_writes(history: History) -> int:
    """How many writes the client cannot tell the fate of."""
    return sum(op.kind == "write" and op.outcome == "unknown" for op in history.operations)


def _answered(history: History) -> set[str]:
    probes = {probe.access for probe in history.probes if probe.outcome == OK}
    return probes | {attempt.access for attempt in history.tries if attempt.outcome == OK}
