"""The table of a scenario: what was measured beside what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.measure import Outcome
from reports.vocabulary import JOURNEYS, N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from lab.measure import Verdict
    from reports.language import Language
    from reports.model import Objective, ScenarioResult

SHOWN = 6
"""Names of writes or accesses listed under a table; the rest is in ``verdict.json``."""


NOTICED: Mapping[str, str] = {
    "vanished": N_("Écritures disparues d'une lecture ultérieure"),
    "stale": N_("Lectures plus anciennes qu'une précédente"),
    "mistraced": N_("Accès mal tracés"),
}
"""What a verdict may say besides, where the measure looked for it; told when there is any."""


class Measure(NamedTuple):
    """A row of the table; ``kept`` is None where nothing is promised or nothing can be concluded."""

    name: str
    measured: str
    promised: str
    kept: bool | None


def promised(objective: Objective | None, language: Language) -> tuple[str, ...]:
    """Return an objective in a few words a bound; empty where nothing is known."""
    if objective is None:
        return ()
    return _in_words(objective.interruption, objective.freeze, objective.loss, language)


def against(result: ScenarioResult, language: Language) -> tuple[str, str, str]:
    """Return interruption, freeze and loss, each with its bound in brackets; dashes without a verdict."""
    verdict, bound = result.verdict, result.description.objective if result.description else None
    if verdict is None:
        return ("—", "—", "—")
    harmed = language.number(len(verdict.lost) + len(verdict.duplicated))
    loss = None if bound is None or bound.loss is None else language.number(bound.loss)
    return (
        _beside(language.duration(verdict.interruption), bound.interruption if bound else None, language),
        _beside(language.duration(verdict.freeze), bound.freeze if bound else None, language),
        harmed if loss is None else f"{harmed} ({loss})",
    )


def _beside(value: str, most: timedelta | None, language: Language) -> str:
    return value if most is None else f"{value} ({language.duration(most)})"


def judged(result: ScenarioResult, language: Language) -> tuple[Measure, ...]:
    """Return the rows that decide the verdict; none without a verdict."""
    verdict = result.verdict
    if verdict is None:
        return ()
    objective = result.description.objective if result.description else None
    bounds = (objective.interruption, objective.freeze, objective.loss) if objective else (None, None, None)
    interruption, freeze, loss = bounds
    say, harmed = language.gettext, len(verdict.lost) + len(verdict.duplicated)
    exact = [
        (say("Interruption pour les soignants"), verdict.interruption, interruption),
        (say("Gel le plus long (opération aboutie en retard)"), verdict.freeze, freeze),
    ]
    counts = [
        (say("Écritures acquittées perdues ou en double"), harmed, loss),
        (say("Accès servis sans trace"), len(verdict.untraced), 0),
        (say("Écritures présentes dans une seule copie"), len(verdict.diverged), 0),
        *((say(name), len(getattr(verdict, key)), 0) for key, name in NOTICED.items() if getattr(verdict, key, ())),
    ]
    rows = [
        Measure(
            name,
            language.duration(value),
            language.duration(bound),
            _kept(verdict, within=None if bound is None else value <= bound),
        )
        for name, value, bound in exact
    ]
    rows += [
        Measure(
            name,
            str(count),
            "—" if most is None else str(most),
            _kept(verdict, within=None if most is None else count <= most),
        )
        for name, count, most in counts
    ]
    if verdict.failed_check is not None:
        check = verdict.failed_check
        found = language.typeset(check.sentence_fr if language.code == "fr" else check.sentence)
        kept = False if check.outcome is Outcome.NOT_MET else None
        rows.append(Measure(say("Vérification propre au scénario"), found, "—", kept))
    return tuple(rows)


def informative(verdict: Verdict, language: Language) -> tuple[tuple[str, str], ...]:
    """Return what was measured beside, which decides nothing alone."""
    say = language.gettext
    return (
        (say("Interruption totale, cumulée"), language.duration(verdict.interruption_total)),
        (
            say("Interruption vue sans nouvelle tentative"),
            language.duration(verdict.interruption_without_retries),
        ),
        (say("La même, connexions gardées"), language.duration(verdict.interruption_kept)),
        (say("Écritures au résultat inconnu"), language.number(verdict.unknown)),
        (
            say("Opérations de soignants"),
            _failed(verdict.operations, verdict.operations_failed, language),
        ),
        (
            say("Tentatives, pouls compris"),
            _failed(verdict.attempts, verdict.attempts_failed, language),
        ),
        *_rounds(verdict, language),
        (say("Plus courte coupure vue à coup sûr"), language.duration(verdict.smallest_gap)),
        (say("Retard propre de l'instrument"), language.duration(verdict.lag)),
    )


def _rounds(verdict: Verdict, language: Language) -> Iterator[tuple[str, str]]:
    """Yield a row for each address that the rounds asked, where there were any."""
    for row in verdict.rounds:
        pulses = round(1 / row.resolution_s)
        yield (
            language.say(
                "Rondes : {pulses} pouls d'une tentative par seconde à {address}", pulses=pulses, address=row.address
            ),
            language.say(
                "{attempts}, plus longue absence {longest}",
                attempts=_failed(row.attempts, row.failed, language),
                longest=language.duration(row.longest_s),
            ),
        )


def journeys(verdict: Verdict | None, language: Language) -> tuple[tuple[str, ...], ...]:
    """Return each journey apart: served, failed, interruption, median and 99th wait; none where it was not measured."""
    return tuple(
        (
            language.gettext(JOURNEYS.get(row.journey, row.journey)),
            language.number(row.operations),
            language.number(row.failed),
            language.duration(row.interruption_s),
            language.duration(row.p50_s),
            language.duration(row.p99_s),
        )
        for row in getattr(verdict, "journeys", ())
    )


def named(verdict: Verdict, language: Language) -> Iterator[str]:
    """Yield the writes and accesses behind the counts, the first of them by name."""
    groups = (
        (language.gettext("Écritures perdues"), verdict.lost),
        (language.gettext("Écritures en double"), verdict.duplicated),
        (language.gettext("Écritures présentes dans une seule copie"), verdict.diverged),
        (language.gettext("Accès sans trace"), verdict.untraced),
        *((language.gettext(name), getattr(verdict, key, ())) for key, name in NOTICED.items()),
    )
    for name, ids in groups:
        if ids:
            more = language.say(" et {n} autres (voir verdict.json)", n=len(ids) - SHOWN) if len(ids) > SHOWN else ""
            yield language.say("{what} : {names}{more}.", what=name, names=", ".join(ids[:SHOWN]), more=more)


def _in_words(
    interruption: timedelta | None, freeze: timedelta | None, loss: int | None, language: Language
) -> tuple[str, ...]:
    parts = []
    if interruption is not None:
        parts.append(language.say("interruption {bound}", bound=language.duration(interruption)))
    if freeze is not None:
        parts.append(language.say("gel {bound}", bound=language.duration(freeze)))
    if loss is not None:
        parts.append(language.say("perte {count}", count=language.number(loss)))
    return tuple(parts)


def _failed(total: int, failed: int, language: Language) -> str:
    return language.say("{total} ({failed} en échec)", total=language.number(total), failed=language.number(failed))


def _kept(verdict: Verdict, *, within: bool | None) -> bool | None:
    """Compare only where the verdict leaves room for it, so that a row can never contradict the verdict."""
    if within is None or verdict.verdict is Outcome.INCONCLUSIVE:
        return None
    return verdict.verdict is Outcome.MET or within
