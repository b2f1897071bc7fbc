"""The member's MariaDB: prepare its folder, find its position, start it, ask it how it is, stop it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..emr.store import mariadb
from .children import Child, stop
from .eviction import GroupWatch
from .galera import Membership, Position, clean_position, recovered, server_cnf
from .mariadb import command, prepare
from .statefiles import StateFiles

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from .config import ServerConfig

_FAREWELL = 10.0  # seconds for a clean stop before the kill
_NO_FAREWELL = 1.0
# Not in step with the group, which may be what is wrong: SQLAlchemy begins with a few SELECTs of its own.
_AT_ONCE = "SET SESSION wsrep_sync_wait = 0"
# SHOW and not SELECT: a SELECT would wait, as wsrep_sync_wait tells it to, while the group changes.
_STATUS = text(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_cluster_size', 'wsrep_local_state', "
    "'wsrep_last_committed', 'wsrep_local_recv_queue', 'wsrep_gcomm_uuid')"
)


class Database:
    """The MariaDB of one server."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self.statefiles = StateFiles(config.home, config.datadir)
        self._asked = mariadb(str(config.socket), wait=1.0, first=_AT_ONCE)
        self.group = GroupWatch(mariadb(str(config.socket), wait=2.0))

    async def prepare(self) -> None:
        """Make the folder ready, as every server's, and bring back what Galera wrote about itself.

        Raises:
            RuntimeError: the server's disk carries no database, or the template cannot be copied.
        """
        config = self._config
        is_new = not config.datadir.exists()
        await prepare(config, server_cnf(config))
        if is_new:
            return
        self.statefiles.restore()
        shutil.chown(config.home, "mysql", "mysql")
        for file in config.home.glob("*.dat"):
            shutil.chown(file, "mysql", "mysql")

    async def position(self) -> Position:
        """How far this copy has come. Only while the database is stopped.

        After a clean stop Galera's own note says it; after a crash InnoDB has to be asked, which takes a second.
        """
        noted = self._noted()
        if noted.known:
            return noted
        asked = await asyncio.create_subprocess_exec(
            *command(self._config, "--wsrep-recover", "--disable-log-error"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asked.communicate()
        return recovered(output.decode(errors="replace"))

    def stopped_cleanly(self) -> bool:
        """Whether the database said farewell before it stopped; its position is then known without asking it."""
        return self._noted().known

    async def start(self, position: Position, *, new_group: bool) -> Process:
        """Start the database from this position; `new_group` makes it the first member of a new primary component.

        Raises nothing: a database that cannot run ends, and its log says why.
        """
        arguments = [f"--wsrep-start-position={position}"] if position.known else []
        if new_group:
            self._allow_new_group()
            arguments.append("--wsrep-new-cluster")
        return await Child(command(self._config, *arguments), self._config.logs / "mariadb.log").start()

    async def stop(self, process: Process, *, farewell: bool) -> None:
        """Stop the database; with `farewell` cleanly, so that it leaves the group in order and notes its position.

        Without a primary component there is nobody to say farewell to, and a database which still looks for its group
        does not hear the request to stop.
        """
        await stop(process, _FAREWELL if farewell else _NO_FAREWELL)
        await asyncio.to_thread(self.statefiles.copy)

    async def membership(self) -> Membership:
        """What the running database says of itself and its group."""
        return await asyncio.to_thread(self._membership)

    async def evict(self, node: str) -> None:
        """Vote a member out of the group: it is `node` to Galera, and must be started again to be heard."""
        await asyncio.to_thread(self._evict, node)

    def _evict(self, node: str) -> None:
        engine = mariadb(str(self._config.socket), wait=1.0, user="root", first=_AT_ONCE)
        with contextlib.suppress(DBAPIError), engine.connect() as connection:  # asked again as long as it is needed
            connection.execute(text("SET GLOBAL wsrep_provider_options = :options"), {"options": f"evs.evict={node}"})
        engine.dispose()

    def _noted(self) -> Position:
        with contextlib.suppress(FileNotFoundError):
            return clean_position((self._config.home / "grastate.dat").read_text(encoding="utf-8"))
        return Position()

    def _membership(self) -> Membership:
        status: dict[str, str] = {}
        # Outside of a group it answers this question and refuses the ROLLBACK with which a connection is given back.
        with contextlib.suppress(DBAPIError), self._asked.connect() as connection:
            status = {row[0]: row[1] for row in connection.execute(_STATUS)}
        return Membership.of(status)

    def _allow_new_group(self) -> None:
        """Tell Galera what the caller has made sure of: this copy is the most advanced one.

        The view of the last group would be preferred to a new one, so it goes.
        """
        (self._config.home / "gvwstate.dat").unlink(missing_ok=True)
        state = self._config.home / "grastate.dat"
        if state.exists():
            text = state.read_text(encoding="utf-8")
            state.write_text(text.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"), encoding="utf-8")
