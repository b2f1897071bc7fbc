"""What a clinician may write: acts and prescriptions, numbered by the client so that a retry changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ..outbox import carrying
from . import reading, schema
from .access import now
from .answers import Answer, refusal

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from ..outbox.core import Row
    from .access import Access, Trail
    from .store import Store


class Feed(Protocol):
    """Whoever brings what was written to room three."""

    def deliver(self, row: Row) -> None:
        """Return when the clinician may be answered."""


class Kept:
    """Room three itself: what it records waits in its outbox until rooms one and two ask for it."""

    def deliver(self, row: Row) -> None:
        """Nobody is waited for."""


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


class Done(NamedTuple):
    """The answer, and the row of the outbox that room three should have before the clinician gets it."""

    answer: Answer
    owed: Row | None = None


def put(store: Store, trail: Trail, write: Write, feed: Feed | None = None) -> Answer:
    """Write it once: 201 the first time, 200 for the same again, 409 for another content under this number.

    Args:
        store: the database.
        trail: where the access is noted.
        write: what, and who asks.
        feed: brings it to room three before this returns; None where there is no room three.

    Raises:
        UnavailableError: the database cannot serve, or room three does instead; whether it was written is not known,
            and a retry will tell.
    """
    try:
        done = store.run(lambda connection: _create(connection, trail, write, owes=feed is not None))
    except IntegrityError:
        # Already there: an earlier attempt whose answer was lost. Read it in a new transaction, so that it waits for
        # what the other member acknowledged.
        done = store.run(lambda connection: _compare(connection, trail, write))
    if feed is not None and done.owed is not None:
        feed.deliver(done.owed)
    return done.answer


def _create(connection: Connection, trail: Trail, write: Write, *, owes: bool) -> Done:
    access = write.access
    if not reading.known(connection, access.patient):
        return Done(reading.unknown_patient(connection, trail, access))
    row = {"number": write.number, "clinician": access.clinician, "at": now(), **write.content}
    connection.execute(insert(write.kind.table), row)
    traced = trail.note(connection, access)
    owed = carrying.put(connection, write.kind.name, write.number, row=row, access=traced) if owes else None
    return Done(Answer(201, {"number": write.number}), owed)


def _compare(connection: Connection, trail: Trail, write: Write) -> Done:
    table, access = write.kind.table, write.access
    columns = [table.c[name] for name in write.kind.fields]
    found = connection.execute(select(*columns).where(table.c.number == write.number)).mappings().first()
    trail.note(connection, access)
    if found is None:
        return Done(refusal(503, f"{write.kind.name} {write.number} was being written: try again"))
    if dict(found) == {**write.content, "clinician": access.clinician}:
        return Done(Answer(200, {"number": write.number}), carrying.find(connection, write.kind.name, write.number))
    return Done(refusal(409, f"{write.kind.name} {write.number} exists with another content"))
