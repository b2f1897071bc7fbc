"""Child processes that cannot outlive the program which watches them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


async def start(command: list[str], log: Path, *, when_orphaned: str = "KILL") -> asyncio.subprocess.Process:
    """Start a command whose output goes to `log`, and which gets a signal when its parent dies.

    The child stays in its parent's process group, so that killing the group is killing the server.

    Args:
        command: program and arguments.
        log: file that output is added to.
        when_orphaned: signal that the kernel sends it if this process is killed.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig",
            when_orphaned,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


async def stop(process: asyncio.subprocess.Process, grace: float) -> None:
    """Ask a child to end, and kill it if it has not after `grace` seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def keep(
    command: list[str],
    log: Path,
    *,
    pause: float,
    grace: float,
    when_orphaned: str = "KILL",
    stale: Iterable[Path] = (),
) -> None:
    """Run a command for ever: start it again when it ended, stop it when cancelled.

    Args:
        command: program and arguments.
        log: file that output is added to.
        pause: seconds between an end and the next start.
        grace: seconds for a clean stop.
        when_orphaned: signal that the kernel sends it if this process is killed.
        stale: files removed before each start, left by a run that was killed.
    """
    while True:
        for left in stale:
            left.unlink(missing_ok=True)
        process = await start(command, log, when_orphaned=when_orphaned)
        try:
            await process.wait()
        except asyncio.CancelledError:
            await stop(process, grace)
            raise
        await asyncio.sleep(pause)
