"""The shapes of the JSON files of a run folder, and what is wrong with a file that does not have its shape.

A field that nobody knows is told, not swallowed: it means that the bench and the reports have drifted apart.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, ValidationError

from reports.model import Gap, Problem

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
"""The version of run folders that is read here."""

Seconds = Annotated[float, Field(ge=0)]
Shape = TypeVar("Shape", bound=BaseModel)

_PROBLEMS = {
    "missing": Problem.MISSING_FIELD,
    "extra_forbidden": Problem.UNKNOWN_FIELD,
    "json_invalid": Problem.UNREADABLE,
}


class Record(BaseModel):
    """What every file has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RowRecord(Record):
    """A row of ``preflight``: what had to be true before anything was broken, and the value read."""

    check: str
    check_fr: str
    expected: str
    found: str
    holds: bool


class CampaignRecord(Record):
    """``campaign.json``."""

    version: int
    plan: str
    started: AwareDatetime
    ended: AwareDatetime | None = None
    machine: dict[str, Any] = {}
    backend: dict[str, Any] = {}
    change: str | None = None
    phases: dict[str, Seconds] = {}
    calibration: dict[str, Any] | None = None
    verified: dict[str, Any] | None = None
    preflight: tuple[RowRecord, ...] | None = None
    scenarios: tuple[str, ...]


class ObjectiveRecord(Record):
    """The objective of a scenario, as it stood in the plan: durations in seconds, loss in writes."""

    interruption_s: Seconds | None = None
    freeze_s: Seconds | None = None
    loss: int | None = None


class ScenarioRecord(Record):
    """``scenario.json``."""

    id: str
    family: str = ""
    title: str
    title_fr: str
    fault: str
    fault_fr: str
    scope: str
    targets: tuple[str, ...] = ()
    service: str
    objective: ObjectiveRecord
    format: int = 1
    steps: tuple[tuple[str, ...], ...] = ()
    window: tuple[int, int] | None = None
    evidence: tuple[dict[str, Any], ...] = ()


class Loose(Record):
    """What is read for its sentences only; whoever wrote it may tell more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class KnownRecord(Loose):
    """A row of ``catalogue.json``."""

    family: str
    title: str
    title_fr: str


class ToldRecord(Loose):
    """A row of ``deviations.json``, or of the scenarios of ``repetition.json``."""

    scenario: str
    sentence: str
    sentence_fr: str
    standing: str = ""


class CatalogueRecord(RootModel[tuple[KnownRecord, ...]]):
    """``catalogue.json``: every scenario that the session knew, played or not."""


class DeviationsRecord(RootModel[tuple[ToldRecord, ...]]):
    """``deviations.json``."""


class RepetitionRecord(Loose):
    """``repetition.json``."""

    scenarios: tuple[ToldRecord, ...]


class EventRecord(Record):
    """A line of ``events.jsonl``; ``t`` in nanoseconds of the monotonic clock."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    t: int
    what: str
    text: str = ""
    text_fr: str = ""


class StartRecord(Record):
    """The line by which a writer of ``history.jsonl`` ties the monotonic clock to universal time."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    t: int
    utc: datetime


def read(path: Path, shape: type[Shape], name: str) -> tuple[Shape | None, tuple[Gap, ...]]:
    """Return what a file says and what is wrong with it; unknown fields are told and left out.

    ``name`` is the path as the document prints it.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None, (Gap(name, Problem.ABSENT),)
    except (OSError, UnicodeDecodeError):
        return None, (Gap(name, Problem.UNREADABLE),)
    try:
        return shape.model_validate_json(text), ()
    except ValidationError as error:
        gaps = tuple(_gap(name, dict(item)) for item in error.errors(include_url=False))
    if any(gap.problem is not Problem.UNKNOWN_FIELD for gap in gaps):
        return None, gaps
    return shape.model_validate_json(text, extra="ignore"), gaps


def _gap(name: str, error: dict[str, Any]) -> Gap:
    where = ".".join(str(part) for part in error["loc"])
    problem = _PROBLEMS.get(error["type"], Problem.BAD_VALUE)
    return Gap(name, problem, where)
