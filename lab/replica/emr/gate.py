"""How many requests may be at work, how long one may wait, and who no longer waits at all.

When the pair's view changes the database stands still for two or three seconds while the wards go on asking.
Nothing may pile up meanwhile: the reader who has hung up leaves the queue at once, the one who waited too long is told
to retry, and past a length the queue takes nobody. So when the database answers again, only living requests stand
before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class BusyError(Exception):
    """No thread became free in time, or the queue is full; the client may retry."""


class GoneError(Exception):
    """The client hung up while it waited; nobody reads the answer."""


class Gate:
    """A bounded pool of threads with a bounded queue before it.

    Args:
        slots: pieces of work at a time.
        queue: requests that may wait for a slot.
        patience: seconds that a request may wait; under the two seconds after which its client gives up.
    """

    def __init__(self, slots: int, queue: int = 200, patience: float = 1.5) -> None:
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="work")
        self._free = slots
        self._queue = queue
        self._patience = patience
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def run(self, work: Callable[[], T], gone: Callable[[], Awaitable[None]]) -> T:
        """The result of `work`, run in a thread once there is one.

        Args:
            work: the blocking piece of work.
            gone: returns when the client has hung up; awaited only by a request that has to wait.

        Raises:
            BusyError: the queue is full or patience ran out; `work` was not started.
            GoneError: the client hung up first; `work` was not started.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(gone)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._release()

    async def _wait(self, gone: Callable[[], Awaitable[None]]) -> None:
        if len(self._waiting) >= self._queue:
            raise BusyError("too many requests are waiting")
        turn = asyncio.get_running_loop().create_future()
        left = asyncio.ensure_future(gone())
        self._waiting.append(turn)
        try:
            await asyncio.wait({turn, left}, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if turn.done():
                self._release()
            raise
        finally:
            left.cancel()
            if not turn.done():
                self._waiting.remove(turn)
        if turn.done():
            return
        raise GoneError if left.done() else BusyError("the database kept this request waiting")

    def _release(self) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1
