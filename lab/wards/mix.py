"""What clinicians do, drawn from a seed."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from .client import sign_in_body

if TYPE_CHECKING:
    from .checks import Clinician
    from .config import Config


class Journey(NamedTuple):
    """A kind of operation, and how many of each twenty it makes up."""

    name: str
    kind: str
    share: int


# Working hypotheses: mostly reading, as in any record; the shares make twenty.
JOURNEYS = (
    Journey("read-record", "read", 9),
    Journey("list-prescriptions", "read", 4),
    Journey("record-act", "write", 4),
    Journey("prescribe", "write", 2),
    Journey("sign-in", "read", 1),
)
_ACTS = ("prise de tension", "glycémie capillaire", "pansement", "perfusion", "toilette", "visite médicale")
_DRUGS = (("paracétamol", "1 g"), ("amoxicilline", "500 mg"), ("bisoprolol", "2,5 mg"), ("ramipril", "5 mg"))


class Intention(NamedTuple):
    """An operation about to start: who does what, as a request without its headers."""

    id: str
    journey: Journey
    clinician: Clinician
    patient: str | None
    method: str
    path: str
    body: bytes

    @property
    def key(self) -> str | None:
        """The client number of a write."""
        return self.id if self.journey.kind == "write" else None


class Mix:
    """Endless intentions, the same for the same seed.

    Journeys come in shuffled twenties rather than each by its own die: the rarest is then never more than 39
    operations away, and what it says about an interruption not much coarser than what the others say.
    """

    def __init__(self, config: Config) -> None:
        self._draw = Random(config.seed)  # noqa: S311 - a reproducible mix, not a secret
        self._config = config
        self._count = 0
        self._twenty: list[Journey] = []

    def next(self) -> Intention:
        """The next operation to start."""
        if not self._twenty:
            self._twenty = [journey for journey in JOURNEYS for _ in range(journey.share)]
            self._draw.shuffle(self._twenty)
        self._count += 1
        number = f"{self._config.tag}-{self._config.ward}-{self._count}"
        journey = self._twenty.pop()
        clinician = self._draw.choice(self._config.clinicians)
        patient = self._draw.choice(self._config.patients)
        about = None if journey.name == "sign-in" else patient
        return Intention(number, journey, clinician, about, *self._request(journey.name, number, clinician, patient))

    def _request(self, journey: str, number: str, clinician: Clinician, patient: str) -> tuple[str, str, bytes]:
        match journey:
            case "read-record":
                return "GET", f"/patients/{patient}", b""
            case "list-prescriptions":
                return "GET", f"/patients/{patient}/prescriptions", b""
            case "record-act":
                note = f"Acte {number}, bien toléré."
                act = {"patient": patient, "kind": self._draw.choice(_ACTS), "note": note}
                return "PUT", f"/acts/{number}", json.dumps(act).encode()
            case "prescribe":
                drug, dose = self._draw.choice(_DRUGS)
                per_day = self._draw.randint(1, 4)
                order = {"patient": patient, "drug": drug, "dose": dose, "per_day": per_day}
                return "PUT", f"/prescriptions/{number}", json.dumps(order).encode()
            case _:
                return "POST", "/sessions", sign_in_body(clinician)
