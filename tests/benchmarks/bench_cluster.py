"""The figures of the cluster: `python -m tests.benchmarks.bench_cluster [--servers N] [--repeat N]`.

`zero` with so many servers more, of which nothing is known but their size: guests. How long it takes to start them, and
to restart those of a host that lost its power, then of a room; what an idle host's agent and hypervisor cost.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from faults import PowerLoss
from lab.bench import Lab
from lab.nodes.specs import arbiters
from lab.plan import Plan, dumps, load, loads
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

Figures = dict[str, list[float]]
_IDLE = 10.0  # seconds of looking at what idle costs
_TICKS = os.sysconf("SC_CLK_TCK")


def with_guests(count: int) -> Plan:
    """The default plan on larger hosts, with so many servers more."""
    told: dict[str, Any] = yaml.safe_load(dumps(load("zero")))
    told["kinds"]["host"] |= {"cpu": 1024, "memory": "4 TiB"}
    guests = {
        f"vm-{number:03}": {"continuity": "restart", "prefers": f"salle-{number % 2 + 1}", "cpu": 1, "memory": "1 GiB",
                            "boot": "1 s"}
        for number in range(count)
    }  # fmt: skip
    told["servers"] |= guests
    return loads(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))


def events(lab: Lab, kind: str, since: int = 0) -> list[int]:
    """When agents noted something, monotonic ns, in order."""
    return sorted(int(event["at"]) for event in lab.cluster.events() if event["kind"] == kind and event["at"] > since)


def spent(lab: Lab, host: str, program: str) -> float:
    """Seconds of processor that a program of a host has used."""
    (pid, *_) = lab.levers.programs.processes(host, f"python3 -m replica.{program} ")
    fields = lab.run_in(host, "cat", f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def formed(lab: Lab) -> float:
    """Seconds from the power-on of the last host or arbiter until a host is master on record."""
    clocks = time.time() - time.monotonic()  # one machine: its engine tells the wall clock, its agents the monotonic
    needed = [*lab.cluster.hosts, *arbiters(lab.plan)]
    started = (lab.nodes.nodes[node].container.attrs["State"]["StartedAt"] for node in needed)
    last = max(datetime.fromisoformat(f"{told[:26].rstrip('Z')}+00:00").timestamp() for told in started)
    return min(events(lab, "master")) / 1e9 + clocks - last


def idle(lab: Lab, host: str) -> Iterator[tuple[str, float]]:
    """What the programs of a host take of a core when nothing happens, in percent."""
    before = {program: spent(lab, host, program) for program in ("agent", "hypervisor")}
    looked = time.monotonic()
    wait_until(lambda: time.monotonic() - looked > _IDLE, within=_IDLE + 5, because="time stands still", every=0.5)
    for program, used in before.items():
        yield program, (spent(lab, host, program) - used) / (time.monotonic() - looked) * 100


def lost(lab: Lab, what: str, hosts: set[str]) -> Iterator[tuple[str, float]]:
    """Take the power of a host or a room, and give it back: what follows, by its name."""
    carried = sum(where in hosts for where in lab.cluster.placement().values())
    struck = time.monotonic_ns()
    fault = PowerLoss(what)
    fault.inject(lab)
    wait_until(lab.cluster.is_settled, within=120, because="servers do not run", every=0.2)
    told = [event for event in lab.cluster.events() if event["at"] > struck]
    dead = {event["detail"].split()[0]: int(event["at"]) for event in told if event["kind"] == "dead"}
    guests = [int(event["at"]) for event in told if event["kind"] == "boot" and event["detail"].startswith("vm-")]
    declared = max(at for host, at in dead.items() if host in hosts)
    yield "its servers", carried
    yield "to declared dead, s", (declared - struck) / 1e9
    yield "declared dead to all its guests serving, s", (max(guests) - declared) / 1e9
    yield "healthy hosts declared dead", len(dead.keys() - hosts)
    fault.heal(lab)
    lab.wait_whole()


def measure(plan: Plan, figures: Figures) -> None:
    """One lab; one host lost, then its room."""

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    begin = time.monotonic()
    with Lab.up(plan, name=f"bench-cluster-{os.getpid()}") as lab:
        note("from nothing to all servers serving, s", time.monotonic() - begin)
        note("last host or arbiter powered on to a master on record, s", formed(lab))
        started = events(lab, "start")
        note("first to last server started, s", (max(started) - min(started)) / 1e9)
        host = next(name for name in lab.cluster.hosts if name != lab.cluster.master)
        for program, share in idle(lab, host):
            note(f"idle {program} of a host, % of a core", share)
        room = plan.nodes[host].place
        for what, hosts in (
            (host, {host}),
            (room, {one for one in lab.cluster.hosts if plan.nodes[one].place == room}),
        ):
            for name, value in lost(lab, what, hosts):
                note(f"{'a host' if what == host else 'a room'} lost: {name}", value)


def main() -> None:
    """Measure, print medians with their range, keep every value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=450)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks-cluster.json"))
    options = parser.parse_args()
    figures = Figures()
    for _ in range(options.repeat):
        measure(with_guests(options.servers), figures)
    width = max(map(len, figures))
    print(f"{'figure':{width}}  median  (lowest - highest of {options.repeat})")  # noqa: T201 - a program
    for name, values in figures.items():
        print(  # noqa: T201 - a program
            f"{name:{width}}  {statistics.median(values):6.2f}  ({min(values):.2f} - {max(values):.2f})"
        )
    options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
