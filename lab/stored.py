"""A scenario as its folder still tells it. What is missing or damaged is said, and never stops the reading."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lab.measure import Evidence, History, Readback, ReadbackError, Verdict, VerdictError
from lab.measure.takeover import Takeover, TakeoverError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT = 2
"""Of scenario.json, readback.json and verdict.json; a file without one is of format 1 (docs/run-folder.md)."""


@dataclass(frozen=True)
class Promised:
    """An objective as a scenario's folder has it."""

    interruption: timedelta | None = None
    freeze: timedelta | None = None
    loss: int | None = None


@dataclass
class Stored:
    """What one scenario left.

    Args:
        id: name of its folder.
        service: the service judged; empty when nothing says so.
        scope: whose objective applied.
        objective: what was promised; None when nothing says so.
        window: when the fault was injected and healed (monotonic ns); None without a fault.
        returned: when the lab was whole again.
        is_counted: whether the time without redundancy was counted then, of a planned change.
        steps: what the fault took, in order.
        evidence: proofs of the fault; None when they are not stored.
        history: what the wards wrote.
        readback: what copies and trail held.
        verdict: what was concluded then.
        takeover: how another room took over; None where none did.
        missing: what is not there or cannot be read, in sentences.
    """

    id: str
    service: str = ""
    scope: str = ""
    objective: Promised | None = None
    window: tuple[int, int] | None = None
    returned: int | None = None
    is_counted: bool = False
    steps: tuple[frozenset[str], ...] = ()
    evidence: tuple[Evidence, ...] | None = None
    history: History = field(default_factory=History)
    readback: Readback | None = None
    verdict: Verdict | None = None
    takeover: Takeover | None = None
    missing: list[str] = field(default_factory=list)


def scenarios_of(run: Path) -> list[Path]:
    """The folders of a run that hold a scenario, or what is left of one."""
    names = ("scenario.json", "history.jsonl", "events.jsonl", "verdict.json")
    return sorted({path.parent for name in names for path in run.glob(f"*/{name}")})


def read(folder: Path) -> Stored:
    """Read what is there."""
    stored = Stored(folder.name)
    _verdict(folder, stored)
    _description(folder, stored)
    _events(folder, stored)
    _history(folder, stored)
    _readback(folder, stored)
    _takeover(folder, stored)
    if stored.evidence is None and stored.window is not None:
        stored.missing.append("the proofs that the fault was felt are not stored")
    return stored


def _text(folder: Path, name: str, stored: Stored) -> str | None:
    try:
        return (folder / name).read_text("utf-8", "replace")
    except FileNotFoundError:
        stored.missing.append(f"{name} is not there")
    except OSError as error:
        stored.missing.append(f"{name} cannot be read ({error.strerror})")
    return None


def _verdict(folder: Path, stored: Stored) -> None:
    text = _text(folder, "verdict.json", stored)
    if text is None:
        return
    try:
        stored.verdict = Verdict.from_json(text)
    except VerdictError:
        stored.missing.append("verdict.json is damaged")
        return
    stored.service, stored.evidence = stored.verdict.service, stored.verdict.evidence


def _description(folder: Path, stored: Stored) -> None:
    text = _text(folder, "scenario.json", stored)
    if text is None:
        return
    try:
        told: dict[str, Any] = json.loads(text)
        promised = told["objective"]
        stored.objective = Promised(
            _duration(promised["interruption_s"]), _duration(promised["freeze_s"]), promised["loss"]
        )
        stored.service, stored.scope = told["service"], told["scope"]
        window = told.get("window")
        stored.window = None if window is None else (int(window[0]), int(window[1]))
        stored.steps = tuple(frozenset(step) for step in told.get("steps", ()))
        if "evidence" in told:
            stored.evidence = tuple(Evidence(**proof) for proof in told["evidence"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        stored.missing.append("scenario.json is damaged")
        return
    if told.get("format", 1) > FORMAT:
        stored.missing.append(f"scenario.json is of format {told['format']}: this Bascule knows {FORMAT} and older")


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _events(folder: Path, stored: Stored) -> None:
    text = _text(folder, "events.jsonl", stored)
    if text is None:
        return
    lines = text.splitlines()
    events = list(_rows(lines))
    if len(events) < len(lines):
        stored.missing.append("a line of events.jsonl is damaged")
    moments = {row["what"]: row["t"] for row in reversed(events)}
    if stored.window is None and "inject" in moments:
        stored.window = (moments["inject"], moments.get("heal", moments["inject"]))
        if "heal" not in moments:
            stored.missing.append("events.jsonl does not say when the fault was healed")
    stored.returned = moments.get("return")
    stored.is_counted = "redundancy" in moments


def _rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            row = json.loads(line)
            if isinstance(row["t"], int) and isinstance(row["what"], str):
                yield row
        except (ValueError, KeyError, TypeError):
            continue


def _history(folder: Path, stored: Stored) -> None:
    try:
        with (folder / "history.jsonl").open(encoding="utf-8", errors="replace") as lines:
            stored.history = History.parse(lines)
    except FileNotFoundError:
        stored.missing.append("history.jsonl is not there")
    except OSError as error:
        stored.missing.append(f"history.jsonl cannot be read ({error.strerror})")


def _readback(folder: Path, stored: Stored) -> None:
    text = _text(folder, "readback.json", stored)
    if text is None:
        return
    try:
        stored.readback = Readback.from_json(text)
    except ReadbackError:
        stored.missing.append("readback.json is damaged")


def _takeover(folder: Path, stored: Stored) -> None:
    if not (folder / "recovery.json").exists():  # nobody went to another room
        return
    text = _text(folder, "recovery.json", stored)
    try:
        stored.takeover = Takeover.from_json(text or "")
    except TakeoverError:
        stored.missing.append("recovery.json is damaged")
