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


@dataclass(frozen=True)
class Write:
    """One write as the client means it: what, under which number of its own, and who asks."""

    kind: Kind
    number: str
    content: dict[str, object]
    access: Access


def put(store: Store, trail: Trail, write: Write) -> Answer:
    """Write it once: 201 the first time, 200 for the same again, 409 for another content under this number.

    Raises:
        UnavailableError: the database cannot serve; whether it was written is not known, and a retry will tell.
    """
    try:
        return store.run(lambda connection: _create(connection, trail, write))
    except IntegrityError:
        # Already there: an earlier attempt whose answer was lost. Read it in a new transaction, so that it waits for
        # what the other member acknowledged.
        return store.run(lambda connection: _compare(connection, trail, write))


def _create(connection: Connection, trail: Trail, write: Write) -> Answer:
    access = write.access
    if not reading.known(connection, access.patient):
        return reading.unknown_patient(connection, trail, access)
    at = now()
    row = {"number": write.number, "clinician": access.clinician, "at": at, **write.content}
    connection.execute(insert(write.kind.table), row)
    connection.execute(
        insert(schema.outbox),
        {
            "kind": write.kind.name,
            "number": write.number,
            "payload": json.dumps({**row, "at": at.isoformat()}, ensure_ascii=False),
            "at": at,
        },
    )
    trail.note(connection, access)
    return Answer(201, {"number": write.number})


def _compare(connection: Connection, trail: Trail, write: Write) -> Answer:
    table, access = write.kind.table, write.access
    columns = [table.c[name] for name in write.kind.fields]
    found = connection.execute(select(*columns).where(table.c.number == write.number)).mappings().first()
    trail.note(connection, access)
    if found is None:
        return refusal(503, f"{write.kind.name} {write.number} was being written: try again")
    if dict(found) == {**write.content, "clinician": access.clinician}:
        return Answer(200, {"number": write.number})
    return refusal(409, f"{write.kind.name} {write.number} exists with another content")
