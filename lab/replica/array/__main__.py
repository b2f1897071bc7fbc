"""`python3 -m replica.array CONFIG.json`: an array, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from ..nbd import program, routes
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
    lab = await control.serve(told.control, array.status, array.mischief.obey)
    logging.getLogger("array").info("%s serves %s, boot %s", told.name, ", ".join(array.names()), array.boot)
    await stop.wait()
    lab.close()
    listener.close()
    array.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        program.run(main(Path(sys.argv[1])))
    except StartError as refusal:
        sys.exit(str(refusal))
