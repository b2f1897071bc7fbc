"""A server of the pair, whole: database, application, virtual address.

`python3 -m replica.pair.server CONFIG.json`, until SIGTERM. A clean stop gives the address away first, then ends the
application, then lets the database say farewell to the group. Killed without warning, it takes all its children
with it, and starts again from its folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from .. import beating, routes
from . import address
from .children import Child, together
from .config import ServerConfig, read_server
from .database import Database
from .disk import DiskWatch
from .lateness import Canary
from .reach import Reach
from .supervisor import Supervisor

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node


async def run(config: ServerConfig, config_path: Path) -> None:
    """Run the server until cancelled, then stop its parts in the order that clients notice least."""
    database = Database(config)
    await database.prepare()
    routes.hasten(str(config.address.ip))
    folder = config.folder / "address"
    folder.mkdir(exist_ok=True)
    reach = Reach(config.wards)
    disk = DiskWatch(config.disk)
    canary = Canary(folder)
    supervisor = Supervisor(config, database, canary, lambda: reach.is_reached and disk.answers)
    watch = address.AddressWatch(folder / "serves", supervisor.may_hold_the_address)
    (folder / "keepalived.conf").write_text(address.conf(config, folder), encoding="utf-8")
    emr = Child((sys.executable, "-m", f"{_PACKAGE}.emr.serve", str(config_path)), config.logs / "emr.log")
    await together(
        address.keepalived(folder, config.logs).keep(),
        canary.child(config.logs).keep(),
        watch.run(),
        emr.keep(),
        supervisor.run(),
        database.statefiles.follow(),
        reach.run(),
        beating.keep(address.fit),
    )


async def main(path: Path) -> None:
    """Run until SIGTERM."""
    work = asyncio.ensure_future(run(read_server(path), path))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(main(Path(sys.argv[1])))
