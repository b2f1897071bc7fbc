"""The figures of the lab itself, as medians: `python -m tests.benchmarks [--repeat N] [--plan PLAN]`.

Prints a table and writes `benchmarks.json`. The instruments have their own: `bench_prober.py`, `bench_judging.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from faults import Blackhole, CableCut, PowerLoss
from lab.bench import Lab
from lab.plan import NodeKind, load
from lab.run import Run
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.faulting import Fault
    from lab.plan import Plan

Figures = dict[str, list[float]]


def build(plan: Plan, figures: Figures) -> Lab:
    """From nothing to steady state, the image being there."""
    begin = time.monotonic()
    lab = Lab.up(plan, name=f"bench-{os.getpid()}")
    figures.setdefault("from nothing to steady state, s", []).append(time.monotonic() - begin)
    return lab


def room_power(lab: Lab, figures: Figures) -> None:
    """From the first port that goes dark until the last node of a room is dead to others; then the way back."""
    place = lab.plan.places[next(iter(lab.plan.rooms))]
    begun, stopped, dark = lab.levers.power_off(
        place.nodes, [name for names in place.switches.values() for name in names]
    )
    figures.setdefault("room without power, first to last node, ms", []).append((stopped - begun) / 1e6)
    figures.setdefault("room without power, last port dark, ms", []).append((dark - begun) / 1e6)
    wait_until(lambda: not any(map(lab.nodes.is_on, lab.nodes.nodes.keys() & place.nodes)), within=10, because="alive")
    given_back = time.monotonic()
    lab.levers.mend_all()
    lab.wait_whole()
    figures.setdefault("room back to a whole lab, s", []).append(time.monotonic() - given_back)


def cables(lab: Lab, figures: Figures) -> None:
    """From call to effect, the journal's write to disk apart."""
    ends = [end for strand in lab.layout.strands_of(next(iter(lab.plan.cables))) for end in strand.ends]
    begin = time.monotonic_ns()
    sealed, dark = lab.fabric.cut(ends)
    figures.setdefault("cable cut, nothing passes, ms", []).append((sealed - begin) / 1e6)
    figures.setdefault(f"cable cut, all {len(ends)} ends dark, ms", []).append((dark - begin) / 1e6)
    assert not any(lab.fabric.links()[end].carrier for end in ends), "an end is lit"
    lab.fabric.unseal(ends)
    lab.fabric.power(ends, up=True)
    begin = time.monotonic_ns()
    lab.fabric.kill(ends, seconds=60)
    figures.setdefault("silent cable, ms", []).append((time.monotonic_ns() - begin) / 1e6)
    lab.fabric.revive(ends)
    lab.wait_whole()


def beside_the_engine(lab: Lab, figures: Figures) -> None:
    """A node of no weight frozen and thawed: by its control group, as the levers do, and by the engine's own SDK."""
    node = next(node.name for node in lab.plan.nodes.values() if node.kind is NodeKind.ARBITER)
    container = lab.enclosure.engine.containers.get(node)
    ways: tuple[tuple[str, Callable[[], object], Callable[[], object], Callable[[], bool]], ...] = (
        (
            "freeze by control group, ms",
            lambda: lab.nodes.stop([node]),
            lambda: lab.nodes.wake([node]),
            lambda: lab.nodes.is_frozen(node),
        ),
        (
            "freeze by the engine's SDK, ms",
            container.pause,
            container.unpause,
            lambda: lab.enclosure.engine.containers.get(node).status == "paused",
        ),
    )
    for name, freeze, thaw, is_frozen in ways:
        begin = time.monotonic_ns()
        freeze()
        figures.setdefault(name, []).append((time.monotonic_ns() - begin) / 1e6)
        assert is_frozen(), "it runs on"
        thaw()
    lab.wait_whole()


def seen(lab: Lab, run: Run, fault: Fault, figures: Figures) -> None:
    """What the wards saw of a fault."""
    lab.begin(run.begin("bench", "bench", str(fault), fault.french))
    service = lab.service("dopasoins")
    with service.observed() as history, lab.fault(fault):
        lab.hold()
    verdict = service.judge(history)
    figures.setdefault(f"{fault}: longest freeze, s", []).append(verdict.freeze.total_seconds())
    figures.setdefault(f"{fault}: operations failed", []).append(verdict.operations_failed)
    figures.setdefault(f"{fault}: smallest detectable gap, ms", []).append(verdict.smallest_gap.total_seconds() * 1e3)


def chosen(plan: Plan) -> Iterator[Fault]:
    """The faults that the reach of this version names."""
    host = plan.host_of(plan.services["dopasoins"].runs_on[0])
    yield PowerLoss(host)
    yield PowerLoss(plan.nodes[host].place)
    cable = next(iter(plan.cables))
    yield CableCut(cable)
    yield Blackhole(cable)


def main() -> None:
    """Measure, print medians with their range, keep every value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", default="zero")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"))
    options = parser.parse_args()
    plan, figures = load(options.plan), Figures()
    run = Run(Path("runs") / "benchmarks", plan)
    for _ in range(options.repeat):
        with build(plan, figures) as lab:
            room_power(lab, figures)
            cables(lab, figures)
            beside_the_engine(lab, figures)
            for fault in chosen(plan):
                seen(lab, run, fault, figures)
    width = max(map(len, figures))
    print(f"{'figure':{width}}  median  (lowest - highest of {options.repeat})")  # noqa: T201 - a program
    for name, values in figures.items():
        median = statistics.median(values)
        print(f"{name:{width}}  {median:6.2f}  ({min(values):.2f} - {max(values):.2f})")  # noqa: T201 - a program
    options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
