"""Which outages and freezes are played, and in what order."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from lab.measure import History
from lab.waiting import wait_until

from .known import Calibration, Known, calibration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .rig import Rig

_CALM_S = (0.15, 0.25)  # between two, drawn: each begins at another phase of the pulse's grid
_AFTER_FREEZE_S = 1.0
_RATE = 5.0  # operations a second, as in a scenario
_SLACK_S = 10.0


@dataclass(frozen=True)
class Course:
    """How many outages of each length (seconds), half of them by dropping and half by cutting, and how many freezes."""

    outages: tuple[tuple[float, int], ...]
    freezes: tuple[tuple[float, int], ...] = ()

    def planned(self, seed: int) -> Iterator[tuple[str, float]]:
        """What is done, in an order drawn from the seed; freezes last, since they need another client."""
        told = [("drop" if n % 2 else "cut", length) for length, count in self.outages for n in range(count)]
        Random(seed).shuffle(told)  # noqa: S311 - an order, not a secret
        yield from told
        yield from (("freeze", length) for length, count in self.freezes for _ in range(count))


SHORT = Course(((0.05, 4), (0.1, 2), (0.2, 2)))
LONG = Course(
    ((0.01, 20), (0.02, 20), (0.03, 20), (0.05, 20), (0.1, 20), (0.2, 10), (0.5, 10), (1.0, 20), (5.0, 20), (10.0, 2)),
    ((0.5, 4), (1.0, 4), (3.0, 4)),
)


def play(course: Course, seed: int = 1, say: Callable[[str], None] = lambda _: None) -> Calibration:
    """Play a course on a rig of its own, and compare.

    Raises:
        LabError: this machine does not allow it.
    """
    from .rig import rig  # noqa: PLC0415 - netlink, which only a played course pays for

    draw = Random(seed)  # noqa: S311 - phases, not secrets
    planned = list(course.planned(seed))
    cables = [one for one in planned if one[0] != "freeze"]
    freezes = [one for one in planned if one[0] == "freeze"]
    with tempfile.TemporaryDirectory(prefix="bascule-calibration-") as folder, rig(Path(folder)) as built:
        say(f"{len(cables)} outages of known length")
        with built.observed("pulse", rate=_RATE):
            known = list(_done(built, cables, draw, 0.0))
        if freezes:
            say(f"{len(freezes)} freezes of known length")
            with built.observed("journeys", rate=_RATE):
                known += _done(built, freezes, draw, _AFTER_FREEZE_S)
        with built.history.open(encoding="utf-8") as lines:
            return calibration(History.parse(lines), known)


def _done(built: Rig, planned: Iterable[tuple[str, float]], draw: Random, more: float) -> Iterator[Known]:
    for how, length in planned:
        _pass(draw.uniform(*_CALM_S) + more)
        built.break_(how)
        begin = time.monotonic_ns()
        _pass(length)
        built.mend(how)
        yield Known(how, length, begin, time.monotonic_ns())
    _pass(_CALM_S[1] + more)


def _pass(seconds: float) -> None:
    """Let time pass: nothing can be waited for but the clock."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, within=seconds + _SLACK_S, because="time stands still", every=0.0005)
