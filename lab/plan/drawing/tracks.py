"""Which track each cable takes between the two rows, and where its name stands. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.plan.drawing.cables import End, Run


def tracked(found: list[Run]) -> list[Run]:
    """Give each run a track, with few crossings, and the place of its name."""
    settled = _untangled(_first_free(found))
    return [replace(run, label=_label(run, settled)) for run in settled]


def _first_free(found: list[Run]) -> list[Run]:
    """Give each run the first track that is free over its whole span; tracks of the upper row come first."""
    taken: list[list[tuple[float, float]]] = []
    done: list[Run] = []
    for run in sorted(found, key=lambda run: (not run.left.top) + (not run.right.top)):
        low, high = run.span
        free = (i for i, spans in enumerate(taken) if all(high < one or other < low for one, other in spans))
        track = next(free, len(taken))
        if track == len(taken):
            taken.append([])
        taken[track].append(run.span)
        done.append(replace(run, track=track))
    return done


def _untangled(found: list[Run]) -> list[Run]:
    """Swap neighbouring tracks as long as that leaves fewer crossings."""
    tracks = max((run.track for run in found), default=0)
    best, better = crossings(found), True
    while better:
        better = False
        for upper in range(tracks):
            turned = {upper: upper + 1, upper + 1: upper}
            tried = [replace(run, track=turned.get(run.track, run.track)) for run in found]
            count = crossings(tried)
            if count < best:
                found, best, better = tried, count, True
    return found


def crossings(found: list[Run]) -> int:
    """Count how often a cable on its way to its place crosses the track of another."""
    return sum(
        other.left.x < end.x < other.right.x and _passes(run, end, other.track)
        for run in found
        for end in (run.left, run.right)
        for other in found
    )


def _passes(run: Run, end: End, track: int) -> bool:
    return track < run.track if end.top else track > run.track


def _label(run: Run, found: list[Run]) -> float:
    """Give the middle of a cable's name: where no other cable passes, as near as can be to the middle of the run."""
    half = run.name.width / 2 + 8
    low, high = run.span
    passing = [
        end.x
        for other in found
        for end in (other.left, other.right)
        if other is not run and _passes(other, end, run.track)
    ]
    own = [run.left.x, run.right.x] if run.right.x - run.left.x > 2 * half + 24 else []
    middle = (low + high) / 2
    steps = sorted(range(int((low + half - middle) // 6), int((high - half - middle) // 6) + 1), key=abs)

    def hidden(step: int) -> int:
        return sum(abs(x - middle - 6 * step) < half + 8 for x in (*passing, *own))

    return middle + 6 * min(steps or [0], key=hidden)
