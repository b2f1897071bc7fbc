"""Something wrong in a plan, and where in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.plan.reading import Path


@dataclass(frozen=True)
class Problem:
    """A sentence about the value at ``path`` in the plan's file."""

    path: Path
    sentence: str
