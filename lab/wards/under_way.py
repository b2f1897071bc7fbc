"""How many attempts or operations are under way, and the wait until none is."""

from __future__ import annotations

import asyncio


class UnderWay:
    """A count with a wait for zero."""

    def __init__(self) -> None:
        self.count = 0
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> None:
        """One more."""
        self.count += 1
        self._none.clear()

    def end(self) -> None:
        """One less."""
        self.count -= 1
        if not self.count:
            self._none.set()

    async def none(self) -> None:
        """Return when nothing is under way."""
        await self._none.wait()
