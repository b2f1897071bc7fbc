"""The space of an array, shared by its volumes."""

from __future__ import annotations

import errno


class Pool:
    """Hands out space until there is none.

    Volumes are thin: space is taken when something is first written there, and never given back.

    Args:
        capacity: bytes.

    Attributes:
        used: bytes handed out.
        is_shut: whether every write is refused, as if the last byte were gone (a fault case).
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self.is_shut = False

    def take(self, length: int) -> None:
        """Hand out space. Raises OSError (ENOSPC) and hands out nothing when there is too little."""
        if self.is_shut or self.used + length > self.capacity:
            raise OSError(errno.ENOSPC, "the array is full")
        self.used += length
