"""One virtual server on this host: power on, power off, and how it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import heartbeat
from . import census, wiring
from .config import RUN, SERVERS

if TYPE_CHECKING:
    from .config import HostConfig, ServerSpec

_EVERY = 0.02  # seconds between two looks for processes that are dying
_DEATH = (
    10.0  # seconds for the kernel to end killed processes; what waits for a frozen disk ends with the disk's server
)
_SILENT = 4.0  # seconds without a heartbeat, of which one is due each half a second
_HELD = 1.0  # seconds for which a request may wait before its storage is said to be away
_FAREWELL = 35.0  # seconds for a clean stop: what the disk's carrier allows, and a little more

log = logging.getLogger("hypervisor")


class Machine:
    """A server of the plan, as this host sees it: running here, or not.

    Args:
        host: what the hypervisor was told.
        spec: the server.
    """

    def __init__(self, host: HostConfig, spec: ServerSpec) -> None:
        self._host = host
        self.spec = spec
        self._busy = asyncio.Lock()
        self._wanted: int | None = None  # number under which it is being powered on
        self._child: subprocess.Popen[bytes] | None = None  # to be buried when it ends
        self.trouble = ""

    @property
    def number(self) -> int:
        """Under which session it was powered on here; 0 if it was not."""
        try:
            return int(self.spec.number.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    @property
    def is_starting(self) -> bool:
        """Whether it is being powered on."""
        return self._wanted is not None

    def _runs(self, number: int) -> bool:
        """Whether it is here already, in this session."""
        return self.number == number and not self.trouble and bool(census.processes().get(self.spec.name))

    async def power_on(self, number: int, guests: Guests) -> None:
        """Power it on, unless it runs in this session; what an earlier life left here goes first."""
        async with self._busy:
            if self._runs(number):  # an order that was given twice, because the first took long
                return
            self._wanted, self.trouble = number, ""
            try:
                if self.number or wiring.is_wired(
                    self.spec
                ):  # to look through all processes costs; hundreds start at once
                    await self._clear()
                await wiring.wire(self.spec)
                self._forget()
                self.spec.number.write_text(str(number), encoding="ascii")
                if self.spec.program is None:
                    await guests.start(self.spec, self._boot(number))
                else:
                    self._start(number)
                log.info("%s is powered on, session %s", self.spec.name, number)
            except (OSError, RuntimeError) as error:
                self.trouble = str(error)
                log.warning("%s cannot be powered on: %s", self.spec.name, error)
            finally:
                self._wanted = None

    async def power_off(self, *, hard: bool) -> None:
        """Power it off: cleanly if it can be, at once if asked."""
        async with self._busy:
            pids = census.processes().get(self.spec.name, [])
            if pids and not hard:
                await self._farewell(pids)
            await self._clear()
            self.spec.number.unlink(missing_ok=True)
            log.info("%s is powered off%s", self.spec.name, ", hard" if hard else "")

    async def _farewell(self, pids: list[int]) -> None:
        leaders = [pid for pid in pids if _session(pid) == pid]
        for pid in leaders:  # the carrier of a disk passes it on; what it started must not hear of it before
            with contextlib.suppress(ProcessLookupError):
                if _parent(pid) not in pids:
                    os.kill(pid, signal.SIGTERM)
        await self._gone(_FAREWELL)

    async def _clear(self) -> None:
        """End all that is left of it, and its wire.

        Raises:
            RuntimeError: a process does not die.
        """
        census.kill(census.processes().get(self.spec.name, []))
        if not await self._gone(_DEATH):
            raise RuntimeError(f"processes of {self.spec.name} do not die")
        await wiring.unwire(self.spec)

    async def _gone(self, within: float) -> bool:
        deadline = time.monotonic() + within
        while not self._is_buried() or census.processes().get(self.spec.name):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_EVERY)
        return True

    def _is_buried(self) -> bool:
        """Whether no child of ours is left: one that dies leaves the census a moment before it can be waited for."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        return self._child is None

    def _forget(self) -> None:
        """Power-on: nothing is in memory."""
        SERVERS.mkdir(parents=True, exist_ok=True)
        self.spec.heartbeat.unlink(missing_ok=True)
        shutil.rmtree(self.spec.memory, ignore_errors=True)
        self.spec.logs.mkdir(parents=True, exist_ok=True)

    def _start(self, number: int) -> None:
        spec = self.spec
        words: tuple[str, ...] = (sys.executable, "-m", str(spec.program), _written(spec.name, spec.config or {}))
        if boot := self._boot(number):
            words = ("sh", "-c", 'sleep "$0" && exec "$@"', f"{boot:g}", *words)
        words = self._on_volume(number, words) if spec.volume else ("ip", "netns", "exec", spec.name, *words)
        with (spec.logs / "console.log").open("ab") as console:
            self._child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env={**os.environ, census.MARK: spec.name, "BASCULE_HEARTBEAT": str(spec.heartbeat)},
            )

    def _boot(self, number: int) -> float:
        """Seconds until its program starts: none for the very first start, since a lab begins with rooms at work."""
        started = self.spec.logs.parent / "started"
        first = number == 1 and not started.exists()
        started.touch()
        return 0.0 if first else self.spec.boot

    def _on_volume(self, number: int, words: tuple[str, ...]) -> tuple[str, ...]:
        spec = self.spec
        assert spec.volume is not None, "asked for one that has"  # noqa: S101 - an invariant
        socket = str(RUN / f"volume-{spec.name}.sock")
        ways = {key: spec.volume.get(key) for key in ("nodes", "array")}
        path = {"volume": spec.name, "session": number, **ways, "socket": socket}
        backing = (sys.executable, "-m", "replica.path", _written(f"path-{spec.name}", path))
        told = {
            "name": spec.name,
            "socket": socket,
            "mount": spec.volume["mount"],
            "backing": backing,
            "program": words,
            "loops": self._host.loops,
            "network": spec.name,
        }
        return sys.executable, "-m", "replica.disk.carrier", _written(f"carrier-{spec.name}", told)

    def status(self, pids: list[int], path: dict[str, Any] | None) -> dict[str, Any] | None:
        """How it is; None when it is off here.

        Args:
            pids: its living processes.
            path: what its volume's path says of itself.
        """
        self._is_buried()
        number = self._wanted or self.number
        if not number and not pids:
            return None
        beat = heartbeat.read(self.spec.heartbeat)
        state = self._state(pids, beat)
        return {
            "number": number,
            "state": state,
            "healthy": state == "running" and beat is not None and beat[1],
            "silent_s": round(beat[0], 3) if beat else 0.0,
            "held_s": path["held_s"] if path else 0.0,
            "idle_s": path["idle_s"] if path else None,
            "served": bool(path and path["node"] and path["held_s"] < _HELD),
            "pdl": bool(path and path["gone"]),
            "trouble": self.trouble,
        }

    def _state(self, pids: list[int], beat: tuple[float, bool] | None) -> str:
        if self._wanted:
            return "starting"
        if not pids or self.trouble:
            return "failed"
        if beat is None:
            return "booting"
        return "running" if beat[0] < _SILENT else "hung"


class Guests:
    """The fork server, and what was asked of it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def start(self, spec: ServerSpec, boot: float) -> None:
        """Start a guest, which boots for so many seconds; it is in its namespace when this returns.

        Raises:
            RuntimeError: the fork server is gone, or there is no namespace.
        """
        async with self._turn:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", f"{__package__}.guests"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                )
            order = f"{spec.name} {census.NAMESPACES / spec.name} {spec.heartbeat} {boot:g}\n"
            assert self._process.stdin is not None  # noqa: S101 - we asked for both pipes
            assert self._process.stdout is not None  # noqa: S101 - as above
            self._process.stdin.write(order.encode())
            answer = (await self._process.stdout.readline()).split()
            if not answer:
                raise RuntimeError("the fork server ended")
            if answer[1] == b"0":
                raise RuntimeError(f"{spec.name} cannot enter its namespace")


def _written(name: str, config: dict[str, Any]) -> str:
    path = RUN / f"{name}.json"
    path.write_text(json.dumps(config))
    return str(path)


def _session(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(pid)
    return 0


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    return 0
