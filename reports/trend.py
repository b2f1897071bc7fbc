"""Many runs on one page: freeze, interruption, exposure and verdict of each scenario, and what got worse."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports import manifest
from reports.compared import Trend, figures, told, trend
from reports.errors import ReportError
from reports.language import speak
from reports.past import runs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reports.earlier import Played
    from reports.language import Language
    from reports.past import RunLine

NAMES = {"fr": "historique.html", "en": "history.html"}
SHOWN = 40
"""Plays of a scenario that its figure shows, the newest."""


@dataclass(frozen=True)
class Course:
    """How one scenario went on one plan, oldest first, and how the last play stands beside the last conforming one."""

    plan: str
    id: str
    plays: tuple[Played, ...]
    trend: Trend
    sentence: str


def courses(runs: Sequence[RunLine], language: Language) -> tuple[Course, ...]:
    """Return each scenario's course, worst first."""
    by_scenario: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for run in runs:
        for play in run.plays:
            by_scenario[run.plan, play.id].append(play)
    found = [_course(plan, name, plays, language) for (plan, name), plays in sorted(by_scenario.items())]
    order = list(Trend)
    return tuple(sorted(found, key=lambda course: order.index(course.trend)))


def _course(plan: str, name: str, plays: Sequence[Played], language: Language) -> Course:
    *older, last = plays
    reference = next((play for play in reversed(older) if play.outcome.value == "met"), None)
    now, before = figures(last), figures(reference) if reference else None
    which = trend(now, before)
    return Course(plan, name, tuple(plays[-SHOWN:]), which, told(name, which, now, before, language))


def write(folder: Path, *, plan: str | None = None, language: str = "fr") -> Path:
    """Write the page of a folder of runs beside them; return its path.

    Raises:
        ReportError: there is no such folder, or nothing in it is a run that can be read.
    """
    from reports.document import render_trend  # noqa: PLC0415 - templates, only where a page is wanted

    words = speak(language)
    runs = _runs(folder, plan)
    page = folder / NAMES[language]
    manifest.replace(page, render_trend(runs, courses(runs, words), words))
    return page


def lines(folder: Path, *, plan: str | None = None) -> Iterator[str]:
    """Yield the same for a terminal, in English: a line a run, then what got worse.

    Raises:
        ReportError: as `write`.
    """
    words = speak("en")
    runs = _runs(folder, plan)
    for run in runs:
        counts = [
            sum(play.outcome.value == which for play in run.plays) for which in ("met", "not-met", "inconclusive")
        ]
        told = "{} met, {} not met, {} inconclusive".format(*counts)
        yield (
            f"{run.name}: {told}" + (f" ({run.change})" if run.change else "") + ("" if run.finished else ", cut short")
        )
    for course in courses(runs, words):
        if course.trend in {Trend.REGRESSION, Trend.SLOWER}:
            yield course.sentence


def _runs(folder: Path, plan: str | None) -> tuple[RunLine, ...]:
    if not folder.is_dir():
        raise ReportError(f"{folder} is not a folder: give the one that holds the runs")
    found = tuple(run for run in runs_of(folder) if plan in (None, run.plan))
    if not found:
        on = f" on the plan {plan}" if plan else ""
        raise ReportError(f"{folder} holds no run{on} that can be read")
    return found
