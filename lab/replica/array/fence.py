"""Who may write to an array: the rules, without sockets or files.

The number of a lease in etcd is its holder's epoch. An array obeys the highest that it has seen, never a clock: a
virtualisation node that slept through the end of its lease finds its sessions cut and its epoch refused.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from ..nbd.protocol import Refusal, RefusedError

S = TypeVar("S")


class Fence(Generic[S]):
    """Sessions that write, one a volume at most.

    Args:
        array: its name, for the sentence of a refusal.
        highest: epoch seen before this start.
        is_open: whether everyone is let in and nobody cut (the planted defect `no-epoch-check`).

    Attributes:
        writers: by volume, the epoch and the session that may write.
    """

    def __init__(self, array: str, highest: int, *, is_open: bool = False) -> None:
        self.highest = highest
        self.writers: dict[str, tuple[int, S]] = {}
        self._array = array
        self._is_open = is_open

    def check(self, epoch: int) -> None:
        """Raise RefusedError for an epoch that is over."""
        if epoch < self.highest and not self._is_open:
            raise RefusedError(
                f"{self._array} obeys epoch {self.highest}: epoch {epoch} is over, its node no longer has the lease",
                Refusal.POLICY,
            )

    def admit(self, volume: str, epoch: int, session: S) -> list[S]:
        """Let a session write; the older ones that must be cut before it is told so. Raises RefusedError."""
        self.check(epoch)
        cut = []
        if not self._is_open:
            over = [
                name for name, (older, _) in self.writers.items() if name == volume or older < max(epoch, self.highest)
            ]
            cut = [self.writers.pop(name)[1] for name in over]
        self.highest = max(self.highest, epoch)
        self.writers[volume] = (epoch, session)
        return cut

    def left(self, volume: str, session: S) -> None:
        """Take note that a session is over; one that was cut is none of ours any more."""
        if volume in self.writers and self.writers[volume][1] is session:
            del self.writers[volume]


def parse(name: str) -> tuple[str, int | None]:
    """Volume and epoch in an export's name `VOLUME@EPOCH`; None for a name without epoch. Raises RefusedError."""
    volume, at, epoch = name.rpartition("@")
    if not at:
        return name, None
    if not epoch.isdecimal():
        raise RefusedError(f"{name!r} is no VOLUME@EPOCH: {epoch!r} is no number", Refusal.INVALID)
    return volume, int(epoch)
