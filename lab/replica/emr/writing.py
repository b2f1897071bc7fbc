"""What a clinician may write: acts and prescriptions, numbered by the client so that a retry changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from . import reading, schema
from .access import now
from .answers import Answer, refusal

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from .access import Access, Trail
    from .store import Store


@dataclass(frozen=True)
class Kind:
    """A kind of write: its table, and the fields by which two writes are the same."""

    name: str
    table: Table
    fields: tuple[str, ...]


ACT = Kind("act", schema.acts, ("clinician", "patient", "kind", "note"))
PRESCRIPTION = Kind("prescription", schema.prescriptions, ("clinician", "patient", "drug", "dose", "per_day"))


def put(store: Store, trail: Trail, access: Access, kind: Kind, number: str, content: dict[str, object]) -> Answer:
    """Write it once: 201 the first time, 200 for the same again, 409 for another content under this number.

    Raises:
        UnavailableError: the database cannot serve; whether it was written is not known, and a retry will tell.
    """
    try:
        return store.run(lambda connection: _create(connection, trail, access, kind, number, content))
    except IntegrityError:
        # Already there: an earlier attempt whose answer was lost. Read it in a new transaction, so that it waits for
        # what the other member acknowledged.
        return store.run(lambda connection: _compare(connection, trail, access, kind, number, content))


def _create(  # noqa: PLR0913, PLR0917 - the transaction, the trace, and the three parts of a write
    connection: Connection, trail: Trail, access: Access, kind: Kind, number: str, content: dict[str, object]
) -> Answer:
    if not reading.known(connection, access.patient):
        return reading.unknown_patient(connection, trail, access)
    at = now()
    row = {"number": number, "clinician": access.clinician, "at": at, **content}
    connection.execute(insert(kind.table), row)
    payload = json.dumps({**row, "at": at.isoformat()}, ensure_ascii=False)
    connection.execute(insert(schema.outbox), {"kind": kind.name, "number": number, "payload": payload, "at": at})
    trail.note(connection, access)
    return Answer(201, {"number": number})


def _compare(  # noqa: PLR0913, PLR0917 - as above
    connection: Connection, trail: Trail, access: Access, kind: Kind, number: str, content: dict[str, object]
) -> Answer:
    columns = [kind.table.c[name] for name in kind.fields]
    found = connection.execute(select(*columns).where(kind.table.c.number == number)).mappings().first()
    trail.note(connection, access)
    if found is None:
        return refusal(503, f"{kind.name} {number} was being written: try again")
    if dict(found) == {**content, "clinician": access.clinician}:
        return Answer(200, {"number": number})
    return refusal(409, f"{kind.name} {number} exists with another content")
