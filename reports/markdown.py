"""A campaign on half a page of Markdown: what a CI job page shows beside its log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports.answers import advised, objectives
from reports.compared import regressions
from reports.measures import against
from reports.sentences import Sentences
from reports.vocabulary import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.language import Language
    from reports.model import Campaign

_MEANT = re.compile(r"([\\`*_\[\]<>|~$&])")


def summary(campaign: Campaign, language: Language) -> str:
    """Return the summary; whatever comes from a run is shown, never obeyed."""
    lines = list(_lines(campaign, language))
    return "\n".join(lines).encode("utf-8", "replace").decode("utf-8") + "\n"


def plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    return _MEANT.sub(r"\\\1", " ".join(text.split()))


def _lines(campaign: Campaign, language: Language) -> Iterator[str]:
    say, words = language.gettext, Sentences(language)
    yield f"## {SYMBOLS[campaign.outcome]} {say('Essai de continuité')} : {words.word('OUTCOMES', campaign.outcome)}"
    yield ""
    yield f"{plain(words.campaign(campaign))} {plain(advised(campaign, language))}"
    yield ""
    worse = [plain(row.sentence) for row in regressions(campaign, language)]
    if worse:
        yield f"**{say('Depuis le dernier essai conforme')}**"
        yield ""
        yield from (f"- {sentence}" for sentence in worse)
        yield ""
    kept = list(objectives(campaign, language))
    if kept:
        yield from _table((say("Périmètre de la panne"), say("Verdict"), say("Ce que l'essai montre")))
        for one in kept:
            scope = f"{words.word('SCOPES', one.scope)}, {one.service}"
            cells = (scope, words.word("OUTCOMES", one.outcome), one.sentence)
            yield _row(f"{SYMBOLS[one.outcome]} {cell}" if cell is cells[1] else cell for cell in cells)
        yield ""
    head = (say("Scénario"), say("Panne"), say("Interruption"), say("Gel"), say("Perte"), say("Verdict"))
    yield from _table(head)
    for result in campaign.scenarios:
        verdict = f"{SYMBOLS[result.outcome]} {words.word('OUTCOMES', result.outcome)}"
        signed = f" ({say('écart accepté')})" if result.accepted else ""
        yield _row((result.id, words.fault(result), *against(result, language), verdict + signed))
    yield ""
    yield plain(language.say("Plan {plan}, {day}.", plan=campaign.plan_name, day=language.day(campaign.started)))


def _table(head: Iterable[str]) -> Iterator[str]:
    cells = tuple(head)
    yield _row(cells)
    yield "|" + " --- |" * len(cells)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(plain(cell) for cell in cells) + " |"
