"""How another room took a service over by a human's decision: what is promised of that, and what is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .phrases import Phrase
from .wording import Words, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .phrases import Objective


ROOM_THREE = Words("room three", "la troisième salle")


class TakeoverError(ValueError):
    """A stored recovery cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """What a recovery took, and what it lacked.

    Args:
        from_loss: from the loss until the last service was back, declared human time included.
        from_decision: the same, from the decision.
        machine: what the automatic steps took.
        acknowledged: how many observed writes had been acknowledged before; None where nobody observed.
        missing: those of them that the other room lacked when it served.
        where: what took over.
        human: declared time of people in it, until the wards worked again.
        derived: what its automatic steps take in the hospital beyond what the lab measured.
        loss_ns, begun_ns: when the loss struck, and when the first step began (monotonic).
        copy_ns: when the copy was taken from which it began; None where it began from all that was acknowledged.
        accepted: how old that copy may be at the loss; None: nothing that it lacks may be lost.
    """

    from_loss: timedelta
    from_decision: timedelta
    machine: timedelta
    acknowledged: int | None = None
    missing: tuple[str, ...] = ()
    where: Words = ROOM_THREE
    human: timedelta = timedelta()
    derived: timedelta = timedelta()
    loss_ns: int = 0
    begun_ns: int = 0
    copy_ns: int | None = None
    accepted: timedelta | None = None

    @classmethod
    def from_json(cls, text: str) -> Takeover:
        """Read `recovery.json`.

        Raises:
            TakeoverError: it is damaged.
        """
        try:
            told: dict[str, Any] = json.loads(text)
            return cls(
                from_loss=timedelta(seconds=told["from_loss_s"]),
                from_decision=timedelta(seconds=told["from_decision_s"]),
                machine=timedelta(seconds=told["machine_s"]),
                acknowledged=told["acknowledged"],
                missing=tuple(told["missing"]),
                where=Words(**told["where"]) if "where" in told else ROOM_THREE,
                human=timedelta(seconds=told.get("declared_s", told["human_s"])),
                derived=timedelta(seconds=told.get("derived_s", 0)),
                loss_ns=told["loss"],
                begun_ns=told.get("begun", 0),
                copy_ns=told.get("copy"),
                accepted=_optional(told.get("accepted_age_s")),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise TakeoverError(f"not a stored recovery: {error!r}") from error

    def phrases(self, objective: Objective) -> Iterator[Phrase]:
        """How long it took, judged from the loss, the stricter of the two; and what was missing."""
        yield self._time(objective.interruption)
        if self.acknowledged is not None:
            yield self._loss(self.acknowledged, objective.loss)
        if self.copy_ns is not None:
            yield self._age(timedelta(microseconds=(self.loss_ns - self.copy_ns) / 1000))

    def _time(self, allowed: timedelta | None) -> Phrase:
        loss, decision, machine = spoken(self.from_loss), spoken(self.from_decision), spoken(self.machine)
        more = Words("", "")
        if self.derived:
            human, derived = spoken(self.human), spoken(self.derived)
            more = Words(
                f", people {human.en} declared, real scale {derived.en} derived",
                f", personnes {human.fr} déclarées, échelle réelle {derived.fr} déduites",
            )
        words = Words(
            f"{self.where.en} served {loss.en} after the loss, {decision.en} after the decision, declared human time "
            f"included (machines {machine.en}{' measured' if self.derived else ''}{more.en})",
            f"{self.where.fr} a servi {loss.fr} après la perte, {decision.fr} après la décision, temps humains "
            f"déclarés compris (machines {machine.fr}{' mesurées' if self.derived else ''}{more.fr})",
        )
        if allowed is not None:
            limit = spoken(allowed)
            words = Words(f"{words.en} (objective {limit.en})", f"{words.fr} (objectif {limit.fr})")
        return Phrase(words, kept=allowed is None or self.from_loss <= allowed)

    def _loss(self, known: int, allowed: int | None) -> Phrase:
        count = len(self.missing)
        words = Words(
            f"room three lacked {count} of {known} writes acknowledged before",
            f"il manquait à la troisième salle {count} des {known} écritures acquittées avant",
        )
        return Phrase(words, kept=allowed is None or count <= allowed)

    def _age(self, age: timedelta) -> Phrase:
        """How old the copy was from which it began: what was recorded after that instant is lost."""
        old = spoken(age)
        words = Words(
            f"it began from a copy {old.en} older than the loss",
            f"elle est repartie d'une copie antérieure de {old.fr} à la perte",
        )
        if self.accepted is not None:
            limit = spoken(self.accepted)
            words = Words(f"{words.en} (objective {limit.en})", f"{words.fr} (objectif {limit.fr})")
        return Phrase(words, kept=self.accepted is None or age <= self.accepted)


def _optional(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
