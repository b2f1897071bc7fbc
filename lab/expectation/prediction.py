"""What the plan promises when something is lost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
    """The class a service should show, and why, in one English and one French sentence."""

    service: str
    klass: Class
    reason: str
    sentence_fr: str


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


def restarted(service: str, moves: Mapping[str, str], frozen: Sequence[Cause]) -> Prediction:
    """Predict class C: which servers are frozen, which servers HA starts again, and where."""
    names = list(moves)
    where = list(dict.fromkeys(moves.values()))
    en, fr = "".join(f"{cause.en}; " for cause in frozen), "".join(f"{cause.fr} ; " for cause in frozen)
    ha = "la haute disponibilité" if fr else "La haute disponibilité"
    return Prediction(
        service,
        Class.C,
        f"{en}HA restarts {listed(names)}, for instance on {listed(where)}: {service} stops meanwhile.",
        f"{fr}{ha} redémarre {listed(names, 'et')}, par exemple sur {listed(where, 'et')} : "
        f"{service} s'arrête pendant ce temps.",
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
