"""How far the figures can be trusted: calibration, the instrument's own limits, what a count of plays allows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lab.measure import Outcome
from reports.vocabulary import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reports.language import Language
    from reports.model import Campaign

_UNITS = {"_s": "s", "_ms": "ms", "_us": "µs"}
_MOST = 24
"""Rows of a calibration that are shown; all of it stands in campaign.json."""
NAMES: Mapping[str, str] = {
    "bias": N_("Biais"),
    "detected": N_("Coupures vues"),
    "detection_rate": N_("Taux de coupures vues"),
    "lag": N_("Retard propre de l'instrument"),
    "played": N_("Coupures provoquées"),
    "smallest_gap": N_("Plus courte coupure vue à coup sûr"),
    "spread": N_("Dispersion"),
}


def calibration(campaign: Campaign, language: Language) -> Iterator[tuple[str, str]]:
    """Yield what the bench recorded of its own calibration: its sentence first, then every plain figure of it."""
    recorded = campaign.calibration
    told = recorded.get("sentence_fr" if language.code == "fr" else "sentence")
    if isinstance(told, str):
        yield language.say("Résultat"), language.typeset(told)
    rows = [row for row in _flat(recorded, "", language) if not row[0].startswith("sentence")]
    yield from rows[:_MOST]


def _flat(value: object, name: str, language: Language) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip(), language)
    elif isinstance(value, list | tuple):
        for count, inner in enumerate(value, 1):
            yield from _flat(inner, f"{name} {count}".strip(), language)
    elif isinstance(value, bool):
        yield _name(name, language)[0], language.gettext("oui") if value else language.gettext("non")
    elif isinstance(value, int | float):
        said, unit = _name(name, language)
        yield said, language.duration(value) if unit == "s" else f"{language.number(value)} {unit}".strip()
    elif value is not None:
        yield _name(name, language)[0], str(value)


def _name(name: str, language: Language) -> tuple[str, str]:
    """Return a key as words and the unit that its ending tells."""
    ending = next((ending for ending in _UNITS if name.endswith(ending)), "")
    words = name.removesuffix(ending)
    return language.gettext(NAMES[words]) if words in NAMES else words.replace("_", " "), _UNITS.get(ending, "")


def instrument(campaign: Campaign, language: Language) -> Iterator[str]:
    """Yield what the instrument says of itself over the whole campaign."""
    verdicts = [result.verdict for result in campaign.scenarios if result.verdict and result.verdict.attempts]
    if not verdicts:
        yield language.say("Aucune mesure n'a été enregistrée.")
        return
    yield language.say(
        "Plus courte coupure vue à coup sûr, dans le scénario le moins favorable : {gap}. "
        "Une coupure plus brève peut passer inaperçue : « 0 s » veut dire moins que cela.",
        gap=language.duration(max(verdict.smallest_gap for verdict in verdicts)),
    )
    yield language.say(
        "Retard propre de l'instrument, 999 fois sur 1000 et au pire des scénarios : {lag}.",
        lag=language.duration(max(verdict.lag for verdict in verdicts)),
    )
    yield language.say(
        "{attempts} tentatives observées en tout, dont {operations} opérations de soignants.",
        attempts=language.number(sum(verdict.attempts for verdict in verdicts)),
        operations=language.number(sum(verdict.operations for verdict in verdicts)),
    )


def confidence(campaign: Campaign, language: Language) -> Iterator[str]:
    """Yield what follows from the count of plays, and what does not."""
    for told in campaign.repetitions:
        yield language.typeset(told.sentence_fr if language.code == "fr" else told.sentence) + "."
    if campaign.repetitions:
        yield language.say(
            "Ces bornes valent pour la réplique, ce plan et ces pannes, à un instant quelconque, les répétitions étant "
            "indépendantes (borne unilatérale exacte de Clopper et Pearson)."
        )
    else:
        yield language.say(
            "Chaque panne a été jouée une fois : cela montre que le service peut y résister, pas avec quelle fréquence."
            " Les campagnes de nuit répètent les pannes critiques et donnent une borne."
        )
    counts = Counter(result.outcome for result in campaign.scenarios)
    yield language.say(
        "{met} scénarios conformes, {failed} non conformes, {open} indéterminés : un défaut du banc d'essai est compté "
        "indéterminé, jamais non conforme.",
        met=counts[Outcome.MET],
        failed=counts[Outcome.NOT_MET],
        open=counts[Outcome.INCONCLUSIVE],
    )
