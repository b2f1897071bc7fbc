"""Carry a server's disk and its program, from the outer side.

`python3 -m replica.disk.carrier CONFIG.json`, CONFIG as in `config.py`. It runs the NBD server behind the disk if it is
told how, then nbdfuse, and, once the disk's file can be read, the program in a mount namespace of its own. SIGTERM
stops the program, which unmounts the disk cleanly, then the rest. When one of the three ends by itself the others
cannot go on, so all end; the carrier's exit code is then that of who ended first, and who started the carrier decides
what next. Killed without warning, it takes all three along.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import devices, loops
from .config import DiskConfig, read

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable

_EVERY = 0.02  # seconds between two looks for a file or socket that another program makes
_SERVERS_FAREWELL = 1.0  # seconds for the clean stop of what serves the disk, and for anything to die of a kill
_DETACH = 1.0  # seconds for the kernel to let go of the loop device after the program's end (3 ms seen)

log = logging.getLogger(__name__)


class _EndedError(Exception):
    """One of the processes ended before the disk was there."""


class Carrier:
    """The three processes of one disk; the first of them that ends, ends the carrier."""

    def __init__(self, config: DiskConfig, path: Path) -> None:
        self._config = config
        self._path = path
        self._started: list[Process] = []
        self._program: Process | None = None

    async def run(self) -> int:
        """Run until one of the processes ends; its exit code. Cancelled, stop in order."""
        try:
            with contextlib.suppress(_EndedError):
                await self._boot()
                await self._first_end()
            return self._code()
        finally:
            await asyncio.shield(self._stop())

    async def _boot(self) -> None:
        config = self._config
        self._prepare()
        if config.backing:
            await self._start(*config.backing)
        await self._appears(config.socket.is_socket)
        await self._start("nbdfuse", str(config.file), f"nbd+unix:///{config.export}?socket={config.socket}")
        await self._appears(self._is_served)
        log.info("the disk %s is attached", config.name)
        network = ("ip", "netns", "exec", config.network) if config.network else ()
        alone = ("unshare", "--mount", "--propagation", "private", "--")
        inner = (sys.executable, "-m", f"{__package__}.mounted", str(self._path))
        self._program = await self._start(*network, *alone, *inner)

    def _prepare(self) -> None:
        """Make the folder, without what a life that ended by a kill has left in it."""
        config = self._config
        subprocess.run(["umount", "--lazy", "--quiet", str(config.folder)], stderr=subprocess.DEVNULL, check=False)
        config.folder.mkdir(parents=True, exist_ok=True)
        config.state.unlink(missing_ok=True)
        if config.backing:
            config.socket.unlink(missing_ok=True)
        devices.character(devices.FUSE)

    async def _start(self, *command: str) -> Process:
        """Start a process that dies with the carrier, with all that it starts, and before nobody else's signals."""
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", *command), stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        self._started.append(process)
        return process

    async def _appears(self, there: Callable[[], bool]) -> None:
        """Return when it is there. However long it takes: the volume may be waiting for its owner."""
        while not there():
            if any(process.returncode is not None for process in self._started):
                raise _EndedError
            await asyncio.sleep(_EVERY)

    def _is_served(self) -> bool:
        with contextlib.suppress(OSError):
            return self._config.file.stat().st_dev != self._config.folder.parent.stat().st_dev
        return False

    async def _first_end(self) -> None:
        waits = [asyncio.ensure_future(process.wait()) for process in self._started]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _code(self) -> int:
        return next((code for process in self._started if (code := process.returncode) is not None), 0)

    async def _stop(self) -> None:
        """Stop the program, wait until the kernel has unmounted its disk, then stop what serves the disk.

        A program which waits for a frozen disk does not even die of a kill. It does when nbdfuse ends, since all that
        waits for the disk then gets an error.
        """
        if self._program is not None:
            await self._end(self._program, self._config.farewell)
            await self._let_go()
        for process in reversed(self._started):
            if process is not self._program:
                await self._end(process, _SERVERS_FAREWELL)
        for process in self._started:
            await process.wait()
        self._config.state.unlink(missing_ok=True)

    async def _end(self, process: Process, grace: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            log.warning("%s did not stop: killed", process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _SERVERS_FAREWELL)

    async def _let_go(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError, TimeoutError):
            number = int(self._config.state.read_text(encoding="ascii"))
            async with asyncio.timeout(_DETACH):
                while loops.is_bound(number):  # noqa: ASYNC110 - the kernel frees it, nobody can set an event
                    await asyncio.sleep(_EVERY)


async def main(path: Path) -> int:
    """Carry until one process ends, or SIGTERM."""
    work = asyncio.ensure_future(Carrier(read(path), path).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await work
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
