"""Build once the database folder from which both members start: `python3 -m replica.pair.template OUT_FOLDER`.

The two copies carry the same history and position, so a new pair needs no state transfer, which is most of the 19 s
that setting one up from nothing took.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from sqlalchemy import create_engine, text

from ..emr import data, schema
from .config import ServerConfig
from .database import Database
from .galera import Position, template_cnf

_STATEMENTS = (
    "CREATE DATABASE dopasoins CHARACTER SET utf8mb4",
    "CREATE USER emr@localhost IDENTIFIED BY 'emr'",
    "GRANT ALL ON dopasoins.* TO emr@localhost",
    "GRANT RELOAD ON *.* TO emr@localhost",  # FLUSH ENGINE LOGS
    "CREATE USER sst@localhost IDENTIFIED BY 'sst'",
    "GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR ON *.* TO sst@localhost",
)
# Belong to one running member, not to the history.
_LEFT_OUT = ("galera.cache", "gvwstate.dat", "aria_log_control.bak")
_UP_WITHIN = 30.0


async def build(out: Path) -> Position:
    """Fill `out`, an empty folder, with a cleanly stopped MariaDB's schema and data; the position it stands at.

    Raises:
        RuntimeError: MariaDB did not install or did not start.
    """
    with tempfile.TemporaryDirectory() as scratch:
        config = _scratch(Path(scratch))
        config.datadir.mkdir()
        database = Database(config)
        await database.prepare()
        (config.folder / "my.cnf").write_text(template_cnf(config), encoding="utf-8")
        await _install(config)
        process = await database.start(Position(), new_group=True)
        await _answers(config)
        await asyncio.to_thread(_fill, config)
        await database.stop(process, farewell=True)
        for name in _LEFT_OUT:
            (config.datadir / name).unlink(missing_ok=True)
        position = await database.position()
        await _run("cp", "-a", f"{config.datadir}/.", str(out))
        return position


def _scratch(folder: Path) -> ServerConfig:
    folder.chmod(0o755)
    nowhere = IPv4Interface("127.0.0.1/8")
    return ServerConfig(
        server="template",
        address=nowhere,
        twin="none",
        twin_address=IPv4Address("127.0.0.1"),
        arbitrator_address=IPv4Address("127.0.0.1"),
        virtual_address=nowhere,
        folder=folder,
        template=folder,
        secret="",
    )


async def _install(config: ServerConfig) -> None:
    await _run(
        "mariadb-install-db",
        f"--defaults-file={config.folder / 'my.cnf'}",
        "--user=mysql",
        "--skip-test-db",
        "--auth-root-authentication-method=socket",
    )


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait():
        raise RuntimeError(f"{command[0]} failed")


async def _answers(config: ServerConfig) -> None:
    async with asyncio.timeout(_UP_WITHIN):
        while not config.socket.exists():  # noqa: ASYNC110 - another program makes it, nobody can set an event
            await asyncio.sleep(0.1)


def _fill(config: ServerConfig) -> None:
    address = f"?unix_socket={config.socket}&charset=utf8mb4"
    root = create_engine(f"mysql+pymysql://root@localhost/mysql{address}", future=True)
    with root.begin() as connection:
        for statement in _STATEMENTS:
            connection.execute(text(statement))
    root.dispose()
    engine = create_engine(f"mysql+pymysql://root@localhost/dopasoins{address}", future=True)
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        data.generate().load(connection)
    engine.dispose()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print(asyncio.run(build(Path(sys.argv[1]))))  # noqa: T201 - for whoever runs it by hand
