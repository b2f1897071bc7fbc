"""PostgreSQL as room three has it: where its programs are, its configuration, its command."""

from __future__ import annotations

import shutil
from pathlib import Path

_PROGRAMS = Path("/usr/lib/postgresql")
# syncfs: one flush of the disk before a recovery, not one for each of a thousand files.
_CONF = """\
listen_addresses = '{listens}'
port = 5432
unix_socket_directories = '{sockets}'
max_connections = 60
shared_buffers = 32MB
wal_level = replica
max_wal_senders = 2
max_wal_size = 96MB
min_wal_size = 32MB
fsync = on
synchronous_commit = on
full_page_writes = on
recovery_init_sync_method = syncfs
jit = off
tcp_keepalives_idle = 2
tcp_keepalives_interval = 1
tcp_keepalives_count = 2
logging_collector = off
"""
_HBA = """\
local all all trust
local replication postgres trust
host all emr {network} scram-sha-256
"""


def program(name: str) -> str:
    """The path of a program of the newest PostgreSQL of this system.

    Raises:
        RuntimeError: there is none.
    """
    found = sorted(_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise RuntimeError(f"no {name} below {_PROGRAMS}")
    return str(found[-1])


def as_postgres(*command: str) -> tuple[str, ...]:
    """The command, by the database's own user: it refuses to run as root."""
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command)


def command(data: Path) -> tuple[str, ...]:
    """The database's command: before others, since everybody waits for it."""
    return ("nice", "-n", "-10", *as_postgres(program("postgres"), "-D", str(data)))


def configure(data: Path, sockets: Path, *, listens: str = "", network: str = "127.0.0.1/32") -> None:
    """Write the configuration."""
    sockets.mkdir(parents=True, exist_ok=True)
    shutil.chown(sockets, "postgres", "postgres")
    (data / "postgresql.conf").write_text(_CONF.format(listens=listens, sockets=sockets), encoding="ascii")
    (data / "pg_hba.conf").write_text(_HBA.format(network=network), encoding="ascii")
    # What a life that ended by a loss of power left: its process number may belong to another program now.
    (data / "postmaster.pid").unlink(missing_ok=True)
