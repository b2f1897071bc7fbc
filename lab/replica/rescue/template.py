"""Build once the database from which room three starts: `python3 -m replica.rescue.template OUT_FOLDER SERVICE…`.

It carries the generated clinic once for each service, as the servers of rooms one and two do.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, insert, text

from ..emr import data, schema
from ..emr.store import postgresql
from ..outbox import tables
from . import postgres

if TYPE_CHECKING:
    from collections.abc import Iterable

# Small segments: a node's disk is small, and each file that was ever written is kept.
_INITDB = ("--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--wal-segsize=4", "--username=postgres")


def build(out: Path, services: Iterable[str]) -> None:
    """Fill `out` with a cleanly stopped PostgreSQL, a database for each service.

    Raises:
        subprocess.CalledProcessError: it did not install or did not start.
    """
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        folder, sockets = Path(scratch) / "data", Path(scratch) / "sockets"
        folder.mkdir(mode=0o700)
        shutil.chown(folder, "postgres", "postgres")
        _run(*postgres.as_postgres(postgres.program("initdb"), *_INITDB, "-D", str(folder)))
        postgres.configure(folder, sockets)
        control = postgres.as_postgres(postgres.program("pg_ctl"), "-D", str(folder), "-w", "-l", f"{sockets}/log")
        _run(*control, "start")
        try:
            _fill(sockets, services)
        finally:
            _run(*control, "-m", "fast", "stop")
        _run("cp", "-a", f"{folder}/.", str(out))


def _fill(sockets: Path, services: Iterable[str]) -> None:
    root = create_engine(
        "postgresql+psycopg2://", future=True, connect_args={"host": str(sockets), "user": "postgres"}
    ).execution_options(isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.execute(text("CREATE USER emr"))
        for service in services:
            connection.execute(text(f'CREATE DATABASE "{service}" OWNER emr'))
    root.dispose()
    for service in services:
        engine = postgresql(str(sockets), service, wait=60.0)
        for metadata in (schema.metadata, tables.metadata):
            metadata.create_all(engine)
        with engine.begin() as connection:
            data.generate().load(connection)
            connection.execute(insert(tables.charge), {"id": 1, "standing": tables.Standing.BY, "lacking": 0})
        engine.dispose()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    build(Path(sys.argv[1]), sys.argv[2:])
