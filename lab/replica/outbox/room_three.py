"""Room three's database of one service, as a member of rooms one and two uses it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from ..emr import schema
from ..emr.access import now
from . import carrying
from .tables import Standing, charge, unprotected

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.engine import Connection, Engine

    from .core import Row

_CHARGE = select(charge.c.standing).where(charge.c.id == 1).with_for_update()
_LAZILY = text("set_config('synchronous_commit', 'off', true) = 'off'")  # a sign of life that is lost is said again
# Advisory locks: of whoever takes back what room three recorded, and of whoever brings it what it lacks.
_ONE_AT_A_TIME, _CATCHES_UP = 20120113, 20120114
# All of a delivery in one statement: five answers, one after the other, cost a clinician three times as much.
# Prepared once a connection: PostgreSQL's parser and planner took a quarter of its time.
_PREPARE = """
PREPARE delivery (json, json, json) AS
WITH free AS (SELECT id FROM charge WHERE id = 1 AND standing = 'standing by' FOR UPDATE),
a AS (INSERT INTO acts SELECT new.* FROM free,
      json_populate_recordset(CAST(NULL AS acts), $1) AS new),
p AS (INSERT INTO prescriptions SELECT new.* FROM free,
      json_populate_recordset(CAST(NULL AS prescriptions), $2) AS new),
t AS (INSERT INTO access_trail (access, member, clinician, patient, action, at)
      SELECT new.access, new.member, new.clinician, new.patient, new.action, new.at FROM free,
      json_populate_recordset(CAST(NULL AS access_trail), $3) AS new)
SELECT count(*) FROM free
"""
_AT_ONCE = "EXECUTE delivery (%(acts)s, %(prescriptions)s, %(trail)s)"


class InChargeError(Exception):
    """Room three serves: what it is sent now would come after what it has recorded itself."""


@dataclass
class RoomThree:
    """Delivers to room three, hears from it, and takes back what it recorded. Every method may raise DBAPIError.

    Args:
        engine: on room three's database; used by one thread at a time.
        member: who delivers.
    """

    engine: Engine
    member: str

    def __post_init__(self) -> None:
        """Prepare each connection."""
        if self.engine.dialect.name == "postgresql":
            event.listen(self.engine, "connect", _prepare)

    def deliver(self, rows: Sequence[Row], *, fresh: bool) -> None:
        """Put rows into room three's record; they are on its disk when this returns.

        Args:
            rows: in order.
            fresh: they have never been sent before: a clinician waits, so it is one statement and one answer.

        Raises:
            InChargeError: it serves, and takes nothing.
        """
        if fresh and self.engine.dialect.name == "postgresql":
            try:
                self._deliver_at_once(rows)
            except IntegrityError:  # the twin was faster
                pass
            else:
                return
        with self.engine.begin() as connection:
            # One delivery at a time, whoever sends it.
            if connection.execute(_CHARGE).scalar_one() != Standing.BY:
                raise InChargeError
            carrying.apply(connection, rows)

    def _deliver_at_once(self, rows: Sequence[Row]) -> None:
        with self.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            if not alone.exec_driver_sql(_AT_ONCE, carrying.by_table(rows)).scalar_one():
                raise InChargeError

    def claim(self) -> bool:
        """Become the one who catches up, until `release` or the end of the connection: two would hinder each other."""
        if self.engine.dialect.name != "postgresql":
            return True
        with self.engine.begin() as connection:
            return bool(connection.execute(select(func.pg_try_advisory_lock(_CATCHES_UP))).scalar_one())

    def release(self) -> None:
        """Let another member catch up, if it has anything to."""
        if self.engine.dialect.name == "postgresql":
            with self.engine.begin() as connection:
                connection.execute(select(func.pg_advisory_unlock_all()))

    def hear(self, *, complete: bool, lacking: int) -> Standing:
        """Give a sign of life, say whether room three has all, and hear what it does.

        Args:
            complete: room three has all that was acknowledged.
            lacking: how many acknowledged rows it lacks.
        """
        said: dict[str, object] = {"heard_at": now(), "lacking": lacking}
        if complete:
            said["complete_at"] = now()
        told = update(charge).where(charge.c.id == 1).values(said).returning(charge.c.standing)
        if self.engine.dialect.name == "postgresql":
            told = told.where(_LAZILY)
        with self.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            return Standing(alone.execute(told).scalar_one())

    def tell(self, periods: Iterable[tuple[dt.datetime, dt.datetime, int]]) -> None:
        """Write down when room three lacked something: since, until, how many rows."""
        rows = [
            {"member": self.member, "since": since, "until": until, "number_of_rows": count}
            for since, until, count in periods
        ]
        with self.engine.begin() as connection:
            connection.execute(insert(unprotected), rows)

    def take_back(self, keep: Callable[[Sequence[Row]], None], limit: int) -> int:
        """Let `keep` put what room three recorded into rooms one and two, then strike it from room three's outbox.

        One member at a time; 0 where another one is at it, or there is nothing.
        """
        with self.engine.begin() as connection:
            if not _is_alone(connection):
                return 0
            rows = carrying.oldest(connection, limit, now())
            if rows:
                keep(rows)
                carrying.forget(connection, [row.seq for row in rows])
            return len(rows)


def owed(connection: Connection) -> int:
    """How many rows wait in this outbox."""
    return int(connection.execute(select(func.count()).select_from(schema.outbox)).scalar_one())


def _prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's
    with closing(connection.cursor()) as cursor:
        cursor.execute(_PREPARE)
    connection.commit()  # what is prepared stays, whatever becomes of a transaction


def _is_alone(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_ONE_AT_A_TIME))).scalar_one())
