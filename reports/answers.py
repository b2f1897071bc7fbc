"""What a campaign answers: a verdict for each objective, and advice on the change under test. Computed, never typed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from lab.measure import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from lab.plan import Scope
    from reports.language import Language
    from reports.model import Campaign, ScenarioResult


class Advice(StrEnum):
    """Whether the change under test may go on. People decide; this is what the runs allow them to say."""

    GO = "go"
    GO_WITH = "go with accepted gaps"
    NO_GO = "no go"
    OPEN = "no decision"


class Kept(NamedTuple):
    """An objective, and what the campaign shows of it."""

    service: str
    scope: Scope
    outcome: Outcome
    tried: int
    sentence: str


def advice(campaign: Campaign) -> Advice:
    """Return what the campaign allows: only a finished one without gap or doubt allows the change."""
    if campaign.outcome is Outcome.NOT_MET:
        return Advice.NO_GO
    if campaign.outcome is Outcome.INCONCLUSIVE:
        return Advice.OPEN
    return Advice.GO_WITH if campaign.accepted else Advice.GO


def advised(campaign: Campaign, language: Language) -> str:
    """Return the advice in a sentence; it names the change where one was told."""
    say, which = language.say, advice(campaign)
    if not campaign.change:
        return say("Aucune modification n'était à l'essai : la campagne dit l'état de l'infrastructure, sans avis.")
    sentences = {
        Advice.GO: say("Avis favorable (go) : la modification peut être appliquée."),
        Advice.GO_WITH: say("Avis favorable sous réserve (go) : seuls restent des écarts acceptés par écrit."),
        Advice.NO_GO: say("Avis défavorable (no-go) : un objectif au moins n'est pas tenu."),
        Advice.OPEN: say("Pas d'avis : l'essai ne permet pas de conclure, il est à rejouer."),
    }
    return sentences[which]


def objectives(campaign: Campaign, language: Language) -> Iterator[Kept]:
    """Yield each objective of the plan with its verdict; one that nothing tried stays open."""
    for service in campaign.plan.services.values() if campaign.plan else ():
        for scope, objective in service.objectives.items():
            tried = [
                result
                for result in campaign.scenarios
                if result.description
                and (result.description.service, result.description.scope) == (service.name, scope)
            ]
            outcome = _outcome(tried)
            # Who accepts that nobody works for half an hour accepts that somebody waits for as long.
            accepted = max(service.accepted_freeze, objective.interruption)
            freeze = accepted if objective.freeze is None else objective.freeze
            bounds = (objective.interruption, freeze, objective.loss)
            yield Kept(service.name, scope, outcome, len(tried), _sentence(tried, outcome, bounds, language))


def _outcome(tried: Sequence[ScenarioResult]) -> Outcome:
    outcomes = {result.outcome for result in tried}
    if Outcome.NOT_MET in outcomes:
        return Outcome.NOT_MET
    return Outcome.MET if outcomes == {Outcome.MET} else Outcome.INCONCLUSIVE


def _sentence(
    tried: Sequence[ScenarioResult], outcome: Outcome, bounds: tuple[timedelta, timedelta, int], language: Language
) -> str:
    if not tried:
        return language.say("Aucun scénario de cette campagne ne l'a éprouvé.")
    which = [result.id for result in tried if result.outcome is outcome]
    counted = {"n": len(which), "total": len(tried), "ids": _few(which, language)}
    if outcome is Outcome.INCONCLUSIVE:
        return language.ngettext(
            "{n} scénario sur {total} ne permet pas de conclure : {ids}.",
            "{n} scénarios sur {total} ne permettent pas de conclure : {ids}.",
            len(which),
        ).format(**counted)
    worst = _worst(tried, bounds, language)
    if outcome is Outcome.MET:
        said = language.ngettext("Tenu par l'unique scénario joué.", "Tenu par les {n} scénarios joués.", len(tried))
        return f"{said.format(**counted)} {worst}"
    said = language.ngettext(
        "{n} scénario sur {total} ne le tient pas : {ids}.",
        "{n} scénarios sur {total} ne le tiennent pas : {ids}.",
        len(which),
    )
    return f"{said.format(**counted)} {worst}"


def _worst(tried: Sequence[ScenarioResult], bounds: tuple[timedelta, timedelta, int], language: Language) -> str:
    verdicts = [result.verdict for result in tried if result.verdict]
    interruption, freeze, loss = bounds
    harmed = max(len(verdict.lost) + len(verdict.duplicated) for verdict in verdicts)
    return language.say(
        "Au pire : interruption {interruption} (objectif {most}), gel {freeze} (accepté {accepted}), "
        "perte {loss} (objectif {least}).",
        interruption=language.duration(max(verdict.interruption for verdict in verdicts)),
        most=language.duration(interruption),
        freeze=language.duration(max(verdict.freeze for verdict in verdicts)),
        accepted=language.duration(freeze),
        loss=language.number(harmed),
        least=language.number(loss),
    )


def _few(names: Sequence[str], language: Language, most: int = 4) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return language.say("{names} et {n} autres", names=", ".join(names[:most]), n=len(names) - most)
