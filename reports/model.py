"""A campaign as the documents see it: values only, read from no file and written to none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lab.measure import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from lab.measure import Verdict
    from lab.plan import Plan
    from reports.earlier import Earlier
    from reports.people import People


class State(StrEnum):
    """What a lane shows at an instant, worst last."""

    SERVED = "served"
    SLOW = "slow"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Span:
    """A stretch of one state; bounds in seconds from the scenario's origin."""

    start: float
    end: float
    state: State


@dataclass(frozen=True)
class Lane:
    """What one instrument saw. Spans are sorted and apart; where there is none, nothing was observed."""

    journey: str
    """``pulse``, or the journey's name."""
    ward: str | None
    """The ward, where the lane belongs to one."""
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Event:
    """A line of the log: what the bench did, and when."""

    at: float
    """Seconds from the scenario's origin."""
    what: str
    text: str
    text_fr: str


class Problem(StrEnum):
    """Why a piece of a run folder could not be used."""

    ABSENT = "absent"
    UNREADABLE = "unreadable"
    MISSING_FIELD = "missing field"
    UNKNOWN_FIELD = "unknown field"
    BAD_VALUE = "bad value"
    TRUNCATED = "truncated"
    NOT_FINISHED = "not finished"
    OTHER_FORMAT = "other format"


@dataclass(frozen=True)
class Gap:
    """A piece that is missing or damaged, so that the document can say so."""

    file: str
    problem: Problem
    detail: str = ""


@dataclass(frozen=True)
class Objective:
    """What was promised for a scope; None where the plan promises nothing."""

    interruption: timedelta | None = None
    freeze: timedelta | None = None
    loss: int | None = None


@dataclass(frozen=True)
class FileFact:
    """A recorded file: path from the run folder, size in octets, SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Description:
    """What a scenario set out to do, as written before it ran."""

    family: str
    title: str
    title_fr: str
    fault: str
    fault_fr: str
    scope: str
    targets: tuple[str, ...]
    service: str
    objective: Objective


@dataclass(frozen=True)
class Segment:
    """A stretch of a failover (detect, decide, fence, boot, reconnect), where the bench recorded it."""

    name: str
    start: float | None
    """Seconds from the scenario's origin; None where only the length is known."""
    length: float


@dataclass(frozen=True)
class Before:
    """What the instruments saw before the fault: the initial state, in figures."""

    lasted: float
    attempts: int
    failed: int
    slowest: float
    """The longest answer, in seconds."""


@dataclass(frozen=True)
class ScenarioResult:
    """A scenario and everything that its folder still says about it."""

    id: str
    description: Description | None = None
    verdict: Verdict | None = None
    began: datetime | None = None
    """Universal time of the origin: the injection, or the first observation when none was recorded."""
    injected: float | None = None
    healed: float | None = None
    returned: float | None = None
    """Instants in seconds from the origin; ``returned`` is the return to a fully redundant system."""
    events: tuple[Event, ...] = ()
    lanes: tuple[Lane, ...] = ()
    before: Before | None = None
    segments: tuple[Segment, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether somebody signed for its gap."""
        return self.verdict is not None and bool(self.verdict.accepted_by)

    @property
    def outcome(self) -> Outcome:
        """The recorded verdict; a scenario without one proves nothing."""
        return self.verdict.verdict if self.verdict else Outcome.INCONCLUSIVE


@dataclass(frozen=True)
class Known:
    """A scenario of the catalogue, played or not."""

    family: str
    title: str
    title_fr: str


@dataclass(frozen=True)
class Told:
    """A recorded sentence, in English and French: a deviation, or what follows from repetitions."""

    about: str
    sentence: str
    sentence_fr: str
    standing: str = ""


@dataclass(frozen=True)
class Ready:
    """What had to be true before anything was broken: what was asked, the value of the plan, the value read."""

    check: str
    check_fr: str
    expected: str
    found: str
    holds: bool


@dataclass(frozen=True)
class Campaign:
    """A run of the bench."""

    plan_name: str
    started: datetime
    ended: datetime | None
    scenarios: tuple[ScenarioResult, ...]
    plan: Plan | None = None
    change: str | None = None
    machine: Mapping[str, str] = field(default_factory=dict)
    backend: Mapping[str, str] = field(default_factory=dict)
    phases: Mapping[str, timedelta] = field(default_factory=dict)
    """How long the bench spent on what, over the whole campaign."""
    files: tuple[FileFact, ...] = ()
    catalogue: tuple[Known, ...] = ()
    deviations: tuple[Told, ...] = ()
    repetitions: tuple[Told, ...] = ()
    calibration: Mapping[str, object] = field(default_factory=dict)
    """What the bench says of its own instruments, as it wrote it."""
    preflight: tuple[Ready, ...] = ()
    """The initial state, read from the nodes; empty in runs of older benches."""
    people: People | None = None
    """What people wrote; None without their file."""
    earlier: Earlier | None = None
    """The runs before this one; None where they were not looked for."""
    gaps: tuple[Gap, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """One failure decides; short of that, one doubt, or nothing played, leaves the campaign open.

        A gap that somebody signed for is listed and decides nothing.
        """
        outcomes = {Outcome.MET if result.accepted else result.outcome for result in self.scenarios}
        if Outcome.NOT_MET in outcomes:
            return Outcome.NOT_MET
        if outcomes != {Outcome.MET} or self.ended is None:
            return Outcome.INCONCLUSIVE
        return Outcome.MET

    def having(self, outcome: Outcome) -> tuple[ScenarioResult, ...]:
        """Return the scenarios that ended with an outcome, in the order they were played."""
        return tuple(result for result in self.scenarios if result.outcome is outcome)

    @property
    def accepted(self) -> tuple[ScenarioResult, ...]:
        """The scenarios whose gap somebody signed for."""
        return tuple(result for result in self.scenarios if result.accepted)

    def sha256_of(self, path: str) -> str | None:
        """Return the hash of a recorded file, or None where the folder has no such file."""
        return next((fact.sha256 for fact in self.files if fact.path == path), None)
