"""What the plan promises when something is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Class(StrEnum):
    """What clients see, from best to worst; members compare by their letter."""

    A = "A"
    """Transparent: at most a peak of latency, no failed attempt."""
    B = "B"
    """Carried by the surviving member: attempts may fail, a retry succeeds."""
    C = "C"
    """Restarted by HA: an outage of detection and boot."""
    D = "D"
    """A human must decide."""


@dataclass(frozen=True)
class Prediction:
    """The class a service should show, and why, in one English and one French sentence.

    ``outage`` is, for class C, how long the service stops at the lab's time scale: derived, for lack of a measurement,
    and None where the plan has no timer to derive it from.
    """

    service: str
    klass: Class
    reason: str
    sentence_fr: str
    outage: timedelta | None = None


@dataclass(frozen=True, order=True)
class Cause:
    """One reason, in the two languages."""

    en: str
    fr: str


def transparent(service: str) -> Prediction:
    """Predict class A: nothing in the chain of the service is missing."""
    return Prediction(
        service,
        Class.A,
        f"all that {service} needs still answers: the loss is transparent.",
        f"Tout ce dont {service} a besoin répond encore : la perte est transparente.",
    )


def in_time(service: str, cause: Cause) -> Prediction:
    """Predict class A: something stands still, and moves again before any client gives up an attempt."""
    return Prediction(
        service,
        Class.A,
        f"{cause.en}: {service} answers in time, the loss is transparent.",
        f"{capital(cause.fr)} : {service} répond à temps, la perte est transparente.",
    )


def carried(service: str, causes: list[Cause], by: Sequence[str]) -> Prediction:
    """Predict class B: what is hit, and which members remain."""
    return Prediction(
        service,
        Class.B,
        f"{', '.join(c.en for c in causes)}; {service} goes on through {listed(by)}, after retries.",
        f"{capital(', '.join(c.fr for c in causes))} ; {service} continue par {listed(by, 'et')}, "
        "au prix de nouvelles tentatives.",
    )


@dataclass(frozen=True)
class Restart:
    """A server that HA starts again: where for instance, which rule decides, and what the outage is made of."""

    server: str
    host: str
    rule: Cause
    outage: timedelta | None
    parts: Cause


def restarted(service: str, restarts: Sequence[Restart], frozen: Sequence[Cause]) -> Prediction:
    """Predict class C: which servers are frozen, which servers HA starts again, where, and for how long they stop."""
    names = [restart.server for restart in restarts]
    where = list(dict.fromkeys(restart.host for restart in restarts))
    rules = list(dict.fromkeys(restart.rule for restart in restarts if restart.rule.en))
    en, fr = "".join(f"{cause.en}; " for cause in frozen), "".join(f"{cause.fr} ; " for cause in frozen)
    ha = "la haute disponibilité" if fr else "La haute disponibilité"
    why_en, why_fr = "".join(f", {rule.en}" for rule in rules), "".join(f", {rule.fr}" for rule in rules)
    known = [restart for restart in restarts if restart.outage is not None]
    longest = max(known, key=lambda restart: restart.outage or timedelta(), default=None)
    lasts = longest.parts if longest else Cause("meanwhile", "pendant ce temps")
    return Prediction(
        service,
        Class.C,
        f"{en}HA restarts {listed(names)}, for instance on {listed(where)}{why_en}: {service} stops {lasts.en}.",
        f"{fr}{ha} redémarre {listed(names, 'et')}, par exemple sur {listed(where, 'et')}{why_fr} : "
        f"{service} s'arrête {lasts.fr}.",
        longest.outage if longest else None,
    )


def stopped(service: str, cause: Cause) -> Prediction:
    """Predict class D: why nothing automatic helps."""
    return Prediction(
        service,
        Class.D,
        f"{cause.en}: {service} stops until somebody decides.",
        f"{capital(cause.fr)} : {service} s'arrête jusqu'à une décision humaine.",
    )


def listed(names: Sequence[str], last: str = "and") -> str:
    """List names as a sentence does: a, b and c."""
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def together(causes: Sequence[Cause]) -> Cause:
    """Give several reasons as one."""
    return Cause(listed([cause.en for cause in causes]), listed([cause.fr for cause in causes], "et"))


def capital(sentence: str) -> str:
    """Begin a French sentence with a capital, unless it begins with a name of the plan."""
    first, _, _ = sentence.partition(" ")
    return sentence[:1].upper() + sentence[1:] if first.isalpha() and first in _OPENINGS else sentence


_OPENINGS = ("la", "le", "les", "aucun", "aucune", "tous", "toutes")
