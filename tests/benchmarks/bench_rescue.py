"""What room three costs and how fast it is: `python -m tests.benchmarks.bench_rescue [--plan PLAN] [--repeat N]`.

The same plan without its rescue node and with it, in alternate order: what a journey of the wards takes at the median,
and how much of it is the outbox. Then room three loses its power under load, 10,000 acts pile up, it comes back and
catches up; and both rooms are lost.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from faults import PowerLoss, Then
from lab.bench import Lab
from lab.measure.records import OK
from lab.plan import Plan, Scope, dumps, load, loads
from lab.run import Run
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.measure import History

Figures = dict[str, list[float]]
_BACKLOG = 10_000
_KINDS = {"any journey": "", "journey that writes": "write", "journey that reads": "read"}
_PILE_UP = """
import json
from replica.emr.access import now
from replica.emr.store import engine_of
from replica.emr.writing import ACT
from replica.outbox import carrying
from sqlalchemy import insert
with engine_of(json.load(open("/run/bascule/MEMBER.json")), wait=60.0).begin() as connection:
    for number in range(COUNT):
        row = {"number": f"pile-{number}", "patient": "p0001", "clinician": "c001", "kind": "toilette",
                "note": "Aide partielle.", "at": now()}
        access = {"access": f"pile-{number}", "member": "MEMBER", "clinician": "c001",
                   "patient": "p0001", "action": "record-act", "at": row["at"]}
        connection.execute(insert(ACT.table), row)
        carrying.put(connection, "act", row["number"], row=row, access=access)
"""


def without_room_three(plan: Plan) -> Plan:
    """The same plan, but nothing of it is fed anywhere."""
    told: dict[str, Any] = yaml.safe_load(dumps(plan))
    for room in told["rooms"].values():
        room.pop("rescue", None)
    return loads(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))


def up(plan: Plan, figures: Figures, name: str) -> Lab:
    """From nothing to steady state, image and templates being there."""
    lab = Lab.up(plan, name=f"bench-{os.getpid()}")
    figures.setdefault(f"from nothing to steady state, {name}, s", []).append(lab.phases["build"])
    return lab


def latencies(history: History, kind: str = "", since_ns: int = 0) -> list[float]:
    """Milliseconds from intended start to answer."""
    return [
        (op.end_ns - op.intended_ns) / 1e6
        for op in history.operations
        if op.outcome == OK and kind in {"", op.kind} and op.intended_ns > since_ns
    ]


def watched(lab: Lab, run: Run, figures: Figures, name: str, seconds: float) -> dict[str, float]:
    """What the wards see of a calm lab, at the median: of any journey, of those that write, of those that read."""
    lab.begin(run.begin("bench", "bench", name, name))
    with lab.service("dopasoins").observed(writes=5) as seen:
        begun = time.monotonic_ns()  # the first ones found everything cold
        until = begun + seconds * 1e9
        wait_until(lambda: time.monotonic_ns() > until, within=seconds + 5, because="time stands still", every=0.5)
    history = seen.history()
    found = {told: statistics.median(latencies(history, kind, begun)) for told, kind in _KINDS.items()}
    for told, value in found.items():
        figures.setdefault(f"{told}, {name}, p50, ms", []).append(value)
    return found


def in_turn(lab: Lab, run: Run, figures: Figures, seconds: float) -> None:
    """The same lab with room three and without, in turn: a busy machine is busy for both."""
    node = str(lab.rescue.node)
    lab.begin(run.begin("bench", "bench", "in turn", "in turn"))
    spans: dict[str, list[tuple[int, int]]] = {"fed": [], "breaker open": []}
    with lab.service("dopasoins").observed() as seen:
        for _ in range(4):
            for name, nodes in (("fed", []), ("breaker open", [node])):
                lab.levers.hang(nodes)
                begun = time.monotonic_ns() + 1_500_000_000  # what the change itself costs is measured apart
                wait_until(lambda b=begun: time.monotonic_ns() - b > seconds * 1e9, within=seconds + 5, because="-")  # type: ignore[misc]
                spans[name].append((begun, time.monotonic_ns()))
                lab.levers.wake(nodes)
            wait_until(lab.service("dopasoins").is_whole, within=30, because="it does not catch up")
    history = seen.history()
    for told, kind in _KINDS.items():
        for name, parts in spans.items():
            found = [
                (op.end_ns - op.intended_ns) / 1e6
                for op in history.operations
                if op.outcome == OK and kind in {"", op.kind} and any(a < op.intended_ns < b for a, b in parts)
            ]
            figures.setdefault(f"{told}, {name}, p50, ms", []).append(statistics.median(found))


def away(lab: Lab, run: Run, figures: Figures) -> None:
    """Room three loses its power under load, and comes back to a backlog."""
    node = str(lab.rescue.node)
    lab.begin(run.begin("bench", "bench", "away", "away"))
    with lab.service("dopasoins").observed(writes=5) as seen:
        lab.levers.power_off([node])
        struck = begun = time.monotonic_ns()
        wait_until(lambda: (time.monotonic_ns() - begun) > 15e9, within=20, because="time stands still", every=0.5)
    found = sorted(latencies(seen.history(), "write", struck), reverse=True)
    figures.setdefault("write while room three is dead, longest, ms", []).append(found[0])
    figures.setdefault("write while room three is dead, second longest, ms", []).append(found[1])
    figures.setdefault("write while room three is dead, p50, ms", []).append(statistics.median(found))
    member = lab.service("dopasoins").active()
    lab.run_in(
        lab.cluster.host_of(member), "python3", "-c", _PILE_UP.replace("MEMBER", member).replace("COUNT", str(_BACKLOG))
    )
    lab.levers.power_on([node])
    wait_until(lambda: lab.rescue.status("dopasoins") is not None, within=60, because="room three does not boot")
    back = time.monotonic()
    wait_until(lab.service("dopasoins").is_whole, within=120, because="it does not catch up", every=0.05)
    figures.setdefault(f"catch-up of {_BACKLOG:,} acts, s", []).append(time.monotonic() - back)
    lab.wait_whole()


def lost(lab: Lab, run: Run, figures: Figures) -> None:
    """Both rooms are lost: what the machines take, human steps apart."""
    lab.begin(run.begin("bench", "bench", "lost", "lost"))
    rooms = dict.fromkeys(lab.plan.nodes[host].place for host in lab.cluster.hosts)
    service = lab.service("dopasoins")
    with service.observed(writes=5) as seen, lab.fault(Then(*map(PowerLoss, rooms), scope=Scope.BOTH_ROOMS)):
        found = lab.recover()
        lab.hold()
    verdict = service.judge(seen)
    figures.setdefault("both rooms lost: machine time, s", []).append(found.machine.total_seconds())
    figures.setdefault("both rooms lost: acknowledged writes lost", []).append(len(verdict.lost))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", default="tiny")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--calm", action="store_true", help="only what room three costs while nothing fails")
    parser.add_argument("--output", type=Path, default=Path("benchmarks-rescue.json"))
    options = parser.parse_args()
    plan, figures = load(options.plan), Figures()
    run = Run(Path("runs"), plan)
    plans = {"no room three": without_room_three(plan), "room three fed": plan}
    for turn in range(options.repeat):
        seen: dict[str, dict[str, float]] = {}
        for name in plans if turn % 2 else reversed(plans):
            with up(plans[name], figures, name) as lab:
                seen[name] = watched(lab, run, figures, name, options.seconds)
                if plans[name] is plan and not options.calm:
                    in_turn(lab, run, figures, options.seconds / 3)
                    away(lab, run, figures)
                    lost(lab, run, figures)
        for kind, before in seen["no room three"].items():
            more = 100 * (seen["room three fed"][kind] / before - 1)
            figures.setdefault(f"{kind}, what room three adds, %", []).append(more)
    for name, values in figures.items():
        print(f"{name:60} {statistics.median(values):10.2f}  {[round(value, 2) for value in values]}")  # noqa: T201 - a report
    options.output.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
