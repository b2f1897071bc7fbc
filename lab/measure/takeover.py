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
    """

    from_loss: timedelta
    from_decision: timedelta
    machine: timedelta
    acknowledged: int | None = None
    missing: tuple[str, ...] = ()

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
            )
        except (ValueError, KeyError, TypeError) as error:
            raise TakeoverError(f"not a stored recovery: {error!r}") from error

    def phrases(self, objective: Objective) -> Iterator[Phrase]:
        """How long it took, judged from the loss, the stricter of the two; and what was missing."""
        yield self._time(objective.interruption)
        if self.acknowledged is not None:
            yield self._loss(self.acknowledged, objective.loss)

    def _time(self, allowed: timedelta | None) -> Phrase:
        loss, decision, machine = spoken(self.from_loss), spoken(self.from_decision), spoken(self.machine)
        words = Words(
            f"room three served {loss.en} after the loss, {decision.en} after the decision, declared human time "
            f"included (machines {machine.en})",
            f"la troisième salle a servi {loss.fr} après la perte, {decision.fr} après la décision, temps humains "
            f"déclarés compris (machines {machine.fr})",
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
