"""A member that stays `joined`: it has caught up, and Galera never calls it synced again. The decision, without clock.

Seen when the storage's lease ran out twice under a donor: Galera's two halves then disagreed about what it was ("sst
sent called when not SST donor"), and no message that would have ended it was ever due. It goes on applying what the
others write, so that nothing but its state tells. Only a start from its own position mends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bootstrap import Stage
from .galera import JOINED

if TYPE_CHECKING:
    from .bootstrap import Standing
    from .galera import Membership

# Seconds joined without anything to wait for. With our limit of flow control Galera calls a member synced as soon as
# its word has gone round; what its transfer lacks counts as catching up, however long that takes.
_LONGEST = 15.0


class Standstill:
    """Tells when a member has been `joined` for too long with nothing to catch up, or catching up nothing."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._committed = -1
        self._has_caught_up = False

    def saw(self, now: float, membership: Membership) -> bool:
        """Whether it has been so for too long, after this look at the database.

        Once the queue was seen empty only the state counts: what others write goes on arriving, and being applied.
        """
        if membership.state != JOINED:
            self._since, self._has_caught_up = None, False
            return False
        self._has_caught_up = self._has_caught_up or not membership.waiting
        if self._since is None or (not self._has_caught_up and membership.committed != self._committed):
            self._since = now
        self._committed = membership.committed
        return now - self._since > _LONGEST


def starts_anew(twin: Standing | None, *, first: bool) -> bool:
    """Whether a member that stands still stops, to join again.

    Args:
        twin: how the twin stands; a member that nobody could carry for stays as it is, since it serves.
        first: which of two that both stand still waits for the other to be back.
    """
    return twin is not None and twin.stage is Stage.PRIMARY and (twin.synced or not first)
