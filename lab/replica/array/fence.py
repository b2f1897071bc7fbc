"""Who may write to an array: the rules, without sockets or files.

The number of a lease in etcd is its holder's epoch. An array obeys the highest that it has seen, never a clock: a
virtualisation node that slept through the end of its lease finds its sessions cut and its epoch refused.

A stand-alone volume is served to its host by the array itself, until a node opens it in an epoch: from then on the host
is refused, for as long as nobody presents the volume to the hosts again. Of two hosts the newer session wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ..nbd.protocol import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

S = TypeVar("S")


class Fence(Generic[S]):
    """Sessions that write, one a volume at most.

    Args:
        array: its name, for the sentence of a refusal.
        highest: epoch seen before this start.
        is_open: whether everyone is let in and nobody cut (the planted defect `no-epoch-check`).
        hosts_stay: whether a host of a stand-alone volume writes on when nodes take it in (`host-not-fenced`).
        alone: the stand-alone volumes, each with the newest session of a host seen before this start; None for one
            that nodes have taken in.

    Attributes:
        writers: by volume, the epoch and the session that may write.
        hosts: by stand-alone volume, the number and the session of the host that may write.
    """

    def __init__(
        self,
        array: str,
        highest: int,
        *,
        is_open: bool = False,
        hosts_stay: bool = False,
        alone: Mapping[str, int | None] | None = None,
    ) -> None:
        self.highest = highest
        self.writers: dict[str, tuple[int, S]] = {}
        self.hosts: dict[str, tuple[int, S]] = {}
        self.alone: dict[str, int | None] = dict(alone or {})
        self._array = array
        self._is_open = is_open
        self._hosts_stay = hosts_stay

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
            if volume in self.hosts and not self._hosts_stay:
                cut.append(self.hosts.pop(volume)[1])
        if volume in self.alone:
            self.alone[volume] = None
        self.highest = max(self.highest, epoch)
        self.writers[volume] = (epoch, session)
        return cut

    def check_host(self, volume: str, number: int) -> None:
        """Raise RefusedError for a host that may not write here."""
        if volume not in self.alone:
            raise RefusedError(f"{volume} on {self._array} is not stand-alone: ask a virtualiser", Refusal.INVALID)
        newest = self.alone[volume]
        if self._is_open:
            return
        if newest is None:
            raise RefusedError(f"{volume} on {self._array} was taken in: ask a virtualiser", Refusal.NOT_NOW)
        if number < newest:
            raise RefusedError(
                f"{volume} on {self._array}: session {number} is over, the newest is {newest}", Refusal.POLICY
            )

    def admit_host(self, volume: str, number: int, session: S) -> list[S]:
        """Let a host write to a stand-alone volume; the older ones that must be cut before. Raises RefusedError."""
        self.check_host(volume, number)
        cut = [self.hosts.pop(volume)[1]] if volume in self.hosts else []
        self.alone[volume] = number
        self.hosts[volume] = (number, session)
        return cut

    def present(self, volume: str, number: int) -> None:
        """Let hosts in again whose session is as new as this one; nodes have let the volume go.

        Raises:
            RefusedError: it never was stand-alone, or a node has it open.
        """
        if volume not in self.alone or volume in self.writers:
            why = "a virtualiser has it open" if volume in self.writers else "it is not stand-alone"
            raise RefusedError(f"{self._array} cannot present {volume} to hosts: {why}", Refusal.INVALID)
        self.alone[volume] = max(number, self.alone[volume] or 0)

    def left(self, volume: str, session: S) -> None:
        """Take note that a session is over; one that was cut is none of ours any more."""
        for sessions in (self.writers, self.hosts):
            if volume in sessions and sessions[volume][1] is session:
                del sessions[volume]


def parse(name: str, sign: str = "@") -> tuple[str, int | None]:
    """Volume and number in an export's name; None for a name without number. Raises RefusedError.

    Args:
        name: `VOLUME@EPOCH` as a node asks for it, `VOLUME#SESSION` as a host does.
        sign: which of the two.
    """
    volume, at, number = name.rpartition(sign)
    if not at:
        return name, None
    if not number.isdecimal():
        raise RefusedError(f"{name!r} is no VOLUME{sign}NUMBER: {number!r} is no number", Refusal.INVALID)
    return volume, int(number)
