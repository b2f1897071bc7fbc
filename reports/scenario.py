"""From the folder of one scenario to its result. No damage stops the report: each gap is an entry of the result."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lab.measure import History, Verdict, VerdictError
from lab.measure.records import OK
from reports.lanes import NANO, lanes_of
from reports.model import Before, Description, Event, Gap, Objective, Problem, ScenarioResult
from reports.records import EventRecord, ScenarioRecord, StartRecord, read
from reports.segments import segments

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def load_scenario(run_folder: Path, name: str) -> tuple[ScenarioResult, ...]:
    """Return all that the folder of a scenario still says: a result for each service that was observed.

    The first has the scenario's name and files with plain names, any other a name and files that end with its own.
    """
    folder = run_folder / name
    if "/" in name or name in {"", ".", ".."} or not folder.is_dir():
        return (ScenarioResult(name, gaps=(Gap(f"{name}/", Problem.ABSENT),)),)
    others = sorted(path.stem.removeprefix("scenario") for path in folder.glob("scenario-*.json"))
    return tuple(_loaded(folder, mark) for mark in ("", *others))


def _loaded(folder: Path, mark: str) -> ScenarioResult:
    name = folder.name
    record, gaps = read(folder / f"scenario{mark}.json", ScenarioRecord, f"{name}/scenario{mark}.json")
    verdict, verdict_gaps = _verdict(folder, record.service if record else mark.removeprefix("-"))
    events, event_gaps = _events(folder)
    history, start, history_gaps = _history(folder, f"history{mark}.jsonl")
    if not (folder / f"readback{mark}.json").is_file():
        history_gaps += (Gap(f"{name}/readback{mark}.json", Problem.ABSENT),)
    marks = {what: _first(events, what) for what in ("inject", "heal", "return")}
    began = (marks["inject"], start.t if start else None, events[0].t if events else None)
    origin = next((at for at in began if at is not None), 0)

    def since(at: int | None) -> float | None:
        return None if at is None else (at - origin) / NANO

    told = tuple(Event((e.t - origin) / NANO, e.what, e.text, e.text_fr) for e in events)
    lanes = lanes_of(history, origin) if history else ()
    return ScenarioResult(
        id=f"{name}{mark}",
        description=_description(record) if record else None,
        verdict=verdict,
        began=_universal(start, origin) if start else None,
        injected=since(marks["inject"]),
        healed=since(marks["heal"]),
        returned=since(marks["return"]),
        events=told,
        lanes=lanes,
        segments=segments(told, lanes, *(since(marks[what]) for what in ("inject", "heal", "return"))),
        before=_before(history, marks["inject"]) if history else None,
        gaps=gaps + verdict_gaps + event_gaps + history_gaps,
    )


def _description(record: ScenarioRecord) -> Description:
    promised = record.objective
    return Description(
        **record.model_dump(
            include={"family", "title", "title_fr", "fault", "fault_fr", "scope", "service", "targets"}
        ),
        objective=Objective(_duration(promised.interruption_s), _duration(promised.freeze_s), promised.loss),
    )


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _verdict(folder: Path, service: str) -> tuple[Verdict | None, tuple[Gap, ...]]:
    """Return the verdict of a service: of several it has one of its own, `verdict.json` being the worst."""
    own = folder / f"verdict-{service}.json"
    path = own if own.is_file() else folder / "verdict.json"
    name = f"{folder.name}/{path.name}"
    try:
        return Verdict.from_json(path.read_text("utf-8")), ()
    except FileNotFoundError:
        return None, (Gap(name, Problem.ABSENT),)
    except VerdictError as error:
        return None, (Gap(name, _format(path), _lacking(error)),)
    except (OSError, UnicodeDecodeError):
        return None, (Gap(name, Problem.UNREADABLE),)


def _format(path: Path) -> Problem:
    """Tell a verdict that another version wrote from a file that is broken."""
    try:
        stored = json.loads(path.read_text("utf-8"))
    except ValueError:
        return Problem.UNREADABLE
    return Problem.OTHER_FORMAT if isinstance(stored, dict) and "verdict" in stored else Problem.UNREADABLE


def _lacking(error: VerdictError) -> str:
    """Return the field that an older verdict has not, where that is why it cannot be read."""
    cause = error.__cause__
    return str(cause.args[0]) if isinstance(cause, KeyError) and cause.args else ""


def _before(history: History, inject: int | None) -> Before | None:
    """Return what was seen before the fault; None where nothing was broken, or nothing was seen before."""
    if inject is None:
        return None
    seen = [probe for probe in history.probes if probe.end_ns <= inject]
    if not seen:
        return None
    return Before(
        lasted=(inject - min(probe.intended_ns for probe in seen)) / NANO,
        attempts=len(seen),
        failed=sum(probe.outcome != OK for probe in seen),
        slowest=max(probe.end_ns - probe.start_ns for probe in seen) / NANO,
    )


def _lines(folder: Path, name: str) -> tuple[list[str], tuple[Gap, ...]]:
    """Return the lines of a log. What is no text is replaced, so that one broken octet costs one line."""
    try:
        return (folder / name).read_text("utf-8", "replace").splitlines(), ()
    except FileNotFoundError:
        return [], (Gap(f"{folder.name}/{name}", Problem.ABSENT),)
    except OSError:
        return [], (Gap(f"{folder.name}/{name}", Problem.UNREADABLE),)


def _events(folder: Path) -> tuple[list[EventRecord], tuple[Gap, ...]]:
    lines, gaps = _lines(folder, "events.jsonl")
    events: list[EventRecord] = []
    for number, line in enumerate(lines, 1):
        try:
            events.append(EventRecord.model_validate_json(line))
        except ValidationError:
            last = number == len(lines)
            problem = Problem.TRUNCATED if last else Problem.BAD_VALUE
            gaps += (Gap(f"{folder.name}/events.jsonl", problem, str(number)),)
    return sorted(events, key=lambda event: event.t), gaps


def _history(folder: Path, file: str) -> tuple[History | None, StartRecord | None, tuple[Gap, ...]]:
    lines, gaps = _lines(folder, file)
    if gaps:
        return None, None, gaps
    history = History.parse(lines)
    name = f"{folder.name}/{file}"
    gaps = tuple(Gap(name, Problem.BAD_VALUE, str(number)) for number in history.damaged[:1])
    started = {writer.name for writer in history.writers}
    if not started or started - history.ended:
        gaps += (Gap(name, Problem.TRUNCATED),)
    return history, next(map(_start, lines[:1]), None), gaps


def _start(line: str) -> StartRecord | None:
    try:
        return StartRecord.model_validate_json(line)
    except ValidationError:
        return None


def _first(events: list[EventRecord], what: str) -> int | None:
    return next((event.t for event in events if event.what == what), None)


def _universal(start: StartRecord, at: int) -> datetime:
    """Return the universal time of a monotonic instant, by the pair of clocks that the start line holds."""
    moment = start.utc if start.utc.tzinfo else start.utc.replace(tzinfo=UTC)
    return moment.astimezone(UTC) + timedelta(microseconds=(at - start.t) // 1000)
