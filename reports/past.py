"""The runs that lie beside one another: what each gave, read from its verdicts alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.measure import Outcome, Verdict, VerdictError
from reports.earlier import Played, gathered
from reports.records import CampaignRecord, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from reports.earlier import Earlier


@dataclass(frozen=True)
class RunLine:
    """One run: when, on what, for what, and how each scenario ended."""

    name: str
    at: datetime
    plan: str
    change: str | None
    finished: bool
    plays: tuple[Played, ...]


def runs_of(folder: Path) -> Iterator[RunLine]:
    """Yield the runs of a folder that can be read, oldest first."""
    found = (run_line(path) for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    yield from sorted((line for line in found if line), key=lambda line: (line.at, line.name))


def before(run_folder: Path) -> Earlier:
    """Return what the runs beside a run gave before it, on a plan of the same name."""
    own = run_line(run_folder)
    if own is None:
        return gathered(())
    lines = runs_of(run_folder.resolve().parent)
    older = (line for line in lines if (line.at, line.name) < (own.at, own.name) and line.plan == own.plan)
    return gathered(play for line in older for play in line.plays)


def run_line(run_folder: Path) -> RunLine | None:
    """Return a run in one line; None for what is no run, or cannot be read."""
    record, _ = read(run_folder / "campaign.json", CampaignRecord, "campaign.json")
    if record is None:
        return None
    name, at = run_folder.resolve().name, record.started
    plan = _digest(run_folder / "plan.yaml")
    plays = (_played(run_folder / scenario, name, at, plan) for scenario in dict.fromkeys(record.scenarios))
    return RunLine(name, at, record.plan, record.change, record.ended is not None, tuple(filter(None, plays)))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError:
        return ""


def _played(folder: Path, run: str, at: datetime, plan: str) -> Played | None:
    """Return how a scenario ended; one whose verdict cannot be read proves nothing, and says so."""
    try:
        verdict = Verdict.from_json((folder / "verdict.json").read_text("utf-8"))
    except (OSError, UnicodeDecodeError, VerdictError):
        return Played(folder.name, _family(folder), run, at, plan, Outcome.INCONCLUSIVE) if folder.is_dir() else None
    return Played(
        id=folder.name,
        family=_family(folder),
        run=run,
        at=at,
        plan=plan,
        outcome=verdict.verdict,
        observed=verdict.observed,
        accepted=bool(verdict.accepted_by),
        interruption=verdict.interruption,
        freeze=verdict.freeze,
        harmed=len(verdict.lost) + len(verdict.duplicated),
        without_redundancy=verdict.without_redundancy,
    )


def _family(folder: Path) -> str:
    try:
        about = json.loads((folder / "scenario.json").read_text("utf-8"))
    except (OSError, ValueError):
        about = {}
    told = about.get("family") if isinstance(about, dict) else None
    return told if isinstance(told, str) and told else folder.name.split("-", maxsplit=1)[0]
