"""The pulse: one real record read on every instant of a grid, each attempt standing alone."""

from __future__ import annotations

import time
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from .connection import Connection, Limits
from .grid import Grid
from .message import request
from .recorder import quoted
from .under_way import UnderWay

if TYPE_CHECKING:
    from .client import Client
    from .config import Config
    from .connection import Result
    from .recorder import Recorder

_OK = 200
_AT = b'"at":"'


class Pulse:
    """Two series of attempts: each on a connection of its own, and, more slowly, on connections that are kept.

    An attempt may take `connect_ms` in all, less than TCP's first retransmission of a SYN (1 s): an outage is
    not healed out of sight. Kept connections are used in turn, so many that each has given up its last
    attempt before its next: they show what sessions suffer that were open when the fault came.
    """

    def __init__(self, config: Config, client: Client, recorder: Recorder, token: str) -> None:
        turns = int(config.connect_ms // config.kept_ms) + 1
        self._series = (
            _Series(config, client, recorder, token, turns=0, interval_ns=config.interval_ns),
            _Series(config, client, recorder, token, turns=turns, interval_ns=config.kept_interval_ns),
        )

    def start(self) -> None:
        """Begin both series."""
        for series in self._series:
            series.grid.start()

    async def stop(self) -> None:
        """Start nothing more, and finish what is under way."""
        for series in self._series:
            series.grid.stop()
        for series in self._series:
            await series.under_way.none()
            series.close()


class _Series:
    """One series; `turns` is the number of kept connections, none for new ones."""

    def __init__(  # noqa: PLR0913 - made in one place, just above
        self, config: Config, client: Client, recorder: Recorder, token: str, *, turns: int, interval_ns: int
    ) -> None:
        self.grid = Grid(client.loop, interval_ns, self._begin)
        self.under_way = UnderWay()
        self._client = client
        self._recorder = recorder
        self._closed_loop = config.closed_loop
        self._within_s = config.connect_ms / 1000
        self._kept = [Connection(client.loop, client.address, keep=True) for _ in range(turns)]
        self._kind = "kept" if turns else "new"
        self._ids = f"{client.prefix}{self._kind[0]}"
        self._count = 0
        # All but the access id is the same in every request.
        headers = client.headers("\0", token, keep=bool(turns))
        self._head, self._tail = request("GET", f"/patients/{config.patients[0]}", headers).split(b"\0")
        self._before = f'{{"k":"pulse","w":"{config.ward}","t":'

    def close(self) -> None:
        """Close the kept connections."""
        for connection in self._kept:
            connection.close()

    def _begin(self, intended_ns: int) -> None:
        if self._closed_loop and self.under_way.count:
            return
        self._count += 1
        self.under_way.begin()
        access = f"{self._ids}{self._count}"
        limits = Limits(self._within_s, self._within_s, self._client.loop.time() + self._within_s)
        start_ns = time.monotonic_ns()
        self._recorder.late_by(start_ns - intended_ns)
        done = partial(self._end, intended_ns, start_ns, access)
        self._connection().ask(self._head + access.encode() + self._tail, limits, done)

    def _connection(self) -> Connection:
        if not self._kept:
            return Connection(self._client.loop, self._client.address, keep=False)
        turn = self._count % len(self._kept)
        if self._kept[turn].busy:  # this process was late: the attempt before has not run out yet
            self._kept[turn].keep = False
            self._kept[turn] = Connection(self._client.loop, self._client.address, keep=True)
        return self._kept[turn]

    def _end(self, intended_ns: int, start_ns: int, access: str, result: Result) -> None:
        answer, why = result.answer, result.why
        if answer is not None and answer.status != _OK:
            why = f"status {answer.status}"
        outcome = "ok" if why is None else "failed"
        member = answer.member if answer else None
        version = version_of(answer.body) if answer is not None and outcome == "ok" else None
        self._recorder.add(
            f'{self._before}{intended_ns},"s":{start_ns},"e":{time.monotonic_ns()},"o":"{outcome}",'
            f'"c":"{self._kind}","why":{quoted(why)},"x":"{access}","m":{quoted(member)}{version or ""}}}'
        )
        self.under_way.end()


@lru_cache(maxsize=64)
def version_of(body: bytes) -> str | None:
    """How new a record is, as the end of a line: the instant of its newest act, which its page shows first."""
    begin = body.find(_AT) + len(_AT)
    instant = body[begin : body.find(b'"', begin)] if begin >= len(_AT) else b""
    return f',"ver":{quoted(instant.decode("ascii", "replace"))}' if instant else None
