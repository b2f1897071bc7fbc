"""What the core asks of the world: sessions on arrays, and questions to the arbiters. Its answers go back as calls."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..arbiter.kv import KvUnreachableError
from ..mirror.store import REFUSED, UNKNOWN
from ..nbd.client import Session, UnreachableError, connect
from ..nbd.protocol import Data, Kind, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ..arbiter.kv import Kv
    from ..mirror.copies import Copy
    from ..mirror.node import Node
    from ..mirror.store import Found, Swapped
    from ..mirror.volume import Volume
    from ..mirror.work import Op
    from .config import ArrayAddress

# Seconds for an array to let a session in: as long as the kernel of a dead one is waited for, and a little more. An
# opening volume waits 0.5 s for its copies.
_CONNECT = 0.45


class Tasks:
    """Keeps what runs beside from being collected as garbage, and ends the program when one of them breaks."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def idle(self) -> None:
        """Return when nothing runs."""
        while self._running:
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self.broken.done():
            self.broken.set_exception(error)


class Arbiters:
    """The arbiters, as the core asks them."""

    def __init__(self, kv: Kv, tasks: Tasks) -> None:
        self._kv = kv
        self._tasks = tasks

    def read(self, keys: tuple[str, ...], then: Found) -> None:
        """Ask for entries."""
        self._tasks.start(self._read(keys, then))

    async def _read(self, keys: tuple[str, ...], then: Found) -> None:
        try:
            found = await self._kv.read(*keys)
        except KvUnreachableError:
            then(None, monotonic())
        else:
            then(found, monotonic())

    def swap(self, expect: Mapping[str, int], put: Mapping[str, str], then: Swapped) -> None:
        """Write on condition."""
        self._tasks.start(self._swap(dict(expect), dict(put), then))

    async def _swap(self, expect: dict[str, int], put: dict[str, str], then: Swapped) -> None:
        try:
            revision = await self._kv.swap(expect, put)
        except KvUnreachableError:
            then(UNKNOWN, monotonic())
        else:
            then(REFUSED if revision is None else revision, monotonic())


class ArraySession:
    """The session of a volume on an array, as the core uses it."""

    __slots__ = ("_copy", "_session", "_volume")

    def __init__(self, volume: Volume, copy: Copy, session: Session) -> None:
        self._volume = volume
        self._copy = copy
        self._session = session

    def _ask(  # noqa: PLR0913 - what an NBD request is made of
        self, op: Op, kind: Kind, offset: int, length: int, data: Data = b"", *, fua: bool = False
    ) -> None:
        volume, copy = self._volume, self._copy

        def done(error: int, data: Data) -> None:
            if copy.link is self:
                volume.done(copy, op, error, data, monotonic())

        self._session.submit(kind, offset, length, done, data=data, fua=fua)

    def read(self, op: Op, offset: int, length: int) -> None:
        """Read."""
        self._ask(op, Kind.READ, offset, length)

    def write(self, op: Op, offset: int, data: Data, *, fua: bool) -> None:
        """Write; with `fua` durably."""
        self._ask(op, Kind.WRITE, offset, len(data), data, fua=fua)

    def zero(self, op: Op, offset: int, length: int) -> None:
        """Write zeroes."""
        self._ask(op, Kind.WRITE_ZEROES, offset, length)

    def flush(self, op: Op) -> None:
        """Make durable what was answered."""
        self._ask(op, Kind.FLUSH, 0, 0)

    def abort(self) -> None:
        """RST."""
        self._session.abort()


class ArraySide:
    """Opens the sessions of one volume on its arrays."""

    def __init__(self, arrays: Mapping[str, ArrayAddress], volume: Callable[[], Volume], tasks: Tasks) -> None:
        self._arrays = arrays
        self._volume = volume
        self._tasks = tasks

    def connect(self, copy: Copy, export: str, attempt: int) -> None:
        """Open one."""
        self._tasks.start(self._connect(copy, export, attempt))

    async def _connect(self, copy: Copy, export: str, attempt: int) -> None:
        volume, array = self._volume(), self._arrays[copy.array]
        try:
            session = await connect((array.address, array.port), export, within=_CONNECT)
        except (UnreachableError, RefusedError) as error:
            volume.unreachable(copy, attempt, str(error), monotonic())
            return
        link = ArraySession(volume, copy, session)
        session.lost = lambda reason: volume.lost(copy, link, reason, monotonic())
        volume.connected(copy, attempt, link, monotonic())


def array_side(
    node: Callable[[], Node], arrays: Mapping[str, ArrayAddress], tasks: Tasks
) -> Callable[[str], ArraySide]:
    """Give each volume its own; `node` is asked later, for it is made of these."""
    return lambda name: ArraySide(arrays, lambda: node().volumes[name], tasks)
