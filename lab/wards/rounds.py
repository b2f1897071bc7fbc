"""The rounds: hundreds of pulses of one attempt a second, spread in phase, in one process beside the main pulse.

The main pulse says how long the service was away, to a hundredth of a second; the rounds say who was away, to a
second: each pulse asks its own address whether it is well. Nothing is signed and nothing is traced, so that 450 of them
cost the lab little.
"""

from __future__ import annotations

import time
from functools import partial
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


class Rounds:
    """So many pulses a second, one after the other on one grid: pulse n is begun n intervals after the first."""

    def __init__(self, config: Config, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._count = 0
        self._pulses = config.rounds
        self._within_s = config.connect_ms / 1000
        self._addresses = config.addresses or (config.url_host,)
        self._port = config.port
        self._under_way = UnderWay()
        self._grid = Grid(client.loop, config.rounds_interval_ns, self._begin)
        self._before = f'{{"k":"beat","w":"{config.ward}","b":'

    def start(self) -> None:
        """Begin."""
        self._grid.start()

    async def stop(self) -> None:
        """Start nothing more, and finish what is under way."""
        self._grid.stop()
        await self._under_way.none()

    def _begin(self, intended_ns: int) -> None:
        pulse = self._count % self._pulses
        self._count += 1
        self._under_way.begin()
        address = self._addresses[pulse % len(self._addresses)]
        message = request("GET", "/health", {"Host": address, "Connection": "close"})
        limits = Limits(self._within_s, self._within_s, self._client.loop.time() + self._within_s)
        start_ns = time.monotonic_ns()
        self._recorder.late_by(start_ns - intended_ns)
        done = partial(self._end, pulse, address, intended_ns, start_ns)
        Connection(self._client.loop, (address, self._port), keep=False).ask(message, limits, done)

    def _end(self, pulse: int, address: str, intended_ns: int, start_ns: int, result: Result) -> None:
        answer, why = result.answer, result.why
        if answer is not None and answer.status != _OK:
            why = f"status {answer.status}"
        member = answer.member if answer else None
        self._recorder.add(
            f'{self._before}{pulse},"a":"{address}","t":{intended_ns},"s":{start_ns},"e":{time.monotonic_ns()},'
            f'"o":"{"ok" if why is None else "failed"}","why":{quoted(why)},"m":{quoted(member)}}}'
        )
        self._under_way.end()
