"""`python3 -m replica.hypervisor CONFIG.json`: a host's hypervisor and guard, until killed; its servers live on."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arbiter.kv import Kv
from . import census, guarding
from .config import CONTROL, RUN, HostConfig, read
from .machine import Guests, Machine

if TYPE_CHECKING:
    from collections.abc import Coroutine

_ASK = 0.2  # seconds for a path to say how it is

log = logging.getLogger("hypervisor")


class Hypervisor:
    """One host's servers."""

    def __init__(self, config: HostConfig) -> None:
        self.config = config
        self.machines = {name: Machine(config, spec) for name, spec in config.servers.items()}
        self._guests = Guests()
        self._tasks: set[asyncio.Task[None]] = set()

    async def running(self) -> dict[str, dict[str, Any]]:
        """Every server that is here, and how it is."""
        started = [name for name in census.started() if name in self.machines]
        paths = dict(zip(started, await asyncio.gather(*map(self._path, started)), strict=True))
        # From here on nothing is waited for: what is powered on meanwhile would look as if it had failed.
        found = census.processes()
        here = {*found, *census.started()}
        said = {
            name: machine.status(found.get(name, []), paths.get(name))
            for name, machine in self.machines.items()
            if name in here or machine.is_starting
        }
        return {name: status for name, status in said.items() if status is not None}

    async def _path(self, name: str) -> dict[str, Any] | None:
        """What the path of a server's volume says of itself."""
        if not self.machines[name].spec.volume:
            return None
        with suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(_ASK):
                reader, writer = await asyncio.open_unix_connection(str(RUN / f"path-{name}.sock"))
                writer.write(b"status\n")
                found: dict[str, Any] = json.loads(await reader.readline())
                writer.close()
                return found
        return None

    def start(self, name: str, number: int) -> None:
        """Power a server on, beside."""
        self._beside(self.machines[name].power_on(number, self._guests))

    def stop(self, name: str, *, hard: bool) -> None:
        """Power a server off, beside."""
        self._beside(self._stop(name, hard=hard))

    async def _stop(self, name: str, *, hard: bool) -> None:
        try:
            await self.machines[name].power_off(hard=hard)
        except RuntimeError as error:
            self.machines[name].trouble = str(error)
            log.warning("%s", error)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def obey(self, line: str) -> dict[str, Any]:
        """`status`, `start NAME NUMBER`, or `stop NAME [hard]`; anything but the first is done beside."""
        words = line.split()
        match words:
            case [] | ["status"]:
                return {"host": self.config.name, "servers": await self.running()}
            case ["start" | "stop", name, *_] if name not in self.machines:
                return {"error": f"no server is called {name!r}; known: {', '.join(sorted(self.machines))}"}
            case ["start", name, number] if number.isdecimal():
                self.start(name, int(number))
            case ["stop", name, *how] if how in ([], ["hard"]):
                self.stop(name, hard=bool(how))
            case _:
                return {"error": f"no order is called {line!r}; known: status, start NAME NUMBER, stop NAME [hard]"}
        return {}


async def main(path: Path) -> None:
    """Run until killed."""
    config = read(path)
    hypervisor = Hypervisor(config)
    guard = guarding.Guard(config, hypervisor, Kv(config.arbiters))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError):
            while line := (await reader.readline()).decode(errors="replace").strip():
                if line == "agent":  # its sign of life, and its question
                    guard.agent_asked()
                    line = "status"
                found = {**guard.status(), **await hypervisor.obey(line)}
                writer.write(json.dumps(found).encode() + b"\n")
                await writer.drain()
        writer.close()

    CONTROL.parent.mkdir(parents=True, exist_ok=True)
    CONTROL.unlink(missing_ok=True)
    listener = await asyncio.start_unix_server(answer, str(CONTROL))
    async with listener:
        await guard.run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(main(Path(sys.argv[1])))
