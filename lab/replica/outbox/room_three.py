"""Room three's database of one service, as a member of rooms one and two uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text, update
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
_LAZILY = text("SET LOCAL synchronous_commit = off")  # a sign of life that is lost is said again
_ONE_AT_A_TIME = 20120113  # the advisory lock of whoever takes back what room three recorded


class InChargeError(Exception):
    """Room three serves: what it is sent now would come after what it has recorded itself."""


@dataclass
class RoomThree:
    """Delivers to room three, hears from it, and takes back what it recorded. Every method may raise DBAPIError.

    Args:
        engine: on room three's database; used by one thread.
        member: who delivers.
    """

    engine: Engine
    member: str

    def deliver(self, rows: Sequence[Row], *, fresh: bool) -> None:
        """Put rows into room three's record; they are on its disk when this returns.

        Raises:
            InChargeError: it serves, and takes nothing.
        """
        try:
            self._deliver(rows, fresh=fresh)
        except IntegrityError:  # the twin was faster
            self._deliver(rows, fresh=False)

    def _deliver(self, rows: Sequence[Row], *, fresh: bool) -> None:
        with self.engine.begin() as connection:
            # One delivery at a time, whoever sends it.
            if connection.execute(_CHARGE).scalar_one() != Standing.BY:
                raise InChargeError
            carrying.apply(connection, rows, fresh=fresh)

    def hear(self, *, complete: bool, lacking: int) -> Standing:
        """Give a sign of life, say whether room three has all, and hear what it does.

        Args:
            complete: room three has all that was acknowledged.
            lacking: how many acknowledged rows it lacks.
        """
        said: dict[str, object] = {"heard_at": now(), "lacking": lacking}
        if complete:
            said["complete_at"] = now()
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_LAZILY)
            connection.execute(update(charge).where(charge.c.id == 1).values(said))
            return Standing(connection.execute(select(charge.c.standing)).scalar_one())

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


def _is_alone(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_ONE_AT_A_TIME))).scalar_one())
