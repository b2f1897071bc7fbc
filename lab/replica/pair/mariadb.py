"""MariaDB as every server has it, in a pair or alone: its folder and its configuration."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from .children import at

if TYPE_CHECKING:
    from .config import AnyServer

_CNF = """\
[mysqld]
user=mysql
bind-address=127.0.0.1
port=3306
skip-name-resolve
datadir={datadir}
socket={socket}
pid-file={folder}/mariadb.pid
log-error={logs}/mariadb.log
tmpdir={folder}/tmp
character-set-server=utf8mb4
max_connections=100
performance_schema=OFF
binlog_format=ROW
default_storage_engine=InnoDB
innodb_autoinc_lock_mode=2
innodb_flush_log_at_trx_commit=1
innodb_buffer_pool_size=64M
innodb_log_file_size=32M
innodb_lock_wait_timeout=2
innodb_fast_shutdown=1
"""


def cnf(config: AnyServer, more: str) -> str:
    """The `my.cnf` of a server: what all have, and `more`."""
    named = {"datadir": config.datadir, "socket": config.socket, "folder": config.folder, "logs": config.logs}
    return _CNF.format(**named) + more


def command(config: AnyServer, *arguments: str) -> tuple[str, ...]:
    """The database's command: before others, since everybody waits for it."""
    return at(-10, "mariadbd", f"--defaults-file={config.folder / 'my.cnf'}", *arguments)


async def prepare(config: AnyServer, text: str) -> None:
    """Write the configuration; on the very first start of a server without a disk, copy the template.

    The copy gets its name last, so that a power loss in the middle leaves no half database behind.

    Raises:
        RuntimeError: the server's disk carries no database, or the template cannot be copied.
    """
    for folder in (config.folder / "tmp", config.logs):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, "mysql", "mysql")
    shutil.chown(config.folder, "mysql", "mysql")
    (config.folder / "my.cnf").write_text(text, encoding="utf-8")
    if config.datadir.exists():
        return
    if config.disk is not None:
        raise RuntimeError(f"the disk {config.disk} carries no database: {config.datadir} is missing")
    half = config.folder / "data.copying"
    shutil.rmtree(half, ignore_errors=True)
    copy = await asyncio.create_subprocess_exec("cp", "-a", "--reflink=auto", str(config.template), str(half))
    if await copy.wait():
        raise RuntimeError(f"cannot copy the template {config.template}")
    half.rename(config.datadir)
