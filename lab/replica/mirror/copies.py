"""One copy of a volume: its array, the session there, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .work import ArrayLink, Op

# Seconds between two attempts: short at first, since an array that restarts is back within a second; longer for one
# that stays away, and for one that answered with an error, which is full or broken and will be for a while.
_FIRST, _LONGEST, _AFTER_ERROR = 0.2, 2.0, 5.0


class Copy:
    """One copy.

    Attributes:
        array: name of the array that holds it.
        near: whether the array stands in the node's own room.
        bit: this copy in a mask of copies.
        link: its session, None while there is none.
        pending: what it was asked and has not answered, with the time of asking, oldest first.
        generation: what its header said when it was read in this session; None before.
        bits: its bitmap as it was read in this session.
        reason: why it is not in sync, for humans.
        broken: it answered with an error; others are preferred until it is in sync again.
    """

    __slots__ = (
        "array",
        "attempt",
        "backoff",
        "bit",
        "bits",
        "broken",
        "connecting",
        "generation",
        "link",
        "near",
        "pending",
        "reason",
        "retry_at",
    )

    def __init__(self, array: str, bit: int, *, near: bool) -> None:
        self.array = array
        self.bit = bit
        self.near = near
        self.link: ArrayLink | None = None
        self.pending: dict[Op, float] = {}
        self.generation: int | None = None
        self.bits = b""
        self.reason = ""
        self.broken = False
        self.connecting = False
        self.attempt = 0
        self.retry_at = 0.0
        self.backoff = _FIRST

    @property
    def loaded(self) -> bool:
        """Whether its header and bitmap are known."""
        return self.link is not None and self.generation is not None

    def forget(self) -> dict[Op, float]:
        """End the session or the attempt at one; returns what was pending."""
        pending, self.pending = self.pending, {}
        if self.link is not None:
            self.link.abort()
        self.link, self.generation, self.bits = None, None, b""
        self.connecting = False
        self.attempt += 1
        return pending

    def later(self, now: float) -> None:
        """Try again after a while, longer each time."""
        self.retry_at = now + (_AFTER_ERROR if self.broken else self.backoff)
        self.backoff = min(2 * self.backoff, _LONGEST)

    def fresh(self) -> None:
        """Nothing is held against it any more."""
        self.reason, self.broken, self.backoff, self.retry_at = "", False, _FIRST, 0.0

    def overdue(self, now: float, allowed: float) -> bool:
        """Whether an answer is missing for longer than allowed."""
        for asked in self.pending.values():
            return now - asked > allowed
        return False
