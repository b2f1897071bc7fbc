"""Writing the history: whole lines, appended, by several processes to one file."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_EVERY_S = 0.05  # a client killed without warning loses no more than this
_LAG_EVERY_NS = 5_000_000_000
_IN_A_THOUSAND = 1000


@lru_cache(maxsize=1024)
def quoted(text: str | None) -> str:
    """A text as JSON; reasons and members come back all the time."""
    return json.dumps(text)


class Recorder:
    """The history's writer.

    Lines are kept for a twentieth of a second, then appended with one write(2): O_APPEND makes that safe
    among processes.

    Args:
        path: the history.
        writer: the name in start, lag and end lines.
        loop: the running loop.
    """

    def __init__(self, path: str, writer: str, loop: asyncio.AbstractEventLoop) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._writer = writer
        self._loop = loop
        self._lines: list[str] = []
        self._lags = array("q")
        self._lag_due = time.monotonic_ns() + _LAG_EVERY_NS
        self._timer = loop.call_later(_EVERY_S, self._tick)

    def start(self, **grid_ns: int) -> None:
        """Say who writes, and on which grid."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        row = {"k": "start", "v": 1, "writer": self._writer, "t": time.monotonic_ns(), "utc": now, **grid_ns}
        self.add(json.dumps(row, separators=(",", ":")))
        self.flush()

    def add(self, line: str) -> None:
        """Add a record, without its line end."""
        self._lines.append(line)

    def late_by(self, lag_ns: int) -> None:
        """Note how late something was started."""
        self._lags.append(lag_ns)

    def end(self) -> None:
        """Write what is left, the last lags and the end line, and close."""
        self._timer.cancel()
        self._note_lag()
        self.add(f'{{"k":"end","writer":"{self._writer}","t":{time.monotonic_ns()}}}')
        self.flush()
        os.close(self._file)

    def flush(self) -> None:
        """Append what was added."""
        if not self._lines:
            return
        self._lines.append("")
        data = memoryview("\n".join(self._lines).encode())
        self._lines.clear()
        while data:
            data = data[os.write(self._file, data) :]

    def _tick(self) -> None:
        if time.monotonic_ns() >= self._lag_due:
            self._note_lag()
        self.flush()
        self._timer = self._loop.call_later(_EVERY_S, self._tick)

    def _note_lag(self) -> None:
        self._lag_due = time.monotonic_ns() + _LAG_EVERY_NS
        if not self._lags:
            return
        lags = sorted(self._lags)
        p999 = lags[-1 - len(lags) // _IN_A_THOUSAND]
        stamp = f'"writer":"{self._writer}","t":{time.monotonic_ns()}'
        self.add(f'{{"k":"lag",{stamp},"p999_ns":{p999},"max_ns":{lags[-1]}}}')
        self._lags = array("q")
