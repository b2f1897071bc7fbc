"""What was measured against what was promised, phrase by phrase: words before numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from .wording import Words, counted, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from .excused import Excused
    from .figures import Figures
    from .noticed import Noticed


class Objective(Protocol):
    """What the plan promises for a scope; None where it promises nothing."""

    @property
    def interruption(self) -> timedelta | None:
        """Longest time during which users may not work."""

    @property
    def freeze(self) -> timedelta | None:
        """Longest time that an operation which succeeds may take."""

    @property
    def loss(self) -> int | None:
        """How many acknowledged writes may be lost."""


class Phrase(NamedTuple):
    """A measured figure in words, and whether it keeps the promise."""

    words: Words
    kept: bool


def phrases(
    figures: Figures, objective: Objective, *, read_back: bool, excused: Excused | None = None
) -> Iterator[Phrase]:
    """Interruption, freeze, what was noticed and, where writes and trail were read back, loss and traceability.

    `excused`: what a recovery from an older copy may take with it; it is counted, and breaks no promise.
    """
    yield _interruption(figures, objective.interruption)
    freeze, accepted = figures.freeze, objective.freeze
    yield Phrase(
        _against(Words("longest freeze", "plus long gel"), freeze, Words("accepted", "accepté"), accepted),
        kept=accepted is None or freeze <= accepted,
    )
    yield from _noticed(figures.noticed if excused is None else excused.noticed)
    if read_back:
        yield from _losses(figures, objective.loss, excused)


def _interruption(figures: Figures, allowed: timedelta | None) -> Phrase:
    if not figures.operations_failed:
        return Phrase(Words("no operation failed", "aucune opération en échec"), kept=True)
    return Phrase(
        _against(
            Words("interruption", "interruption"),
            figures.interruption,
            Words("objective", "objectif"),
            allowed,
        ),
        kept=allowed is None or figures.interruption <= allowed,
    )


def _against(name: Words, measured: timedelta, bound_name: Words, bound: timedelta | None) -> Words:
    words = Words(f"{name.en} {spoken(measured).en}", f"{name.fr} {spoken(measured).fr}")
    if bound is None:
        return words
    limit = spoken(bound)
    return Words(f"{words.en} ({bound_name.en} {limit.en})", f"{words.fr} ({bound_name.fr} {limit.fr})")


def _losses(figures: Figures, allowed: int | None, excused: Excused | None) -> Iterator[Phrase]:
    lost, duplicated, diverged, untraced, mistraced, unasked = figures.integrity
    bound = Words("", "") if allowed is None else Words(f" (objective {allowed})", f" (objectif {allowed})")
    newer, accesses = (frozenset(), frozenset()) if excused is None else excused[:2]
    older = [key for key in lost if key not in newer]
    kept = allowed is None or len(older) + len(duplicated) <= allowed
    if excused is not None:
        bound = counted(
            len(older),
            (f"of them older than the copy (objective {allowed})",) * 2,
            (f"antérieure à la copie (objectif {allowed})", f"antérieures à la copie (objectif {allowed})"),
        ).within(", {}", ", dont {}")
    words = counted(
        len(lost),
        ("acknowledged write lost", "acknowledged writes lost"),
        ("écriture acquittée perdue", "écritures acquittées perdues"),
    )
    yield Phrase(Words(words.en + bound.en, words.fr + bound.fr), kept=kept)
    if duplicated:
        yield Phrase(
            counted(
                len(duplicated),
                ("write recorded twice", "writes recorded twice"),
                ("écriture en double", "écritures en double"),
            ),
            kept=kept,
        )
    if diverged:
        yield Phrase(
            counted(
                len(diverged),
                ("unacknowledged write on one copy only", "unacknowledged writes on one copy only"),
                (
                    "écriture non acquittée sur une seule copie",
                    "écritures non acquittées sur une seule copie",
                ),
            ),
            kept=False,
        )
    if unasked:
        yield Phrase(
            counted(
                len(unasked),
                ("write that no client asked for", "writes that no client asked for"),
                ("écriture qu'aucun client n'a demandée", "écritures qu'aucun client n'a demandées"),
            ),
            kept=False,
        )
    yield Phrase(
        counted(
            len(untraced),
            ("access untraced", "accesses untraced"),
            ("accès non tracé", "accès non tracés"),
        ),
        kept=accesses.issuperset(untraced),
    )
    if mistraced:
        yield Phrase(
            counted(
                len(mistraced),
                ("access wrongly traced", "accesses wrongly traced"),
                ("accès mal tracé", "accès mal tracés"),
            ),
            kept=False,
        )


def _noticed(found: Noticed) -> Iterator[Phrase]:
    vanished, stale = found
    if vanished:
        yield Phrase(
            counted(
                len(vanished),
                ("write disappeared from a later read", "writes disappeared from a later read"),
                ("écriture disparue d'une lecture ultérieure", "écritures disparues d'une lecture ultérieure"),
            ),
            kept=False,
        )
    if stale:
        yield Phrase(
            counted(
                len(stale),
                ("read older than one before it", "reads older than one before them"),
                ("lecture plus ancienne qu'une précédente", "lectures plus anciennes qu'une précédente"),
            ),
            kept=False,
        )
