"""What N repetitions show: "0 interruption in 40, below 7.2 % at 95 %". Pure, standard library only."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .verdict import Outcome
from .wording import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .verdict import Verdict

CONFIDENCE = 0.95
_STEPS = 60  # halvings of [0, 1]: finer than a float can tell


def upper_bound(n: int, failures: int, confidence: float = CONFIDENCE) -> float:
    """The probability of a failure that n independent trials exclude from above, at a confidence.

    Exact, one-sided (Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934, pages 404-413): the probability at which so few failures in n trials would be seen
    with a chance of 1 - confidence. Without a failure that is 1 - (1 - confidence)^(1/n), about 3/n at 95 %.

    Raises:
        ValueError: n is not positive, or the failures are not among them.
    """
    if not 0 <= failures <= n or n == 0:
        raise ValueError(f"{failures} failures in {n} trials: give at least one trial, and 0 to {n} failures")
    if failures == n:
        return 1.0
    low, high = failures / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(failures, n, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(failures: int, n: int, probability: float) -> float:
    """The chance of at most so many failures in n trials; by logarithms, so that n may be large."""
    success, failure = math.log1p(-probability), math.log(probability)
    ways = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(failures + 1)]
    return math.fsum(math.exp(way + k * failure + (n - k) * success) for k, way in enumerate(ways))


def statement(n: int, failures: int, confidence: float = CONFIDENCE) -> Words:
    """What n conclusive repetitions say, in English and French.

    It holds for this replica, this plan and this fault at random phase, one repetition independent of the next.
    """
    noun = "interruption" if failures <= 1 else "interruptions"
    if n == 0:
        return Words(
            "no repetition was conclusive: nothing follows", "aucune répétition concluante : rien n'en découle"
        )
    if failures == n:
        return Words(
            f"{failures} {noun} in {n}: no bound follows", f"{failures} {noun} sur {n} : aucune borne n'en découle"
        )
    figure, sure = f"{100 * upper_bound(n, failures, confidence):.1f}", f"{100 * confidence:g}"
    return Words(
        f"{failures} {noun} in {n}, below {figure} % at {sure} %",
        f"{failures} {noun} sur {n}, moins de {figure} % à {sure} %".replace(".", ","),
    )


@dataclass(frozen=True)
class Tally:
    """What the repetitions of one scenario gave.

    Args:
        scenario: the family that was repeated.
        played: how many repetitions there were.
        conclusive: those of them that say something.
        interruptions: those of the conclusive ones in which users could not work for some time.
    """

    scenario: str
    played: int
    conclusive: int
    interruptions: int

    @classmethod
    def of(cls, scenario: str, verdicts: Iterable[Verdict | None]) -> Tally:
        """Count verdicts; one that is missing proves nothing."""
        all_ = list(verdicts)
        said = [verdict for verdict in all_ if verdict is not None and verdict.verdict is not Outcome.INCONCLUSIVE]
        return cls(scenario, len(all_), len(said), sum(verdict.interruption > timedelta() for verdict in said))

    @property
    def words(self) -> Words:
        """The statement, with what was left out of it."""
        said = statement(self.conclusive, self.interruptions)
        open_ = self.played - self.conclusive
        left = Words(f" ({open_} inconclusive)", f" ({open_} sans conclusion)") if open_ else Words("", "")
        return Words(f"{self.scenario}: {said.en}{left.en}", f"{self.scenario}\N{NO-BREAK SPACE}: {said.fr}{left.fr}")

    def stored(self) -> dict[str, Any]:
        """What `repetition.json` keeps of it; the bound is a probability, None when nothing was conclusive."""
        bound = upper_bound(self.conclusive, self.interruptions) if self.conclusive else None
        words = self.words
        return {**asdict(self), "below": bound, "confidence": CONFIDENCE, "sentence": words.en, "sentence_fr": words.fr}
