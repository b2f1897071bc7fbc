"""What the plan promises when something is lost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


def carried(service: str, causes: list[Cause], by: list[str]) -> Prediction:
    """Predict class B: what is hit, and which members remain."""
    return Prediction(
        service,
        Class.B,
        f"{', '.join(c.en for c in causes)}; {service} goes on through {' and '.join(by)}, after retries.",
        f"{_capital(', '.join(c.fr for c in causes))} ; {service} continue par {' et '.join(by)}, "
        "au prix de nouvelles tentatives.",
    )


def restarted(service: str, moves: dict[str, str]) -> Prediction:
    """Predict class C: which servers HA starts again, and where."""
    names = list(moves)
    where = list(dict.fromkeys(moves.values()))
    return Prediction(
        service,
        Class.C,
        f"HA restarts {' and '.join(names)}, for instance on {' and '.join(where)}: {service} stops meanwhile.",
        f"La haute disponibilité redémarre {' et '.join(names)}, par exemple sur {' et '.join(where)} : "
        f"{service} s'arrête pendant ce temps.",
    )


def stopped(service: str, cause: Cause) -> Prediction:
    """Predict class D: why nothing automatic helps."""
    return Prediction(
        service,
        Class.D,
        f"{cause.en}: {service} stops until somebody decides.",
        f"{_capital(cause.fr)} : {service} s'arrête jusqu'à une décision humaine.",
    )


def _capital(sentence: str) -> str:
    """Begin a French sentence with a capital, unless it begins with a name of the plan."""
    first, _, _ = sentence.partition(" ")
    return sentence[:1].upper() + sentence[1:] if first.isalpha() and first in _OPENINGS else sentence


_OPENINGS = ("la", "le", "les", "aucun", "aucune")
