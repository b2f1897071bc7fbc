"""A scenario beside the last time it met its objective: better, as before, slower, or a regression, in words. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from lab.measure import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.earlier import Played
    from reports.language import Language
    from reports.model import Campaign, ScenarioResult

FREEZE_GREW = (1.5, timedelta(seconds=0.5))
"""A freeze that grew by both this ratio and this length is told: what differs less, two runs of one lab differ by."""
INTERRUPTION_GREW = timedelta(seconds=0.1)
CLASSES = "ABCD"


class Trend(StrEnum):
    """How a play stands beside the last conforming one, worst first."""

    REGRESSION = "regression"
    SLOWER = "slower"
    UNKNOWN = "unknown"
    NEW = "new"
    STABLE = "stable"
    BETTER = "better"


class Compared(NamedTuple):
    """A scenario, its reference, and what changed."""

    id: str
    trend: Trend
    sentence: str
    reference: Played | None


class Figures(NamedTuple):
    """What is compared; a verdict or a stored play both give it."""

    outcome: Outcome
    accepted: bool
    observed: str | None
    interruption: timedelta
    freeze: timedelta
    harmed: int


def figures(play: Played) -> Figures:
    """Return what is compared of a stored play."""
    return Figures(play.outcome, play.accepted, play.observed, play.interruption, play.freeze, play.harmed)


def figures_of(result: ScenarioResult) -> Figures | None:
    """Return what is compared of a scenario; None without a verdict."""
    verdict = result.verdict
    if verdict is None:
        return None
    harmed = len(verdict.lost) + len(verdict.duplicated)
    accepted = bool(verdict.accepted_by)
    return Figures(verdict.verdict, accepted, verdict.observed, verdict.interruption, verdict.freeze, harmed)


def trend(now: Figures | None, before: Figures | None) -> Trend:
    """Return how two plays of a scenario compare; the first is the newer."""
    if now is None or now.outcome is Outcome.INCONCLUSIVE:
        return Trend.UNKNOWN
    if before is None:
        return Trend.NEW
    ratio, least = FREEZE_GREW
    if _worse(now, before):
        return Trend.REGRESSION
    if now.freeze > before.freeze * ratio and now.freeze - before.freeze > least:
        return Trend.SLOWER
    if before.freeze > now.freeze * ratio and before.freeze - now.freeze > least:
        return Trend.BETTER
    return Trend.STABLE


def _worse(now: Figures, before: Figures) -> bool:
    if now.outcome is Outcome.NOT_MET or now.harmed > before.harmed:
        return True
    if now.interruption - before.interruption > INTERRUPTION_GREW:
        return True
    both = now.observed in set(CLASSES) and before.observed in set(CLASSES)
    # A and B both leave care untouched, and a lab gives one or the other by a hair's breadth.
    return both and CLASSES.index(now.observed or "A") > max(CLASSES.index(before.observed or "A"), 1)


def compared(campaign: Campaign, language: Language) -> Iterator[Compared]:
    """Yield each scenario beside the last time that it met its objective, worst first."""
    rows = []
    for result in campaign.scenarios:
        past = campaign.earlier.of(result.id) if campaign.earlier else None
        reference = past.conforming if past else None
        now, before = figures_of(result), figures(reference) if reference else None
        which = trend(now, before)
        rows.append(Compared(result.id, which, told(result.id, which, now, before, language), reference))
    order = list(Trend)
    yield from sorted(rows, key=lambda row: order.index(row.trend))


def regressions(campaign: Campaign, language: Language) -> tuple[Compared, ...]:
    """Return what became worse since the last conforming run, for the first page."""
    return tuple(row for row in compared(campaign, language) if row.trend in {Trend.REGRESSION, Trend.SLOWER})


def told(name: str, which: Trend, now: Figures | None, before: Figures | None, language: Language) -> str:
    """Return a comparison in a sentence that stands alone."""
    say = language.say
    if now is None or which is Trend.UNKNOWN:
        return say("{id} : pas de conclusion cette fois, donc pas de comparaison.", id=name)
    if before is None:
        return say("{id} : aucun essai conforme antérieur.", id=name)
    changes = language.gettext(" ; ").join(_changes(now, before, language))
    head = {
        Trend.REGRESSION: say("{id} : régression", id=name),
        Trend.SLOWER: say("{id} : plus lent, objectif toujours tenu", id=name),
        Trend.BETTER: say("{id} : plus rapide", id=name),
        Trend.STABLE: say("{id} : comme avant", id=name),
    }[which]
    return f"{head} ({changes})."


def _changes(now: Figures, before: Figures, language: Language) -> Iterator[str]:
    say = language.say
    if now.outcome is not before.outcome:
        yield say("objectif tenu auparavant, non tenu cette fois")
    if abs(now.interruption - before.interruption) > INTERRUPTION_GREW:
        yield say("interruption {now} au lieu de {before}", **_both(now.interruption, before.interruption, language))
    if now.harmed != before.harmed:
        yield say("écritures perdues ou en double : {now} au lieu de {before}", now=now.harmed, before=before.harmed)
    if now.observed != before.observed and now.observed and before.observed:
        yield say("classe {now} au lieu de {before}", now=now.observed, before=before.observed)
    yield say("gel {now} au lieu de {before}", **_both(now.freeze, before.freeze, language))


def _both(now: timedelta, before: timedelta, language: Language) -> dict[str, str]:
    return {"now": language.duration(now), "before": language.duration(before)}
