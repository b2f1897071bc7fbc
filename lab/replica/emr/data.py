"""A clinic's worth of generated data: the same seed gives the same clinic, and nobody in it is real."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert

from . import schema, words
from .people import clinician_ids, digest_of, patient_ids, secret_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

Row = dict[str, object]

SEED = 2012
_OPENED = dt.datetime(2026, 1, 5, 8, 0)  # noqa: DTZ001 - stored instants are UTC without a zone
_SPAN = 90 * 24 * 3600  # seconds of past care which a record shows


@dataclass(frozen=True)
class Clinic:
    """Rows by table, ready to insert."""

    clinicians: tuple[Row, ...]
    patients: tuple[Row, ...]
    acts: tuple[Row, ...]
    prescriptions: tuple[Row, ...]

    def load(self, connection: Connection) -> None:
        """Insert every row, in the caller's transaction."""
        connection.execute(insert(schema.clinicians), list(self.clinicians))
        connection.execute(insert(schema.patients), list(self.patients))
        connection.execute(insert(schema.acts), list(self.acts))
        connection.execute(insert(schema.prescriptions), list(self.prescriptions))


def generate(seed: int = SEED) -> Clinic:
    """The clinic that this seed draws."""
    draw = random.Random(seed)  # noqa: S311 - a reproducible clinic, not a secret
    clinicians = tuple(_clinician(draw, id_) for id_ in clinician_ids())
    patients = tuple(_patient(draw, id_) for id_ in patient_ids())
    number = itertools.count()
    acts = tuple(
        _act(draw, patient, f"acte-{next(number):06d}") for patient in patient_ids() for _ in range(draw.randint(3, 8))
    )
    prescriptions = tuple(
        _prescription(draw, patient, drug, f"ordo-{next(number):06d}")
        for patient in patient_ids()
        for drug in draw.sample(words.DRUGS, draw.randint(2, 5))
    )
    return Clinic(clinicians, patients, acts, prescriptions)


def _clinician(draw: random.Random, id_: str) -> Row:
    return {
        "id": id_,
        "family_name": draw.choice(words.FAMILY_NAMES),
        "given_name": draw.choice(words.WOMEN + words.MEN),
        "role": draw.choice(words.ROLES),
        "ward": draw.choice(words.WARDS),
        "digest": digest_of(secret_of(id_)),
    }


def _patient(draw: random.Random, id_: str) -> Row:
    sex = draw.choice("FM")
    return {
        "id": id_,
        "family_name": draw.choice(words.FAMILY_NAMES),
        "given_name": draw.choice(words.WOMEN if sex == "F" else words.MEN),
        "born": dt.date(1930, 1, 1) + dt.timedelta(days=draw.randrange(29_000)),
        "sex": sex,
        "ward": draw.choice(words.WARDS),
        "bed": f"{draw.randint(1, 4)}{draw.randint(1, 30):02d}",
        "allergies": draw.choice(words.ALLERGIES),
        "history": draw.choice(words.HISTORIES),
    }


def _act(draw: random.Random, patient: str, number: str) -> Row:
    kind, note = draw.choice(words.ACTS)
    return {**_care(draw, patient, number), "kind": kind, "note": note}


def _prescription(draw: random.Random, patient: str, drug: tuple[str, str, int], number: str) -> Row:
    name, dose, per_day = drug
    return {**_care(draw, patient, number), "drug": name, "dose": dose, "per_day": per_day}


def _care(draw: random.Random, patient: str, number: str) -> Row:
    return {
        "number": number,
        "patient": patient,
        "clinician": draw.choice(clinician_ids()),
        "at": _OPENED - dt.timedelta(seconds=draw.randrange(_SPAN)),
    }
