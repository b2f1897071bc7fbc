"""Names that faults are aimed at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.plan import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterable


def known(name: str, names: Iterable[str], kind: str) -> str:
    """Return the name if the plan knows it.

    Raises:
        PlanError: it does not; the sentence lists the known ones.
    """
    listed = list(names)
    if name not in listed:
        raise PlanError(f"no {kind} is called {name!r}; known: {', '.join(sorted(listed))}")
    return name
