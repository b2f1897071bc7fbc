"""Kill a node with mounted disks under load, again and again: `python -m tests.harness.campaigns.disk_kills`.

After each kill: no task that stays in uninterruptible sleep, no loop device left bound, no FUSE connection left; after
each new start: all that was flushed is there, and some of what was not is gone. A wedge, should one come, is told with
the kernel stacks of the stuck tasks, and freed by ending our own FUSE connections.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.enclosure import ensure_image, loops
from lab.nodes.volumes import Blank, ensure_volume
from lab.waiting import WaitedInVainError, wait_until
from tests.harness.campaigns.disk_lab import DiskLab, Found
from tests.harness.campaigns.machine import Stuck, Traces, abort, fuse_control, stuck

if TYPE_CHECKING:
    from pathlib import Path

VICTIMS = ("node", "enclosure")
WEDGED_AFTER = 10.0  # seconds; ends took 0.1 to 0.4 s
_LIVES = (0.05, 1.0)  # seconds between the start of the load and the kill


@dataclass
class Tally:
    """What the kills showed."""

    ends: list[float] = field(default_factory=list)
    wedges: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    forgotten: int = 0
    lives: int = 0
    starts: list[float] = field(default_factory=list)

    def saw(self, found: dict[str, Found]) -> None:
        """Count what the loads found after a kill."""
        self.lives += 1
        self.losses += [f"{kind} disk, life {self.lives}: {seen}" for kind, seen in found.items() if seen.has_lost]
        self.forgotten += found["unflushed"].has_forgotten

    def __str__(self) -> str:
        ends, starts = sorted(self.ends), sorted(self.starts)
        return (
            f"{len(ends)} kills, {len(self.wedges)} wedges; gone after {ends[len(ends) // 2]:.2f} s (median), "
            f"{ends[-1]:.2f} s (longest); running again after {starts[len(starts) // 2]:.2f} s (median); "
            f"flushed data lost {len(self.losses)} times; unflushed data forgotten in {self.forgotten} of {self.lives}"
        )


def campaign(victim: str, kills: int, seed: int, store: Path, image: Path) -> Tally:
    """Kill `victim` so many times."""
    chance, tally = random.Random(seed), Tally()  # noqa: S311 - a seed to play it again
    name = f"disks-{victim}-{seed}"
    with fuse_control() as control, DiskLab(name, store, image) as lab:
        traces = Traces(control, name, set())
        for turn in range(kills + 1):
            begun = time.monotonic()
            lab.start()
            tally.starts.append(time.monotonic() - begun)
            if turn:
                tally.saw(lab.found())
            if turn == kills:
                break
            traces.minors = lab.minors()
            assert len(traces.minors) == 2, "each disk has a FUSE connection"
            _live(chance.uniform(*_LIVES))
            _kill(lab, victim, traces, tally)
    tally.wedges += _sleepers(name)
    return tally


def _live(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > until, within=seconds + 5, because="time stands still")


def _kill(lab: DiskLab, victim: str, traces: Traces, tally: Tally) -> None:
    begun = time.monotonic()
    (lab.kill_node if victim == "node" else lab.kill_enclosure)()
    try:
        wait_until(lambda: lab.is_dead() and not traces.left(), within=WEDGED_AFTER, because="something stays")
    except WaitedInVainError:
        tally.wedges.append(_wedge(traces, stuck()))
        abort(traces.control, traces.minors)
        wait_until(lambda: lab.is_dead() and not traces.left(), within=20, because="the cure does not help")
    tally.ends.append(time.monotonic() - begun)
    lab.bury()


def _sleepers(lab: str) -> list[str]:
    """Kernel threads of the lab's loop devices that do not wake for as long as a wedge is told by."""
    ours = [f"loop{number}" for number in loops.numbers(lab)]

    def asleep() -> list[Stuck]:
        return [task for task in stuck() if any(name in task.name for name in ours)]

    try:
        wait_until(lambda: not asleep(), within=WEDGED_AFTER, because="kernel threads sleep")
    except WaitedInVainError:
        return [f"{task.name} sleeps in\n{task.stack}" for task in asleep()]
    return []


def _wedge(traces: Traces, tasks: list[Stuck]) -> str:
    return "; ".join([*traces.left(), *(f"{task.name} ({task.pid}) sleeps in\n{task.stack}" for task in tasks)])


def main() -> int:
    """Run the campaign that the command line asks for; 1 when anything was lost or stuck."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--victim", choices=VICTIMS, action="append")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    store = ensure_image(print)
    image = ensure_volume(store, Blank(64 << 20), print)
    failed = False
    for victim in options.victim or VICTIMS:
        tally = campaign(victim, options.kills, options.seed, store, image)
        print(f"{victim}, seed {options.seed}: {tally}", *tally.wedges, *tally.losses, sep="\n")  # noqa: T201 - its result
        failed |= bool(tally.wedges or tally.losses)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
