"""Child processes that cannot outlive the program which watches them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Coroutine
    from pathlib import Path

_PAUSE = 1.0  # seconds before a program which ended by itself is started again


@dataclass(frozen=True)
class Child:
    """A program to run; it stays in its parent's process group, so that killing the group is killing the server.

    Args:
        command: program and arguments.
        log: file that its output is added to.
        when_orphaned: signal that the kernel sends it if its parent is killed.
        stale: files removed before each start, left by a run that was killed.
        grace: seconds that it has for a clean stop.
    """

    command: tuple[str, ...]
    log: Path
    when_orphaned: str = "KILL"
    stale: tuple[Path, ...] = ()
    grace: float = 3.0

    async def start(self) -> Process:
        """Start it."""
        for left in self.stale:
            left.unlink(missing_ok=True)
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *orphan_proof(self.command, self.when_orphaned),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def keep(self) -> None:
        """Run it for ever: start it again when it ended, stop it when cancelled."""
        while True:
            process = await self.start()
            try:
                await process.wait()
            except asyncio.CancelledError:
                await stop(process, self.grace)
                raise
            await asyncio.sleep(_PAUSE)


async def together(*parts: Coroutine[None, None, None]) -> None:
    """Run parts side by side until all have ended, one fails, or this is cancelled; then end the others in order.

    Not by `gather`: cancelled, it ends all of them at once and comes back with the first; cancelling the others again
    then cuts short what they still do, such as the clean stop of a database.
    """
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def orphan_proof(command: tuple[str, ...], when_orphaned: str = "KILL") -> tuple[str, ...]:
    """The command, made to get a signal when its parent dies."""
    return ("setpriv", "--pdeathsig", when_orphaned, *command)


def at(niceness: int, *command: str) -> tuple[str, ...]:
    """The command, run at this niceness whatever this program's own is."""
    return "nice", "-n", str(niceness - os.nice(0)), *command


async def stop(process: Process, grace: float) -> None:
    """Ask a child to end, and kill it if it has not after `grace` seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
