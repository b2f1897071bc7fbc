"""What clinicians do, drawn from a seed."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from .client import sign_in_body

if TYPE_CHECKING:
    from .checks import Clinician
    from .config import Config


class Journey(NamedTuple):
    """A kind of operation."""

    name: str
    kind: str


READ = Journey("read-record", "read")
LIST = Journey("list-prescriptions", "read")
ACT = Journey("record-act", "write")
PRESCRIBE = Journey("prescribe", "write")
SIGN_IN = Journey("sign-in", "read")


class Profession(NamedTuple):
    """Who works in a ward, and how.

    Args:
        name: the profession.
        does: of each twenty operations of a ward, those that are theirs.
        think_s: how long one of them takes between two operations: that and the rate say how many are at work.
        stay: operations on one patient before the next.
        beds: how many patients of the ward they go round; 0 for all patients of the clinic.
        keeps: whether their session keeps its connection (a desk) or makes a new one each time (a tablet that roams).
    """

    name: str
    does: tuple[Journey, ...]
    think_s: float
    stay: int
    beds: int
    keeps: bool


# Working hypotheses, as the shares are: mostly reading, as in any record.
PROFESSIONS = (
    Profession("nurse", 4 * (READ,) + 2 * (LIST,) + 4 * (ACT,) + (SIGN_IN,), 7, stay=4, beds=24, keeps=False),
    Profession("physician", 3 * (READ,) + 2 * (PRESCRIBE,), 10, stay=5, beds=24, keeps=True),
    Profession("pharmacist", 2 * (LIST,), 6, stay=2, beds=0, keeps=True),
    Profession("front-desk", 2 * (READ,), 4, stay=1, beds=0, keeps=False),
)
_TWENTY = tuple((profession, journey) for profession in PROFESSIONS for journey in profession.does)
_ACTS = ("prise de tension", "glycémie capillaire", "pansement", "perfusion", "toilette", "visite médicale")
_DRUGS = (("paracétamol", "1 g"), ("amoxicilline", "500 mg"), ("bisoprolol", "2,5 mg"), ("ramipril", "5 mg"))


class Intention(NamedTuple):
    """An operation about to start: who does what, as a request without its headers."""

    id: str
    profession: Profession
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


@dataclass
class _Visit:
    """A clinician with a patient, for so many operations more."""

    clinician: Clinician
    patient: str = ""
    left: int = 0


class Mix:
    """Endless intentions, the same for the same seed.

    Journeys come in shuffled twenties rather than each by its own die: the rarest is then never more than 39
    operations away, and what it says about an interruption not much coarser than what the others say. Whoever has
    been idle longest in a profession acts next, and stays with a patient for a while: what one writes is soon read,
    by the same and by others of the ward.
    """

    def __init__(self, config: Config) -> None:
        self._draw = Random(config.seed)  # noqa: S311 - a reproducible mix, not a secret
        self._config = config
        self._count = 0
        self._twenty: list[tuple[Profession, Journey]] = []
        patients = list(config.patients)
        self._draw.shuffle(patients)
        self._patients = {each.name: tuple(patients[: each.beds or None]) for each in PROFESSIONS}
        self._idle = _staff(config)

    def next(self) -> Intention:
        """The next operation to start."""
        if not self._twenty:
            self._twenty = list(_TWENTY)
            self._draw.shuffle(self._twenty)
        self._count += 1
        number = f"{self._config.tag}-{self._config.ward}-{self._count}"
        profession, journey = self._twenty.pop()
        visit = self._visit(profession)
        about = None if journey is SIGN_IN else visit.patient
        request = self._request(journey.name, number, visit.clinician, visit.patient)
        return Intention(number, profession, journey, visit.clinician, about, *request)

    def _visit(self, profession: Profession) -> _Visit:
        visit = self._idle[profession.name].popleft()
        self._idle[profession.name].append(visit)
        if not visit.left:
            visit.patient, visit.left = self._draw.choice(self._patients[profession.name]), profession.stay
        visit.left -= 1
        return visit

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


def _staff(config: Config) -> dict[str, deque[_Visit]]:
    """Who is at work: as many of each profession as its think time and its share of the rate ask for."""
    hands = cycle(config.clinicians)
    staff = {}
    for profession in PROFESSIONS:
        share = len(profession.does) / len(_TWENTY)
        at_work = max(1, round(config.rate * share * profession.think_s))
        staff[profession.name] = deque(_Visit(clinician) for clinician in islice(hands, at_work))
    return staff
