"""Room three, whole: the database always, a service's application and address while it is in charge.

`python3 -m replica.rescue.server CONFIG.json`, until SIGTERM. Orders, on its socket in /run/bascule: `take SERVICE`
(serve from now on), `close SERVICE` (serve no more; rooms one and two fetch what is left), `give-back SERVICE` (they
serve again). What was ordered is in the database, and outlives a loss of power.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text, update
from sqlalchemy.exc import SQLAlchemyError

from ..array import control
from ..array.mischief import OrderError
from ..emr.store import postgresql
from ..lone.address import Address
from ..outbox.room_three import owed
from ..outbox.tables import Standing, charge, unprotected
from ..pair.children import Child, together
from . import postgres
from .config import SOCKETS, RescueConfig, read

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node
_RUN = Path("/run/bascule")
_EVERY = 0.05  # seconds between two looks while the database starts
_FAREWELL = 10.0
_NEXT = {"take": Standing.SERVES, "close": Standing.CLOSED, "give-back": Standing.BY}


class ServiceInCharge:
    """One service in room three: its standing, and what runs while it serves."""

    def __init__(self, config: RescueConfig, name: str) -> None:
        self.name = name
        self.engine: Engine = postgresql(str(SOCKETS), name, threads=0)
        self.standing = Standing.BY
        self._config = config
        self._news = asyncio.Event()
        self._path = _RUN / f"{config.name}-{name}.json"
        self._path.write_text(json.dumps(config.application(name)), encoding="utf-8")

    def become(self, standing: Standing) -> None:
        """Write the new standing down, then act on it.

        Raises:
            OrderError: rooms one and two lack something that was recorded here.
        """
        with self.engine.begin() as connection:
            if standing is Standing.BY and (left := owed(connection)):
                raise OrderError(f"rooms one and two lack {left} rows of {self.name}: they fetch them first")
            connection.execute(update(charge).values(standing=standing))
        self.standing = standing
        self._news.set()

    def status(self) -> dict[str, Any]:
        """What the database says of the charge."""
        with self.engine.begin() as connection:
            row = connection.execute(select(charge)).mappings().one()
            return {
                **{key: row[key] for key in ("standing", "lacking")},
                **{key: row[key] and row[key].isoformat() for key in ("heard_at", "complete_at")},
                "owed": owed(connection),
                "unprotected": _periods(connection),
            }

    async def run(self) -> None:
        """Serve whenever it is in charge."""
        with self.engine.begin() as connection:
            self.standing = Standing(connection.execute(select(charge.c.standing)).scalar_one())
        while True:
            self._news.clear()
            if self.standing is Standing.SERVES:
                await self._serve()
            else:
                await self._news.wait()

    async def _serve(self) -> None:
        """Serve until the standing changes: the address goes first, then the application."""
        command = (sys.executable, "-m", f"{_PACKAGE}.emr.serve", str(self._path))
        emr = Child(command, self._config.logs / f"emr-{self.name}.log")
        work = asyncio.ensure_future(
            together(Address(self._config.interface, self._config.services[self.name]).hold(), emr.keep())
        )
        change = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({work, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work


def _periods(connection: Connection) -> list[dict[str, Any]]:
    return [
        {**row, "since": row["since"].isoformat(), "until": row["until"].isoformat()}
        for row in connection.execute(select(unprotected).order_by(unprotected.c.id)).mappings()
    ]


class Room:
    """All services, and the orders of the lab."""

    def __init__(self, services: dict[str, ServiceInCharge]) -> None:
        self._services = services

    def status(self) -> dict[str, Any]:
        """How each service stands."""
        return {"services": {name: service.status() for name, service in self._services.items()}}

    def obey(self, line: str) -> None:
        """Carry an order out.

        Raises:
            OrderError: it cannot be.
        """
        verb, _, name = line.partition(" ")
        if verb not in _NEXT or name not in self._services:
            raise OrderError(
                f"unknown order {line!r}: take, close or give-back, and one of {', '.join(self._services)}"
            )
        try:
            self._services[name].become(_NEXT[verb])
        except SQLAlchemyError as error:
            raise OrderError(f"the database refuses {line!r}: {error}") from error


async def run(config: RescueConfig) -> None:
    """Run until cancelled."""
    config.logs.mkdir(parents=True, exist_ok=True)
    postgres.configure(config.data, SOCKETS, listens="*", network=config.network)
    database = Child(postgres.command(config.data), config.logs / "postgresql.log", grace=_FAREWELL)
    await together(_serve(config), database.keep())


async def _serve(config: RescueConfig) -> None:
    services = {name: ServiceInCharge(config, name) for name in config.services}
    for service in services.values():
        await _answers(service.engine)
    with next(iter(services.values())).engine.begin() as connection:
        connection.execute(text("ALTER USER emr PASSWORD :password").bindparams(password=config.password))
    room = Room(services)
    listening = await control.serve(_RUN / "rescue.sock", room.status, room.obey)
    try:
        await together(*(service.run() for service in services.values()))
    finally:
        listening.close()


async def _answers(engine: Engine) -> None:
    while True:
        try:
            with engine.connect():
                return
        except SQLAlchemyError:
            await asyncio.sleep(_EVERY)


async def main(path: Path) -> None:
    """Run until SIGTERM."""
    work = asyncio.ensure_future(run(read(path)))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(main(Path(sys.argv[1])))
