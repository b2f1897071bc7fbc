"""The verdict: what was measured, what it means, and the sentence that says so."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from lab.errors import Inconclusive, LabError, NotMet

from .availability import Availability, restored, stored
from .rounds import Away
from .wording import Words

FORMAT = 3  # of verdict.json; none written before November 2026, which is format 1; 3 has `failed_check`, `rounds`


class VerdictError(LabError):
    """A stored verdict cannot be read: not JSON, or a field is missing or of another shape."""


class Outcome(StrEnum):
    """Whether the objective was reached (conforme / non conforme / indéterminé)."""

    MET = "met"
    NOT_MET = "not-met"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Evidence:
    """One proof that the fault bites, or is gone.

    Args:
        what: what was looked at, in words.
        when: at which beat of the scenario.
        holds: whether the fault was felt at that moment; `after heal` it must not be.
        detail: the figures behind it.
        what_fr, detail_fr: both in French.
    """

    what: str
    when: Literal["injected", "before heal", "after heal"]
    holds: bool
    detail: str = ""
    what_fr: str = ""
    detail_fr: str = ""


_NBSP = "\N{NO-BREAK SPACE}"
_WORSE = (Outcome.MET, Outcome.INCONCLUSIVE, Outcome.NOT_MET)
"""What counts more comes later: no doubt may hide a measured failure."""


def worse(one: Outcome, other: Outcome) -> Outcome:
    """The one of two conclusions that counts for both."""
    return max(one, other, key=_WORSE.index)


@dataclass(frozen=True)
class FailedCheck:
    """What a scenario insists on besides its objective, and was not so; or what stopped it before it could look.

    Args:
        sentence: what was found, in English.
        sentence_fr: the same in French.
        outcome: not met when the check failed, inconclusive when the lab did.
    """

    sentence: str
    sentence_fr: str
    outcome: Outcome

    @property
    def words(self) -> Words:
        """What is added to the verdict's sentence."""
        found = Words(self.sentence.rstrip("."), self.sentence_fr.rstrip("."))
        if self.outcome is Outcome.NOT_MET:
            return found.within(
                "A check of the scenario failed: {}.", f"Une vérification du scénario a échoué{_NBSP}: {{}}."
            )
        return found.within(
            "The scenario did not reach its end: {}.", f"Le scénario n'est pas allé à son terme{_NBSP}: {{}}."
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to both questions of a scenario: is the objective met, and did it behave as predicted.

    Args:
        scenario: id of the scenario.
        service: the service judged.
        verdict: met, not-met or inconclusive.
        as_predicted: observed class as predicted (or better: A where B was predicted); None without a
            prediction.
        observed: class letter seen by the clients; None when the run says nothing.
        predicted: class letter derived from the plan.
        sentence: the verdict in English, as the report prints it.
        sentence_fr: the same in French.
        interruption: longest time during which users could not work.
        interruption_total: all such times together.
        interruption_without_retries: longest, as single attempts on new connections saw it.
        interruption_kept: the same on kept connections.
        freeze: longest time from intended start to answer of an operation that succeeded.
        lost: client numbers of acknowledged writes absent from at least one copy.
        duplicated: client numbers of writes there more than once in a copy.
        diverged: client numbers of unacknowledged writes which one copy has and another has not.
        untraced: access ids of attempts that were answered and left no trace.
        mistraced: access ids of those traced twice, with another action or patient, or in the wrong order.
        unasked: client numbers that a copy holds and no client used.
        vanished: client numbers of writes that a later read did not show.
        stale: access ids of reads that showed an older record than one already read.
        unknown: number of writes of which the client does not know whether they were done.
        smallest_gap: the shortest outage that the instrument was sure to see.
        lag: how late the pulse started its attempts, 99.9th percentile.
        operations: number of operations.
        operations_failed: those of them not served.
        attempts: number of attempts, of the pulse and of operations.
        attempts_failed: those of them that did not succeed.
        evidence: proofs that the fault was felt, then gone.
        without_redundancy: from the fault until copies were in sync again and every pair complete, or what was counted
            of a planned change; None when the lab did not come so far, or nothing was broken.
        unprotected: for how long room three lacked something acknowledged, all such times together; None where the plan
            has no room three for this service.
        apart: each journey, profession and kind of session apart.
        rounds: each address that the rounds asked; empty where none went.
        accepted_by: who signed for this gap, until when the sentence says; empty when nobody did.
        failed_check: what the scenario insists on besides the objective and was not so; None when all of it was.
    """

    scenario: str
    service: str
    verdict: Outcome
    as_predicted: bool | None
    observed: str | None
    predicted: str | None
    sentence: str
    sentence_fr: str
    interruption: timedelta = timedelta()
    interruption_total: timedelta = timedelta()
    interruption_without_retries: timedelta = timedelta()
    interruption_kept: timedelta = timedelta()
    freeze: timedelta = timedelta()
    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    diverged: tuple[str, ...] = ()
    untraced: tuple[str, ...] = ()
    mistraced: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    unknown: int = 0
    smallest_gap: timedelta = timedelta()
    lag: timedelta = timedelta()
    operations: int = 0
    operations_failed: int = 0
    attempts: int = 0
    attempts_failed: int = 0
    evidence: tuple[Evidence, ...] = ()
    without_redundancy: timedelta | None = None
    unprotected: timedelta | None = None
    apart: tuple[Availability, ...] = ()
    rounds: tuple[Away, ...] = ()
    accepted_by: str = ""
    failed_check: FailedCheck | None = None

    def failing(self, check: FailedCheck) -> Verdict:
        """This verdict of a scenario one of whose own checks failed: never met, and nobody signed for that.

        The figures stay. A gap that was signed for counts as met here: its deviation speaks of the objective only.
        """
        own = Outcome.MET if self.accepted_by else self.verdict
        return replace(
            self,
            verdict=worse(own, check.outcome),
            accepted_by="",
            failed_check=check,
            sentence=f"{self.sentence} {check.words.en}",
            sentence_fr=f"{self.sentence_fr} {check.words.fr}",
        )

    def require(self) -> None:
        """Return quietly when the objective is met, or somebody signed for the gap.

        Raises:
            NotMet: it is not, and nobody did; the message is the sentence.
            Inconclusive: the run says nothing about it.
        """
        if self.verdict is Outcome.NOT_MET and not self.accepted_by:
            raise NotMet(self.sentence, self.sentence_fr)
        if self.verdict is Outcome.INCONCLUSIVE:
            raise Inconclusive(self.sentence)

    def to_json(self) -> str:
        """The text of `verdict.json`: durations in seconds, their names ending in `_s`."""
        return json.dumps({"format": FORMAT, **dict(_stored(self))}, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """Read what `to_json` wrote, now or in an earlier version; fields of a later one are left out.

        Raises:
            VerdictError: the text is not a verdict.
        """
        try:
            return cls(**_restored(json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VerdictError(f"not a stored verdict: {error!r}") from error


_DURATIONS = (
    "interruption",
    "interruption_total",
    "interruption_without_retries",
    "interruption_kept",
    "freeze",
    "smallest_gap",
    "lag",
)
_MAYBE = ("without_redundancy", "unprotected")
_IN_SECONDS = (*_DURATIONS, *_MAYBE)
_NAMES = ("lost", "duplicated", "diverged", "untraced", "mistraced", "unasked", "vanished", "stale")


def _stored(verdict: Verdict) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for name, value in vars(verdict).items():
        if name in _DURATIONS:
            pairs.append((f"{name}_s", value.total_seconds()))
        elif name in _MAYBE:
            pairs.append((f"{name}_s", None if value is None else value.total_seconds()))
        elif name == "apart":
            pairs.append((name, stored(value)))
        elif name == "rounds":
            pairs.append((name, [away._asdict() for away in value]))
        elif name == "evidence":
            pairs.append((name, [vars(item) for item in value]))
        elif name == "failed_check":
            pairs.append((name, None if value is None else vars(value)))
        else:
            pairs.append((name, value))
    return pairs


def _restored(stored: dict[str, Any]) -> dict[str, Any]:
    known = {f"{name}_s" if name in _IN_SECONDS else name for name in Verdict.__dataclass_fields__}
    later = stored.get("format", 1) > FORMAT
    fields = {name: value for name, value in stored.items() if name != "format" and (name in known or not later)}
    for name in _DURATIONS:
        fields[name] = timedelta(seconds=fields.pop(f"{name}_s"))
    for name in _MAYBE:
        seconds = fields.pop(f"{name}_s", None)  # not told before November 2026
        fields[name] = None if seconds is None else timedelta(seconds=seconds)
    for name in _NAMES:
        fields[name] = tuple(fields.get(name, ()))  # the last four were not looked for before November 2026
    fields["apart"] = restored(fields.get("apart", ()))
    fields["rounds"] = tuple(Away(**row) for row in fields.get("rounds", ()))  # told since format 3
    fields["verdict"] = Outcome(fields["verdict"])
    fields["evidence"] = tuple(Evidence(**item) for item in fields["evidence"])
    check = fields.get("failed_check")  # filed since format 3
    fields["failed_check"] = check and FailedCheck(**{**check, "outcome": Outcome(check["outcome"])})
    return fields
