"""What the mirror asks of the arbiters, and how they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REFUSED = 0
"""A swap was refused: one of the keys had changed."""
UNKNOWN = -1
"""No arbiter answered in time: the swap was made, or not, or will be made later."""

WITHHELD = "storage/withheld"
"""Which hosts may not see a volume: `{volume: [host, …]}`."""
CHARGE = "storage/charge"
"""The room whose node may serve, where the rooms are not mirrored and a human says so; the preferred one before."""
OWNER, BEAT, STANDBY = "lease/owner", "lease/beat", "lease/standby"


class Entry(Protocol):
    """A value and the revision at which it was written; revision 0: there is none."""

    @property
    def value(self) -> str:
        """What was written."""

    @property
    def revision(self) -> int:
        """When."""


Found: TypeAlias = "Callable[[Mapping[str, Entry] | None, float], None]"
"""Called with the entries, or None when no arbiter answered in time; and with `now`."""
Swapped: TypeAlias = "Callable[[int, float], None]"
"""Called with the new revision, REFUSED or UNKNOWN; and with `now`."""


class Store(Protocol):
    """Linearizable reads, and writes on condition. Every question is answered once, in the end."""

    def read(self, keys: tuple[str, ...], then: Found) -> None:
        """Ask for the entries of these keys."""

    def swap(self, expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        """Write, if these keys still have these revisions."""
