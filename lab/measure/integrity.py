"""What became of the writes, and of the trace of every access."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .records import OK
from .tracing import mistraced, untraced

if TYPE_CHECKING:
    from .history import History
    from .readback import Readback


class Integrity(NamedTuple):
    """Client numbers of writes, and access ids, for which something is wrong at the end; sorted."""

    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    diverged: tuple[str, ...] = ()
    untraced: tuple[str, ...] = ()
    mistraced: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()


def integrity(history: History, readback: Readback) -> Integrity:
    """Compare what clients were told with what each copy and the trail hold.

    - lost: acknowledged, and absent from at least one copy;
    - duplicated: there more than once in a copy, acknowledged or not;
    - diverged: not acknowledged, in one copy and not in another (at most once in each is what an unknown
      write owes);
    - untraced: the attempt was answered, its access id is not in the trail, or not in a copy of it;
    - mistraced: the same, told twice, with another action or patient, or in the wrong order;
    - unasked: held by a copy, under a number that no client used: a retry that was taken for a new write.
    """
    written = {op.key: op.outcome for op in history.operations if op.kind == "write" and op.key is not None}
    held = [readback.held(copy) for copy in readback.copies]
    anything = set[str]().union(*held)
    everywhere = anything.intersection(*held)
    return Integrity(
        lost=tuple(sorted(key for key, outcome in written.items() if outcome == OK and key not in everywhere)),
        duplicated=tuple(sorted(key for key in readback.repeated() if key in written)),
        diverged=tuple(sorted(key for key in anything - everywhere if written.get(key, OK) != OK)),
        untraced=tuple(sorted(untraced(history, readback))),
        mistraced=tuple(sorted(mistraced(history, readback))),
        unasked=tuple(sorted(anything.difference(written))),
    )


def unknown_writes(history: History) -> int:
    """How many writes the client cannot tell the fate of."""
    return sum(op.kind == "write" and op.outcome == "unknown" for op in history.operations)
