"""The pair's arbitrator: garbd, and the watch that restarts it at once when both members are gone.

`python3 -m replica.pair.arbitrator CONFIG.json`, until SIGTERM. A stock garbd that has lost both members keeps the
position of the group in memory; the members that come back abort against it ("Reversing history") and the pair
never returns. Restarted before they are back, with its `gvwstate.dat` kept, it helps them re-form (five of five in the
feasibility trial; with a watch four seconds late: never).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from .. import routes
from .children import orphan_proof, stop
from .config import ArbitratorConfig, read_arbitrator
from .galera import Component, component, garbd
from .hearsay import Arbitration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PAUSE = 1.0  # seconds before a daemon which ended by itself is started again

log = logging.getLogger(__name__)


class Loss(StrEnum):
    """How the arbitrator came to be alone."""

    SILENT = "both members are gone"
    FAREWELL = "both members said farewell"


class Loneliness:
    """Says when the daemon must be restarted: it had been in a primary component, and is now alone."""

    def __init__(self) -> None:
        self._was_primary = False

    def saw(self, seen: Component) -> Loss | None:
        """The loss to restart on that this view shows, if any.

        After a farewell the arbitrator alone is the primary component. It has no data to vouch for, only a position
        one ahead of the members', with which it would turn them away when they return.
        """
        alone = seen.members <= 1
        if alone and seen.primary:
            return Loss.FAREWELL
        if alone and self._was_primary:
            return Loss.SILENT
        self._was_primary = self._was_primary or seen.primary
        return None


async def run(config: ArbitratorConfig) -> None:
    """Keep the arbitrator running until cancelled."""
    for folder in (config.folder, config.logs):
        folder.mkdir(parents=True, exist_ok=True)
    routes.hasten(str(config.address))
    while True:
        daemon = await asyncio.create_subprocess_exec(
            *orphan_proof(garbd(config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            loss = await _loss(_lines(daemon, config.logs / "garbd.log"))
        except asyncio.CancelledError:
            await stop(daemon, grace=3)
            raise
        with contextlib.suppress(ProcessLookupError):
            daemon.kill()
        await daemon.wait()
        if loss is None:
            await asyncio.sleep(_PAUSE)
            continue
        log.warning("%s: restart", loss.value)
        if loss is Loss.FAREWELL:
            # With the view of itself alone it would be primary again at once.
            (config.folder / "gvwstate.dat").unlink(missing_ok=True)


async def _loss(lines: AsyncIterator[str]) -> Loss | None:
    """How the daemon lost its members, as soon as it did; None if it ended."""
    loneliness = Loneliness()
    async for line in lines:
        seen = component(line)
        loss = loneliness.saw(seen) if seen is not None else None
        if loss is not None:
            return loss
    return None


async def _lines(daemon: asyncio.subprocess.Process, log_file: Path) -> AsyncIterator[str]:
    """The daemon's output, line by line, as it is copied to its log."""
    stream = daemon.stdout
    if stream is None:
        return
    with log_file.open("ab", buffering=0) as copy:
        while line := await stream.readline():
            copy.write(line)
            yield line.decode(errors="replace")


async def main(config: ArbitratorConfig) -> None:
    """Run until SIGTERM."""
    work = asyncio.gather(run(config), Arbitration(config.members).run(config.address))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(main(read_arbitrator(Path(sys.argv[1]))))
