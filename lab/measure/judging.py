"""From a history and an objective to a verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .doubts import doubts_about_before, doubts_about_fault, doubts_about_history, doubts_about_instrument
from .excused import excused
from .figures import measure
from .history import collector_resting
from .phrases import phrases
from .verdict import Outcome, Verdict
from .wording import Words, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .history import History
    from .phrases import Objective, Phrase
    from .readback import Readback
    from .takeover import Takeover
    from .verdict import Evidence

# Past this lag the instrument was too busy to be believed (feasibility trial: a noisy neighbour gives 15 to
# 60 ms).
LAG_BOUND = timedelta(milliseconds=100)


def judge(  # noqa: PLR0913 - a verdict weighs a run, a promise and a prediction; all are named at the call
    history: History,
    readback: Readback | None,
    objective: Objective,
    *,
    scenario: str,
    service: str,
    evidence: Sequence[Evidence] = (),
    predicted: str | None = None,
    fault_window: tuple[int, int] | None = None,
    lag_bound: timedelta = LAG_BOUND,
    doubts: Sequence[Words] = (),
    takeover: Takeover | None = None,
) -> Verdict:
    """Judge a run.

    Args:
        history: what the wards wrote.
        readback: what copies and trail hold at the end; None when it could not be read.
        objective: what the plan promises for the scope of this fault.
        scenario: id of the scenario.
        service: name of the service.
        evidence: proofs gathered around the fault.
        predicted: class letter that the plan lets expect, if any.
        fault_window: monotonic instants, in nanoseconds, of injection and healing; None when there was no
            fault.
        lag_bound: the pulse's own lag (99.9th percentile) past which nothing can be concluded.
        doubts: further reasons to conclude nothing.
        takeover: how another room took the service over, if a human decided so.

    Returns:
        Inconclusive when anything casts doubt on the run, whatever was measured; else met or not met.
    """
    inject_ns = fault_window[0] if fault_window else 0
    with collector_resting():
        figures = measure(history, readback, inject_ns, fault_window[1] if fault_window else None)
    doubts = [
        *doubts,
        *doubts_about_history(history),
        *doubts_about_fault(evidence),
        *doubts_about_instrument(history, lag_bound),
    ]
    if fault_window and history.operations:
        doubts += doubts_about_before(history, inject_ns, objective.freeze)
    if readback is None and objective.loss is not None:
        doubts.append(Words("writes and trail were not read back", "écritures et traces n'ont pas été relues"))
    gone = excused(history, takeover)
    told = list(phrases(figures, objective, read_back=readback is not None, excused=gone))
    if takeover is not None:
        told += takeover.phrases(objective)
    outcome, words = _concluded(service, doubts, told)
    observed = None if doubts else "D" if takeover else figures.observed
    return Verdict(
        scenario=scenario,
        service=service,
        verdict=outcome,
        as_predicted=as_predicted(observed, predicted),
        observed=observed,
        predicted=predicted,
        sentence=words.en,
        sentence_fr=words.fr,
        evidence=tuple(evidence),
        **figures.for_verdict(),
    )


def _concluded(service: str, doubts: list[Words], told: list[Phrase]) -> tuple[Outcome, Words]:
    broken = [phrase.words for phrase in told if not phrase.kept]
    if not doubts:
        return (Outcome.NOT_MET if broken else Outcome.MET), sentence(service, [p.words for p in told])
    lead = [doubts[0].within("inconclusive, {}", "indéterminé, {}"), *doubts[1:]]
    if broken:
        lead.append(broken[0].within("measured all the same: {}", "mesuré malgré tout : {}"))
        lead += broken[1:]
    return Outcome.INCONCLUSIVE, sentence(service, lead, between="; ")


def as_predicted(observed: str | None, predicted: str | None) -> bool | None:
    """Whether clients saw the class that the plan lets expect, or nothing where a pair was to carry."""
    if observed is None or predicted is None:
        return None
    return observed == predicted or (predicted, observed) == ("B", "A")
