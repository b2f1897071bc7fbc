"""Accepted deviations: gaps that somebody signed for, until a day. Green but listed; red again the day after.

Pure: what a file of deviations says is read by `lab.measure.signed`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from .verdict import Outcome
from .wording import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from .verdict import Verdict


_NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Deviation:
    """A gap that somebody signed for.

    Args:
        scenario: id of the scenario (`H1-esx-11`), or the beginning of several and a star (`H1-*`).
        owner: who answers for it, by name.
        reason: why it is accepted for now.
        signed: first day on which it holds.
        expires: last day on which it holds.
        service: the only service that it is about; None for all.
    """

    scenario: str
    owner: str
    reason: str
    signed: date
    expires: date
    service: str | None = None

    def is_about(self, verdict: Verdict) -> bool:
        """Whether it speaks of this scenario and service."""
        return fnmatchcase(verdict.scenario, self.scenario) and self.service in (None, verdict.service)

    def holds(self, on: date) -> bool:
        """Whether that day lies between its signature and its end, both included."""
        return self.signed <= on <= self.expires


class Standing(StrEnum):
    """What became of a deviation in a run."""

    USED = "used"
    EXPIRED = "expired"
    NOT_YET = "not yet in force"
    NOT_NEEDED = "no longer needed"
    NOT_TRIED = "not tried"


class Judged(NamedTuple):
    """A verdict after the deviations were looked up, and the one that speaks of it, if any."""

    verdict: Verdict
    deviation: Deviation | None

    @property
    def accepted(self) -> bool:
        """Whether the verdict is a gap that somebody signed for."""
        return bool(self.verdict.accepted_by)


class Listed(NamedTuple):
    """A deviation as a report lists it."""

    deviation: Deviation
    standing: Standing
    sentence: str
    sentence_fr: str


def accept(verdict: Verdict, deviations: Iterable[Deviation], on: date) -> Judged:
    """Accept a gap that is signed for on that day; say of one that no longer is who signed it, and until when.

    Only *not met* can be accepted: an inconclusive run shows nothing that anybody could have signed for.
    """
    about = [deviation for deviation in deviations if deviation.is_about(verdict)]
    if verdict.verdict is not Outcome.NOT_MET or not about:
        return Judged(verdict, None)
    found = next((deviation for deviation in about if deviation.holds(on)), None)
    told = found or max(about, key=lambda deviation: deviation.expires)
    words = _words(told, on)
    extended = replace(
        verdict,
        accepted_by=found.owner if found else "",
        sentence=f"{verdict.sentence} {words.en}",
        sentence_fr=f"{verdict.sentence_fr} {words.fr}",
    )
    return Judged(extended, told)


def _words(deviation: Deviation, on: date) -> Words:
    owner, reason = deviation.owner, deviation.reason.rstrip(".")
    if on > deviation.expires:
        return Words(
            f"The deviation that {owner} accepted expired on {deviation.expires} ({reason}).",
            f"La dérogation acceptée par {owner} a expiré le {deviation.expires:%d/%m/%Y} ({reason}).",
        )
    if on < deviation.signed:
        return Words(
            f"The deviation that {owner} accepts holds from {deviation.signed} only ({reason}).",
            f"La dérogation acceptée par {owner} ne vaut qu'à partir du {deviation.signed:%d/%m/%Y} ({reason}).",
        )
    return Words(
        f"Accepted by {owner} until {deviation.expires}: {reason}.",
        f"Écart accepté par {owner} jusqu'au {deviation.expires:%d/%m/%Y}{_NBSP}: {reason}.",
    )


def review(deviations: Iterable[Deviation], verdicts: Sequence[Verdict], on: date) -> tuple[Listed, ...]:
    """Say what became of each deviation in a run, in the order of their file."""
    return tuple(_listed(deviation, verdicts, on) for deviation in deviations)


def _listed(deviation: Deviation, verdicts: Sequence[Verdict], on: date) -> Listed:
    # What a check of the scenario's own made of a verdict says nothing of the gap that was signed for.
    about = [verdict for verdict in verdicts if deviation.is_about(verdict) and verdict.failed_check is None]
    outcomes = [verdict.verdict for verdict in about]
    if Outcome.NOT_MET in outcomes:
        late = Standing.EXPIRED if on > deviation.expires else Standing.NOT_YET
        standing = Standing.USED if deviation.holds(on) else late
        words = _words(deviation, on)
    elif Outcome.MET in outcomes and Outcome.INCONCLUSIVE not in outcomes:
        standing = Standing.NOT_NEEDED
        words = Words(
            f"No longer needed: the objective was met. {deviation.owner} can strike it out.",
            f"Plus nécessaire{_NBSP}: l'objectif a été tenu. {deviation.owner} peut la retirer.",
        )
    else:
        standing = Standing.NOT_TRIED
        words = Words(
            f"Nothing could be concluded about it in this run (accepted by {deviation.owner}).",
            f"Aucune conclusion dans cette campagne (acceptée par {deviation.owner}).",
        )
    return Listed(deviation, standing, f"{deviation.scenario}: {words.en}", f"{deviation.scenario}{_NBSP}: {words.fr}")


def to_json(listed: Iterable[Listed]) -> str:
    """The text of a run folder's `deviations.json`."""
    rows = [
        {
            **vars(entry.deviation),
            "signed": entry.deviation.signed.isoformat(),
            "expires": entry.deviation.expires.isoformat(),
            "standing": entry.standing,
            "sentence": entry.sentence,
            "sentence_fr": entry.sentence_fr,
        }
        for entry in listed
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
