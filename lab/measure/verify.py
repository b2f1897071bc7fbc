"""Derives the headline figures of this run folder from its raw attempts, and compares them with the stored verdicts.

`python3 verify.py [RUN]`; standard library only. A second opinion: it shares no line with the program that judged.
Exit code 0: every verdict agrees; 1: one does not; 2: there was nothing to compare.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Figures = dict[str, float]

NANO = 1e9
CLOSE = 0.01  # seconds; before December 2026 an operation's end was another instant than its last attempt's


def rows_of(path: Path) -> list[Row]:
    """The lines of a file that are whole."""
    found = []
    for line in path.read_text("utf-8", "replace").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def operations_of(rows: list[Row], since: int, patience: float) -> list[Row]:
    """Each user action as its attempts tell it; those that ended before the fault are left out."""
    tries = defaultdict(list)
    for row in rows:
        if row["k"] == "try":
            tries[row["op"]].append(row)
    found = []
    for row in (row for row in rows if row["k"] == "op"):
        made = tries.get(row["op"], [row])
        done = next((one for one in made if one["o"] == "ok"), None)
        end = (done or max(made, key=lambda one: int(one["e"])))["e"]
        if max(end, row["e"]) > since:
            good = done is not None and end - row["t"] <= patience
            found.append({**row, "good": good, "done": done is not None, "end": end})
    return sorted(found, key=lambda op: int(op["t"]))


def outages(operations: list[Row], last: int) -> list[list[int]]:
    """From the first action of a journey that failed to the next of the same ward and kind that did not."""
    journeys = defaultdict(list)
    kinds = defaultdict(list)
    for op in operations:
        journeys[op["w"], op["j"], op["a"]].append(op)
        if op["good"]:
            kinds[op["w"], op["a"]].append(op["t"])
    found: list[list[int]] = []
    for (ward, _, kind), mine in journeys.items():
        failing: list[int] = []
        for op in [*mine, {"good": True}]:
            if not op["good"]:
                failing.append(op["t"])
            elif failing:
                back = [at for at in kinds[ward, kind] if at > failing[-1]]
                found.append([failing[0], min(back, default=last)])
                failing = []
    return united(found)


def united(spans: list[list[int]]) -> list[list[int]]:
    """Spans that touch become one."""
    whole: list[list[int]] = []
    for begin, end in sorted(spans):
        if whole and begin <= whole[-1][1]:
            whole[-1][1] = max(whole[-1][1], end)
        else:
            whole.append([begin, end])
    return whole


def gap(probes: list[Row], interval: int) -> int:
    """The longest time between two good attempts of a ward's pulse with a bad one between them."""
    longest = 0
    for ward in {row["w"] for row in probes}:
        mine = sorted((row["t"], row["o"] == "ok") for row in probes if row["w"] == ward)
        good, bad = mine[0][0] - interval, False
        for at, fine in [*mine, (mine[-1][0] + interval, True)]:
            if fine:
                longest = max(longest, at - good - interval if bad else 0)
                good, bad = at, False
            else:
                bad = True
    return longest


def figures_of(folder: Path, mark: str = "") -> Figures:
    """The headline figures of one scenario; of several services, those of the one whose files have this mark."""
    rows = [row for row in rows_of(folder / f"history{mark}.jsonl") if "k" in row]
    since = next((row["t"] for row in rows_of(folder / "events.jsonl") if row.get("what") == "inject"), 0)
    starts = [row for row in rows if row["k"] == "start"]
    patience = max((row["patience_ns"] for row in starts if row.get("patience_ns")), default=float("inf"))
    interval = max((row["interval_ns"] for row in starts if row["writer"].startswith("pulse")), default=0)
    probes = [row for row in rows if row["k"] == "pulse" and row["c"] == "new" and row["e"] > since]
    operations = operations_of(rows, since, patience)
    last = max([row["e"] for row in probes] + [op["e"] for op in operations], default=0)
    spans = [end - begin for begin, end in outages(operations, last)]
    waits = [op["end"] - op["t"] for op in operations if op["good"]]
    return {
        "operations": len(operations),
        "operations_failed": sum(not op["good"] for op in operations),
        "interruption_s": max(spans, default=0) / NANO,
        "interruption_total_s": sum(spans) / NANO,
        "interruption_without_retries_s": gap(probes, interval) / NANO if probes else 0,
        "freeze_s": max(waits, default=0) / NANO,
        **held(folder / f"readback{mark}.json", rows, operations_of(rows, -1, patience)),
    }


def held(path: Path, rows: list[Row], operations: list[Row]) -> Figures:
    """What the copies and the trail lack or have twice; nothing where they were not read back."""
    if not path.is_file():
        return {}
    stored = json.loads(path.read_text("utf-8"))
    copies = [{**copy.get("acts", {}), **copy.get("prescriptions", {})} for copy in stored["copies"].values()]
    answered = {row["x"] for row in rows if row["k"] in {"pulse", "try"} and row["o"] == "ok"}
    trails = [set(stored["trail"]), *({row[0] for row in trace} for trace in stored.get("traces", {}).values())]
    written = {op["key"] for op in operations if op["key"]}
    sure = {op["key"] for op in operations if op["key"] and op["done"]}
    return {
        "lost": sum(any(not copy.get(key) for copy in copies) for key in sure),
        "duplicated": sum(any(copy.get(key, 0) > 1 for copy in copies) for key in written),
        "untraced": sum(any(access not in trail for trail in trails) for access in answered),
    }


def differences(folder: Path) -> list[str] | None:
    """What the verdicts say otherwise: one, or one for each service; None where nothing was measured."""
    each = sorted(folder.glob("verdict-*.json")) or [folder / "verdict.json"]
    found = [told for told in (differs(folder, path) for path in each) if told is not None]
    return [line for told in found for line in told] if found else None


def differs(folder: Path, path: Path) -> list[str] | None:
    """The same for one verdict."""
    try:
        verdict = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not verdict.get("attempts"):
        return None
    mark = f"-{verdict['service']}"
    if not (folder / f"history{mark}.jsonl").is_file():
        mark = ""
    found = []
    for name, mine in figures_of(folder, mark).items():
        theirs = verdict[name]
        theirs = len(theirs) if isinstance(theirs, list) else theirs
        if abs(theirs - mine) > (CLOSE if name.endswith("_s") else 0):
            found.append(f"{name} is {mine:g} here, {theirs:g} in the verdict")
    return found


def main(arguments: list[str]) -> int:
    """Compare every scenario of a run folder; one line each."""
    run = Path(arguments[0]) if arguments else Path(__file__).parent
    compared, wrong = 0, 0
    for folder in sorted(path.parent for path in run.glob("*/verdict.json")):
        found = differences(folder)
        if found is None:
            print(f"{folder.name}: nothing was measured")  # noqa: T201 - a program
            continue
        compared, wrong = compared + 1, wrong + bool(found)
        print(f"{folder.name}: {'differs: ' + '; '.join(found) if found else 'agrees'}")  # noqa: T201 - a program
    return 1 if wrong else 0 if compared else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
