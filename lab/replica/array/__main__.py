"""`python3 -m replica.array CONFIG.json`: an array, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from .. import routes
from ..nbd import program
from ..nbd.server import serve
from . import config, control
from .service import Array
from .shelf import StartError


async def main(path: Path) -> None:
    """Run until SIGTERM; raises StartError."""
    told = config.read(path)
    array = Array(told)
    routes.hasten(told.address)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = await serve(array, (told.address, told.port))
    lab = await control.serve(told.control, array.status, array.obey)
    copies = await array.replication.serve() if array.replication else None
    copying = asyncio.create_task(array.replication.run()) if array.replication else None
    logging.getLogger("array").info("%s serves %s, boot %s", told.name, ", ".join(array.names()), array.boot)
    waits = [asyncio.create_task(stop.wait()), *([copying] if copying else [])]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if copying is not None and copying.done():
        copying.result()  # it broke: the node starts the array again
    lab.close()
    if copies is not None:
        copies.close()
    listener.close()
    array.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        program.run(main(Path(sys.argv[1])))
    except StartError as refusal:
        sys.exit(str(refusal))
