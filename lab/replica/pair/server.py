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
from typing import TYPE_CHECKING

from . import address, children
from .config import ServerConfig, read_server
from .database import Database
from .supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Coroutine

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node
_PAUSE = 1.0  # seconds before an application or a keepalived which ended by itself is started again
_GRACE = 3.0  # seconds for them to end


async def run(config: ServerConfig, config_path: Path) -> None:
    """Run the server until cancelled, then stop its parts in the order that clients notice least."""
    database = Database(config)
    await database.prepare()
    folder = config.folder / "address"
    folder.mkdir(exist_ok=True)
    watch = address.AddressWatch(folder / "serves")
    (folder / "keepalived.conf").write_text(address.conf(config, folder / "serves"), encoding="utf-8")
    emr = [sys.executable, "-m", f"{_PACKAGE}.emr.serve", str(config_path)]
    parts: list[Coroutine[None, None, None]] = [
        children.keep(
            address.command(folder),
            config.logs / "keepalived.log",
            pause=_PAUSE,
            grace=_GRACE,
            when_orphaned="TERM",  # it then takes the address off the interface
            stale=address.pid_files(folder),
        ),
        watch.run(),
        children.keep(emr, config.logs / "emr.log", pause=_PAUSE, grace=_GRACE),
        Supervisor(config, database).run(),
    ]
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


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
