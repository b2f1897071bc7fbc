"""What a clinician may look at; each look leaves its audit row in the same transaction.

The first statement of each transaction is a SELECT on purpose: Galera's `wsrep_sync_wait` makes that one wait until
this member has applied all that the other acknowledged, and the rest of the transaction sees the same instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from . import schema
from .answers import Answer, refusal
from .people import digest_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .access import Access, Trail

_RECENT = 5  # acts shown on the first page of a record
_MOST = 10_000  # trail rows in one answer

_PATIENT = select(schema.patients).where(schema.patients.c.id == bindparam("id"))
_ACTS = (
    select(
        schema.acts.c.number,
        schema.acts.c.clinician,
        schema.acts.c.kind,
        schema.acts.c.note,
        schema.acts.c.at,
    )
    .where(schema.acts.c.patient == bindparam("id"))
    .order_by(schema.acts.c.at.desc())
    .limit(_RECENT)
)
_PRESCRIPTIONS = (
    select(
        schema.prescriptions.c.number,
        schema.prescriptions.c.clinician,
        schema.prescriptions.c.drug,
        schema.prescriptions.c.dose,
        schema.prescriptions.c.per_day,
        schema.prescriptions.c.at,
    )
    .where(schema.prescriptions.c.patient == bindparam("id"))
    .order_by(schema.prescriptions.c.at.desc())
)
_KNOWN = select(schema.patients.c.id).where(schema.patients.c.id == bindparam("id"))
_DIGEST = select(schema.clinicians.c.digest).where(schema.clinicians.c.id == bindparam("id"))


def sign_in(connection: Connection, trail: Trail, access: Access, secret: str) -> bool:
    """Whether this secret is the clinician's; refusals are traced under their own name."""
    digest = connection.execute(_DIGEST, {"id": access.clinician}).scalar()
    good = digest == digest_of(secret)
    trail.note(connection, access if good else access.called("sign-in-refused"))
    return good


def record(connection: Connection, trail: Trail, access: Access) -> Answer:
    """The patient and the latest acts of care."""
    patient = connection.execute(_PATIENT, {"id": access.patient}).mappings().first()
    if patient is None:
        return unknown_patient(connection, trail, access)
    recent = _rows(connection, _ACTS, access.patient)
    trail.note(connection, access)
    return Answer(200, {**patient, "born": str(patient["born"]), "acts": recent})


def prescriptions(connection: Connection, trail: Trail, access: Access) -> Answer:
    """All that is prescribed to the patient, the latest first."""
    found = _rows(connection, _PRESCRIPTIONS, access.patient)
    if not found and not known(connection, access.patient):
        return unknown_patient(connection, trail, access)
    trail.note(connection, access)
    return Answer(200, found)


def known(connection: Connection, patient: str | None) -> bool:
    """Whether the clinic has this patient."""
    return connection.execute(_KNOWN, {"id": patient}).first() is not None


def unknown_patient(connection: Connection, trail: Trail, access: Access) -> Answer:
    """The refusal, traced like any access: who asked for whom is what a trail is for."""
    trail.note(connection, access)
    return refusal(404, f"no patient {access.patient}")


def access_trail(connection: Connection, trail: Trail, access: Access, after: int, limit: int) -> Answer:
    """Rows of the trail after this sequence number.

    Numbers grow on each member but are shared out between the two, so a reader who follows the end of the trail may
    meet a lower number later; reading again from an earlier mark finds it.
    """
    table = schema.access_trail
    wanted = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(max(1, min(limit, _MOST)))
    rows = [{**row, "at": row["at"].isoformat()} for row in connection.execute(wanted).mappings()]
    trail.note(connection, access)
    return Answer(200, rows)


def _rows(connection: Connection, wanted: Any, patient: str | None) -> list[dict[str, Any]]:  # noqa: ANN401 - a Select of any columns
    found = connection.execute(wanted, {"id": patient}).mappings()
    return [{**row, "at": row["at"].isoformat()} for row in found]
