"""The canary as the server's supervisor sees it: whether this server is late, and whether another could serve."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .canary import note, noted
from .children import Child, at

if TYPE_CHECKING:
    from pathlib import Path

_NICE = -20  # before everybody else, the database included: it takes its turn for 20 microseconds


class Canary:
    """The canary's three files, and the program.

    Args:
        folder: where they lie, in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._late, self.leaves, self._spare = (folder / name for name in ("late", "leaves", "spare"))
        for path in (self._late, self.leaves, self._spare):
            note(path, value=False)
        self._has_spare = False

    @property
    def is_late(self) -> bool:
        """Whether this server lacks processor, or did a moment ago."""
        return noted(self._late)

    def tell(self, *, has_spare: bool) -> None:
        """Note whether the twin could serve in this one's place."""
        if has_spare != self._has_spare:
            note(self._spare, value=has_spare)
            self._has_spare = has_spare

    def child(self, logs: Path) -> Child:
        """The program that watches."""
        files = map(str, (self._late, self.leaves, self._spare))
        program = f"{__package__}.canary"
        return Child(at(_NICE, sys.executable, "-m", program, *files), logs / "canary.log")
