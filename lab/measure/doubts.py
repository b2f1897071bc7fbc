"""Why a run may say nothing about its objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .instrument import closed_loops, lag_ns
from .records import OK
from .wording import Words, spoken, spoken_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from .history import History
    from .verdict import Evidence


def doubts_about_fault(evidence: Sequence[Evidence]) -> Iterator[Words]:
    """A fault that was not felt, or is still felt after it was healed."""
    for proof in evidence:
        seen = proof.what + (f" ({proof.detail})" if proof.detail else "")
        seen_fr = (proof.what_fr or proof.what) + (f" ({proof.detail_fr})" if proof.detail_fr else "")
        if proof.when == "after heal" and proof.holds:
            yield Words(
                f"the fault was still felt after it was healed: {seen}",
                f"la panne se faisait encore sentir après réparation : {seen_fr}",
            )
        elif proof.when != "after heal" and not proof.holds:
            when_fr = "à l'injection" if proof.when == "injected" else "avant réparation"
            when = "when injected" if proof.when == "injected" else "just before it was healed"
            yield Words(
                f"the fault was not felt {when}: {seen}",
                f"la panne ne s'est pas fait sentir {when_fr} : {seen_fr}",
            )


def doubts_about_history(history: History) -> Iterator[Words]:
    """Records that are missing or damaged."""
    if not history.operations:
        yield Words("the history has no operations", "l'historique ne contient aucune opération")
    if not history.probes:
        yield Words("the history has no pulse", "l'historique ne contient pas de pouls")
    if history.damaged:
        line, more = history.damaged[0], len(history.damaged) - 1
        yield Words(
            f"line {line} of the history is damaged" + (f", and {more} more" if more else ""),
            f"la ligne {line} de l'historique est endommagée" + (f", et {more} autres" if more else ""),
        )
    names = {writer.name for writer in history.writers}
    for name in sorted(_expected(history) - names):
        yield Words(f"{name} never said that it started", f"{name} n'a pas écrit sa ligne de début")
    for name in sorted(names - history.ended):
        yield Words(
            f"{name} stopped without its end line: the history may be cut short",
            f"{name} s'est arrêté sans sa ligne de fin : l'historique est peut-être tronqué",
        )


def doubts_about_instrument(history: History, lag_bound: timedelta) -> Iterator[Words]:
    """A prober that waited for answers, or that was late itself."""
    for name in closed_loops(history):
        what, what_fr = ("pulse", "le pouls") if name.startswith("pulse@") else ("client", "le client")
        yield Words(
            f"the {what} was not open loop: {name} left out starts that it intended",
            f"{what_fr} n'était pas en boucle ouverte : {name} a sauté des départs prévus",
        )
    bound = spoken(lag_bound)
    for starts, who, who_fr in (
        (history.probes, "the pulse itself was", "le pouls lui-même avait"),
        (history.beats, "the rounds themselves were", "les rondes elles-mêmes avaient"),
    ):
        lag = lag_ns(starts)
        if lag > lag_bound.total_seconds() * 1e9:
            late = spoken_ns(lag)
            yield Words(
                f"{who} late by {late.en} (99.9th percentile, bound {bound.en})",
                f"{who_fr} {late.fr} de retard (percentile 99,9, limite {bound.fr})",
            )


def doubts_about_before(history: History, inject_ns: int, accepted: timedelta | None) -> Iterator[Words]:
    """A service that was not seen working, or did not work well, before the fault."""
    before = [op for op in history.operations if op.end_ns <= inject_ns]
    patience = history.patience_ns
    if not any(op.outcome == OK for op in before):
        yield Words(
            "no operation had succeeded before the fault",
            "aucune opération n'avait réussi avant la panne",
        )
        return
    failed = sum(not op.served(patience) for op in before)
    wait = max(op.latency_ns for op in before)
    if failed or (accepted is not None and wait > accepted.total_seconds() * 1e9):
        longest = spoken_ns(wait)
        yield Words(
            f"the service was not steady before the fault ({failed} failed, longest freeze {longest.en})",
            f"le service n'était pas stable avant la panne ({failed} en échec, plus long gel {longest.fr})",
        )


def _expected(history: History) -> set[str]:
    pulses = {f"pulse@{ward}" for ward in {probe.ward for probe in history.probes}}
    rounds = {f"rounds@{ward}" for ward in {beat.ward for beat in history.beats}}
    return pulses | rounds | {f"journeys@{ward}" for ward in {op.ward for op in history.operations}}
