"""Who is master: whoever wrote its name into the record, for as long as it beats in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from .record import Record
    from .settings import Settings


class Watch:
    """How long the master's beat in the store has stood still, as far as this host could look."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: tuple[int, int] = (0, 0)
        self._looked: float | None = None
        self.stood = 0.0

    def look(self, cluster: int, beat: int, now: float) -> None:
        """Both keys were read, with these revisions. Time in which nothing could be read does not count."""
        if (cluster, beat) != self._seen:
            self._seen, self.stood = (cluster, beat), 0.0
        elif self._looked is not None:
            self.stood += min(now - self._looked, 2 * self._settings.read_every)
        self._looked = now


def patience(settings: Settings, record: Record, host: str, present: Collection[str], seeing: Collection[str]) -> float:
    """Seconds that the beat must have stood still before this host takes mastership.

    Those that see the storage come first, then the order of the names: exactly one succeeds, as each takes it by a
    swap.

    Args:
        settings: the timers.
        record: as read.
        host: this one.
        present: the hosts that are there, this one included.
        seeing: those of them that see the storage.
    """
    if record.master == host:  # an earlier life of its agent, or one that was isolated
        return 0.0
    ranks = sorted(present, key=lambda name: (name not in seeing, name))
    base = settings.new_master if record.master else 0.0
    blind = 0.0 if host in seeing else len(ranks) * settings.stagger
    return base + ranks.index(host) * settings.stagger + blind
