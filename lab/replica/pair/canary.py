"""Notices that this server gets no processor, and gives the address away for it: `… canary LATE LEAVES SPARE`.

A member at 1 % of a processor keeps the address: it says that it is there as often as it must, and whoever would know
better, the supervisor, has not had its turn for seconds. This program does next to nothing, before all others, and
sees one thing: that it sleeps longer than it asked to, again and again.

LATE becomes `1` while it is so, else `0`; LEAVES, which keepalived watches, the same, as long as SPARE says `1`: the
twin could serve. Whoever has no spare stays.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from pathlib import Path

_EVERY = 0.05  # seconds of sleep
_LAG = 0.03  # seconds more than that which are no longer a busy machine's usual lateness
_WINDOW = 1.0  # seconds that are looked at
# So much of them lost, in so many sleeps: a machine that stands still once is late for everybody.
_LOST, _SLEEPS = 0.4, 2
_LASTS = 3.0  # seconds of turns in time before it is well again


class Lateness:
    """Adds up what sleeps lasted too long."""

    def __init__(self) -> None:
        self._lags: deque[tuple[float, float]] = deque()
        self._late_at = float("-inf")

    def slept(self, begun: float, ended: float) -> bool:
        """Whether this server is late, after one more sleep."""
        lag = ended - begun - _EVERY
        if lag >= _LAG:
            self._lags.append((ended, lag))
        while self._lags and self._lags[0][0] < ended - _WINDOW:
            self._lags.popleft()
        if len(self._lags) >= _SLEEPS and sum(lag for _, lag in self._lags) >= _LOST:
            self._late_at = ended
        return ended - self._late_at < _LASTS


def note(path: Path, *, value: bool) -> None:
    """Make a file say `1` or `0`, at once: whoever watches it never sees it half written."""
    new = path.with_suffix(".new")
    new.write_text(f"{value:d}\n", encoding="ascii")
    new.replace(path)


def noted(path: Path) -> bool:
    """Whether a file says `1`."""
    try:
        return path.read_text(encoding="ascii").strip() == "1"
    except FileNotFoundError:
        return False


def main(late: Path, leaves: Path, spare: Path) -> None:
    """Watch until killed."""
    lateness, pause = Lateness(), threading.Event()
    said: tuple[bool | None, ...] = None, None  # what a canary before this one said is not known
    begun = time.monotonic()
    while True:
        pause.wait(_EVERY)
        ended = time.monotonic()
        is_late = lateness.slept(begun, ended)
        now = is_late, is_late and noted(spare)
        for path, before, after in zip((leaves, late), reversed(said), reversed(now), strict=True):
            if before != after:
                note(path, value=after)
        said, begun = now, time.monotonic()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
