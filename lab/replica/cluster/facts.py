"""What a master knows when it decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .beat import Released


@dataclass(frozen=True)
class Facts:
    """The hosts as the master sees them, itself included.

    Args:
        now: the time.
        fresh: hosts that are there.
        dead: hosts that are declared dead.
        see_storage: hosts of `fresh` that see the storage.
        states: of each host of `fresh`, its servers: `booting`, `running` or `healthy`.
        released: of each host, what it gave up.
        withheld: of each server, the hosts that may not see its volume.
    """

    now: float
    fresh: frozenset[str]
    dead: frozenset[str]
    see_storage: frozenset[str]
    states: Mapping[str, Mapping[str, str]]
    released: Mapping[str, Mapping[str, Released]]
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_healthy(self, server: str, host: str) -> bool:
        """Whether it serves there."""
        return self.states.get(host, {}).get(server) == "healthy"
