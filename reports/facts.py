"""The lists of facts of a document: what was tested, with what, for how long."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lab.plan import NodeKind
from reports.vocabulary import MACHINE, N_, SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from lab.plan import Plan
    from reports.language import Language
    from reports.model import Campaign, Description, ScenarioResult

Fact = tuple[str, str]

KINDS: Mapping[NodeKind, str] = {
    NodeKind.HOST: N_("Hôtes de serveurs"),
    NodeKind.ARRAY: N_("Baies de disques"),
    NodeKind.VIRTUALISER: N_("Nœuds de virtualisation du stockage"),
    NodeKind.ARBITER: N_("Arbitres"),
    NodeKind.WITNESS: N_("Tiers de départage"),
    NodeKind.RESCUE: N_("Nœud Ultime Secours"),
    NodeKind.WARD: N_("Services de soins"),
}

NETWORKS: Mapping[str, str] = {
    "management": N_("administration"),
    "storage": N_("stockage"),
    "servers": N_("serveurs"),
}


def perimeter(plan: Plan, language: Language) -> Iterator[Fact]:
    """Yield what a plan describes, by name where names are few enough to be read."""
    say = language.gettext
    yield say("Salles"), ", ".join(plan.rooms)
    counts = Counter(node.kind for node in plan.nodes.values())
    for kind, name in KINDS.items():
        if counts[kind]:
            yield (
                say(name),
                _named([node.name for node in plan.nodes.values() if node.kind is kind], language),
            )
    yield say("Réseaux"), ", ".join(say(NETWORKS.get(name, name)) for name in plan.networks)
    yield say("Commutateurs"), _named(list(plan.switches), language)
    yield say("Câbles entre les lieux"), _named(list(plan.cables), language)
    yield say("Serveurs"), _named(list(plan.servers), language)
    yield say("Applications"), ", ".join(plan.services)


def moment(result: ScenarioResult, language: Language) -> str:
    """Return when a scenario's fault was injected, in universal time and where the hospital is; empty when unknown."""
    if result.began is None:
        return ""
    there = language.local(result.began)
    return f"{language.day(result.began)}, {language.clock(result.began)} UTC" + (f" ({there})" if there else "")


def durations(result: ScenarioResult, language: Language) -> Iterator[Fact]:
    """Yield how long each stretch of a scenario lasted, and the segments of its failover."""
    say = language.gettext
    held = _between(result.injected, result.healed)
    yield say("Panne maintenue"), language.duration(held)
    yield (
        say("De la réparation au retour à la normale"),
        language.duration(_between(result.healed, result.returned)),
    )
    yield (
        say("Durée sans redondance"),
        language.duration(exposed(result)),
    )
    if result.verdict is not None and result.verdict.unprotected is not None:
        yield say("Durée non protégée par la troisième salle"), language.duration(result.verdict.unprotected)
    for segment in result.segments:
        yield say(SEGMENTS.get(segment.name, segment.name)), language.duration(segment.length)


def returned(result: ScenarioResult, language: Language) -> tuple[str, str, str]:
    """Return how long the way back took, how long nothing was redundant, and how many writes were harmed."""
    verdict = result.verdict
    harmed = "—" if verdict is None else language.number(len(verdict.lost) + len(verdict.duplicated))
    return language.duration(_between(result.healed, result.returned)), language.duration(exposed(result)), harmed


def exposed(result: ScenarioResult) -> timedelta | float | None:
    """Return the time without redundancy: as the verdict has it, else from the log."""
    recorded = result.verdict.without_redundancy if result.verdict else None
    return recorded if recorded is not None else _between(result.injected, result.returned)


def means(campaign: Campaign, language: Language) -> Iterator[Fact]:
    """Yield what the campaign ran on."""
    for name, value in {**campaign.machine, **campaign.backend}.items():
        yield language.gettext(MACHINE.get(name, name)), value


def subject(campaign: Campaign, language: Language) -> str:
    """Return what was put to the test, in a few words."""
    services = dict.fromkeys(about.service for about in _descriptions(campaign))
    if not services:
        return language.say("Plan {plan}", plan=campaign.plan_name)
    return language.say("Service {services}, plan {plan}", services=", ".join(services), plan=campaign.plan_name)


def purpose(campaign: Campaign, language: Language) -> str:
    """Return why the campaign was run, in one sentence."""
    return language.ngettext(
        "Vérifier, par {n} panne provoquée, que les soignants gardent le dossier patient.",
        "Vérifier, par {n} pannes provoquées, que les soignants gardent le dossier patient.",
        len(campaign.scenarios),
    ).format(n=len(campaign.scenarios))


def period(campaign: Campaign, language: Language) -> str:
    """Return when the campaign began and ended, in universal time."""
    if campaign.ended is None:
        return language.say("{start} (temps universel), campagne interrompue", start=language.clock(campaign.started))
    end = language.clock(campaign.ended)
    if campaign.ended.date() != campaign.started.date():
        end = f"{language.day(campaign.ended)}, {end}"
    return language.say("de {start} à {end} (temps universel)", start=language.clock(campaign.started), end=end)


def _named(names: list[str], language: Language) -> str:
    few = 12
    if len(names) <= few:
        return f"{len(names)} ({', '.join(names)})"
    return language.say("{n}, dont {names}…", n=len(names), names=", ".join(names[:few]))


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)


def _descriptions(campaign: Campaign) -> Iterator[Description]:
    return (result.description for result in campaign.scenarios if result.description)
