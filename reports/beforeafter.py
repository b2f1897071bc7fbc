"""Before and after: the same scenarios on several plans, each figure against its own plan's objective, on one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.measure import Outcome, Verdict, VerdictError
from lab.measure.takeover import Takeover, TakeoverError
from reports import manifest
from reports.errors import ReportError
from reports.language import speak
from reports.records import CampaignRecord, ScenarioRecord, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from reports.language import Language

NAMES = {"fr": "avant-et-apres.html", "en": "before-and-after.html"}
_UNTIL_IT_IS_BACK = "D"
_WORST_FIRST = (Outcome.NOT_MET, Outcome.INCONCLUSIVE, Outcome.MET)


@dataclass(frozen=True)
class Cell:
    """How one scenario ended on one plan."""

    about: ScenarioRecord
    verdict: Verdict
    takeover: Takeover | None

    @property
    def without_care(self) -> timedelta:
        """How long nobody could work: measured; where people took part, with what they and the real scale add."""
        return self.takeover.from_loss if self.takeover else self.verdict.interruption


@dataclass(frozen=True)
class Row:
    """One scenario: by plan how it ended; None where it was not played."""

    family: str
    title: str
    title_fr: str
    cells: tuple[Cell | None, ...]


def rows(plans: Sequence[tuple[str, Sequence[Cell]]]) -> Iterator[Row]:
    """The scenarios that two plans at least have played; of several plays on a plan the worst counts."""
    families = dict.fromkeys(cell.about.family for _, cells in plans for cell in cells)
    for family in sorted(families):
        found = [_worst(cell for cell in cells if cell.about.family == family) for _, cells in plans]
        played = [cell.about for cell in found if cell]
        if len(played) > 1:
            yield Row(family, played[0].title, played[0].title_fr, tuple(found))


def write(runs: Sequence[Path], *, output: Path | None = None, language: str = "fr") -> Path:
    """Write the page, beside the first run if nothing else is said; return its path.

    Raises:
        ReportError: a folder is no run, they are all of one plan, or no scenario was played on two of them.
    """
    from reports.document import render_before_and_after  # noqa: PLC0415 - templates, only where a page is wanted

    words = speak(language)
    plans, found = _read(runs)
    page = output or runs[0].resolve().parent / NAMES[language]
    manifest.replace(page, render_before_and_after(plans, found, words))
    return page


def lines(runs: Sequence[Path]) -> Iterator[str]:
    """Yield the same for a terminal, in English.

    Raises:
        ReportError: as `write`.
    """
    words = speak("en")
    plans, found = _read(runs)
    for row in found:
        yield f"{row.family}  {row.title}"
        for plan, cell in zip(plans, row.cells, strict=True):
            yield f"  {plan}: {told(cell, words) if cell else 'not played'}"


def told(cell: Cell, language: Language) -> str:
    """How it ended, in a sentence's worth of words."""
    letter = language.say("classe {letter}", letter=cell.verdict.observed or "?")
    return f"{letter}, {_stop(cell, language)}, {_lost(cell, language)}"


def _stop(cell: Cell, language: Language) -> str:
    """How long nobody could work; where nobody took over, that says only when the test ended."""
    say, duration, taken = language.say, language.duration, cell.takeover
    limit = duration(cell.about.objective.interruption_s)
    if taken is None and cell.verdict.observed == _UNTIL_IT_IS_BACK:
        return say(
            "sans dossier jusqu'au retour de ce qui est perdu, que l'essai a rendu après {time} (objectif {limit})",
            time=duration(cell.without_care),
            limit=limit,
        )
    stop = say("sans dossier {time} (objectif {limit})", time=duration(cell.without_care), limit=limit)
    if taken is None:
        return stop + say(", gel le plus long {time}", time=duration(cell.verdict.freeze))
    return stop + say(
        " : mesuré {measured}, déclaré {declared}, déduit {derived}",
        measured=duration(taken.from_loss - taken.human - taken.derived),
        declared=duration(taken.human),
        derived=duration(taken.derived),
    )


def _lost(cell: Cell, language: Language) -> str:
    """How many writes are lost; what came after a copy that is young enough may be."""
    say, duration, taken, count = language.say, language.duration, cell.takeover, len(cell.verdict.lost)
    if taken is None or taken.copy_ns is None:
        return say("pertes {lost} (objectif {limit})", lost=count, limit=cell.about.objective.loss)
    age = duration((taken.loss_ns - taken.copy_ns) / 1e9)
    if taken.accepted is not None:
        limit = duration(taken.accepted)
        return say(
            "pertes {lost}, repris d'une copie vieille de {age} (objectif {limit})", lost=count, age=age, limit=limit
        )
    lost = say("pertes {lost} (objectif {limit})", lost=count, limit=cell.about.objective.loss)
    return lost + say(", repris d'une copie vieille de {age}", age=age)


def _read(runs: Sequence[Path]) -> tuple[list[str], list[Row]]:
    by_plan: dict[str, list[Cell]] = {}
    for run in runs:
        record, _ = read(run / "campaign.json", CampaignRecord, "campaign.json")
        if record is None:
            raise ReportError(f"{run} is no run folder that can be read: give folders below runs/")
        by_plan.setdefault(record.plan, []).extend(_cells(run, record.scenarios))
    if len(by_plan) == 1:
        raise ReportError(f"these runs are all on the plan {next(iter(by_plan))}: give runs on two plans at least")
    found = list(rows(list(by_plan.items())))
    if not found:
        raise ReportError(f"no scenario was played on two of the plans {', '.join(by_plan)}: play the same on each")
    return list(by_plan), found


def _cells(run: Path, scenarios: Iterable[str]) -> Iterator[Cell]:
    """What can be read; a scenario that ended before it was judged is left out."""
    for name in scenarios:
        about, _ = read(run / name / "scenario.json", ScenarioRecord, "scenario.json")
        try:
            verdict = Verdict.from_json((run / name / "verdict.json").read_text("utf-8"))
        except (OSError, UnicodeDecodeError, VerdictError):
            continue
        if about is not None:
            yield Cell(about, verdict, _takeover(run / name / "recovery.json"))


def _takeover(path: Path) -> Takeover | None:
    try:
        return Takeover.from_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, TakeoverError):
        return None


def _worst(cells: Iterable[Cell]) -> Cell | None:
    def rank(cell: Cell) -> tuple[int, float]:
        return _WORST_FIRST.index(cell.verdict.verdict), -cell.without_care.total_seconds()

    return min(cells, key=rank, default=None)
