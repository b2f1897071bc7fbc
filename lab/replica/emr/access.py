"""Who asks for what: the audit row that every access leaves in the transaction which serves it."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from ..outbox import carrying
from . import schema

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ROW_DROPPED = "audit-row-dropped"
_DROPPED_EVERY = 50


def now() -> dt.datetime:
    """This instant in UTC, as the tables store it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Access:
    """One attempt of one clinician at one thing; `id` is the client's, unique to the attempt."""

    id: str
    clinician: str
    action: str
    patient: str | None = None

    def called(self, action: str) -> Access:
        """The same access under another action's name."""
        return replace(self, action=action)


@dataclass(frozen=True)
class Trail:
    """Writes audit rows for one member.

    Args:
        member: name of the server that serves.
        defects: planted defects; `audit-row-dropped` forgets one row in fifty.
        hands_on: each row is left in the outbox as well: room three, whose accesses rooms one and two will ask for.
    """

    member: str
    defects: frozenset[str] = frozenset()
    hands_on: bool = False
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def note(self, connection: Connection, access: Access) -> dict[str, Any] | None:
        """Add the row to the caller's transaction; returns it, unless it is handed on already."""
        if ROW_DROPPED in self.defects and next(self._count) % _DROPPED_EVERY == 0:
            return None
        row = {
            "access": access.id,
            "member": self.member,
            "clinician": access.clinician,
            "patient": access.patient,
            "action": access.action,
            "at": now(),
        }
        connection.execute(_INSERT, row)
        if not self.hands_on:
            return row
        carrying.put(connection, carrying.ACCESS, access.id, access=row)
        return None


_INSERT = insert(schema.access_trail)
