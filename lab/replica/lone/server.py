"""A lone server, whole: database, application, the service's address.

`python3 -m replica.lone.server CONFIG.json`, until SIGTERM. A clean stop gives the address away first, then ends the
application, then the database. Killed without warning, as a process group, it starts again from its folder or disk:
InnoDB recovers what was committed. What ends by itself within the server is started again here; whether and where the
server itself is started again is for who runs servers to say.

Its disk is not watched, as a member's is: there is nobody to leave the address to. On a frozen volume clients wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from .. import beating
from ..pair import address
from ..pair.children import Child, together
from ..pair.mariadb import cnf, command, prepare
from .address import Address
from .config import LoneConfig, read

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node
_FAREWELL = 10.0  # seconds for a clean stop of the database before the kill
WITHOUT_GALERA = "wsrep_on=OFF\n"
LAZY = "lazy-log"
"""Planted defect: the database acknowledges before it wrote its log, and writes that seldom."""
_LAZY = "innodb_flush_log_at_trx_commit=0\ninnodb_flush_log_at_timeout=2700\n"


async def run(config: LoneConfig, config_path: Path) -> None:
    """Run the server until cancelled, then stop its parts in the order that clients notice least."""
    await prepare(config, cnf(config, WITHOUT_GALERA + (_LAZY if LAZY in config.defects else "")))
    database = Child(command(config), config.logs / "mariadb.log", grace=_FAREWELL)
    emr = Child((sys.executable, "-m", f"{_PACKAGE}.emr.serve", str(config_path)), config.logs / "emr.log")
    service = Address(config.interface, config.virtual_address)
    config.charge.unlink(missing_ok=True)
    await together(
        service.hold_while(config.is_free) if config.rescue else service.hold(),
        emr.keep(),
        database.keep(),
        beating.keep(address.fit),
    )


async def main(path: Path) -> None:
    """Run until SIGTERM."""
    work = asyncio.ensure_future(run(read(path), path))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(main(Path(sys.argv[1])))
