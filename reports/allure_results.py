"""A campaign as the files that Allure reads: a result a scenario, categories, environment. Reads attachments only."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lab.measure import Outcome
from reports.figures import timeline
from reports.measures import against
from reports.sentences import Sentences
from reports.vocabulary import FAMILIES, N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reports.language import Language
    from reports.model import Campaign, ScenarioResult

File = tuple[str, str]
_SPACE = uuid.UUID("2c9a5d4e-6f0b-5b1f-9d0c-8f6f8a1f2b77")
STATUSES: Mapping[Outcome, str] = {Outcome.MET: "passed", Outcome.NOT_MET: "failed", Outcome.INCONCLUSIVE: "skipped"}
SEVERITIES: Mapping[str, str] = {"both rooms": "blocker", "a room": "blocker", "common mode": "critical"}
CATEGORIES = (
    (N_("Non conforme : l'objectif n'est pas tenu"), ("failed",)),
    (N_("Indéterminé : l'essai ne permet pas de conclure"), ("skipped", "unknown")),
    (N_("Pièces manquantes : aucun verdict lisible"), ("broken",)),
)
ATTACHED = ("verdict.json", "events.jsonl", "scenario.json")
_LARGEST = 2**18


def results(run_folder: Path, campaign: Campaign, language: Language) -> Iterator[File]:
    """Yield every file by name. Raw histories stay in the run folder: Allure embeds what it is given."""
    rules = [{"name": language.gettext(name), "matchedStatuses": list(which)} for name, which in CATEGORIES]
    yield "categories.json", _json(rules)
    yield "environment.properties", "".join(f"{key}={value}\n" for key, value in _environment(campaign, language))
    yield "executor.json", _json({"name": "Bascule", "type": "bascule", "buildName": run_folder.resolve().name})
    for result in campaign.scenarios:
        yield from _scenario(run_folder, campaign, result, language)


def _environment(campaign: Campaign, language: Language) -> Iterator[tuple[str, str]]:
    say = language.gettext
    yield say("Plan"), campaign.plan_name
    yield say("Modification"), " ".join((campaign.change or say("aucune")).split())
    yield say("Date"), f"{language.day(campaign.started)}, {language.clock(campaign.started)} UTC"
    for name, value in {**campaign.machine, **campaign.backend}.items():
        yield name, " ".join(value.split())


def _scenario(run_folder: Path, campaign: Campaign, result: ScenarioResult, language: Language) -> Iterator[File]:
    words, about, verdict = Sentences(language), result.description, result.verdict
    key = uuid.uuid5(_SPACE, f"{run_folder.resolve().name}/{result.id}").hex
    start = _ms(campaign, result, result.events[0].at if result.events else 0.0)
    stop = _ms(campaign, result, result.events[-1].at if result.events else 0.0)
    attachments: list[dict[str, str]] = []
    for name, kind, content in _attached(run_folder, result, language):
        attachments.append({"name": name, "source": f"{key}-{name}", "type": kind})
        yield f"{key}-{name}", content
    status = "broken" if verdict is None else "passed" if result.accepted else STATUSES[result.outcome]
    yield (
        f"{key}-result.json",
        _json(
            {
                "uuid": str(uuid.UUID(key)),
                "historyId": uuid.uuid5(_SPACE, result.id).hex,
                "testCaseId": uuid.uuid5(_SPACE, result.id).hex,
                "name": f"{result.id} : {words.title(result)}",
                "fullName": result.id,
                "description": words.fault(result),
                "status": status,
                "statusDetails": {"message": words.conclusion(result)},
                "stage": "finished",
                "start": start,
                "stop": max(start, stop),
                "labels": [{"name": name, "value": value} for name, value in _labels(result, language)],
                "parameters": _parameters(result, language),
                "steps": _steps(campaign, result, words, status),
                "attachments": attachments,
                "tags": list(about.targets) if about else [],
            }
        ),
    )


def _labels(result: ScenarioResult, language: Language) -> Iterator[tuple[str, str]]:
    about, say = result.description, language.gettext
    yield "epic", say("Continuité des soins")
    if about is None:
        return
    yield "feature", say(FAMILIES.get(about.family[:1], N_("Autres scénarios")))
    yield "story", f"{about.family} : {about.title_fr if language.code == 'fr' else about.title}"
    yield "suite", Sentences(language).word("SCOPES", about.scope)
    yield "severity", SEVERITIES.get(about.scope, "normal")
    for target in about.targets:
        yield "component", target


def _parameters(result: ScenarioResult, language: Language) -> list[dict[str, str]]:
    names = (language.gettext("Interruption"), language.gettext("Gel"), language.gettext("Perte"))
    return [{"name": name, "value": value} for name, value in zip(names, against(result, language), strict=True)]


def _steps(campaign: Campaign, result: ScenarioResult, words: Sentences, status: str) -> list[dict[str, Any]]:
    """Each thing that the bench did, lasting until the next."""
    ends = [*(event.at for event in result.events[1:]), *(event.at for event in result.events[-1:])]
    return [
        {
            "name": words.event(event),
            "status": "passed" if status != "broken" else "unknown",
            "stage": "finished",
            "start": _ms(campaign, result, event.at),
            "stop": _ms(campaign, result, end),
        }
        for event, end in zip(result.events, ends, strict=True)
    ]


def _attached(run_folder: Path, result: ScenarioResult, language: Language) -> Iterator[tuple[str, str, str]]:
    figure = str(timeline(result, language))
    if figure:
        space = '<svg xmlns="http://www.w3.org/2000/svg" '
        yield "timeline.svg", "image/svg+xml", figure.replace("<svg ", space, 1)
    folder = run_folder / result.id
    for name in ATTACHED:
        path = folder / name
        if path.is_file() and path.stat().st_size <= _LARGEST:
            kind = "application/json" if name.endswith(".json") else "text/plain"
            yield name, kind, path.read_text("utf-8", "replace")


def _ms(campaign: Campaign, result: ScenarioResult, at: float) -> int:
    moment = (result.began or campaign.started) + timedelta(seconds=at)
    return round(moment.timestamp() * 1000)


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"
