"""`python3 -m replica.agent CONFIG.json`, started by the host's guard.

`{"host": …, "management": own address, "storage": own address, "peers": {host: address}, "virtualisers": {name:
address}, "isolation": [address, …], "arbiters": [URL, …], "catalogue": {…}, "settings": {…}}`. It says where it stands
on `/run/bascule/agent.sock`, and takes the orders of an operator there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..arbiter.kv import Kv
from ..cluster import orders
from ..cluster.agent import Agent
from ..cluster.beat import Beat, RunningState, State
from ..cluster.catalogue import Catalogue
from ..cluster.settings import Settings
from ..hypervisor.config import CONTROL as HYPERVISOR
from ..virtualiser.beats import PORT as STORAGE_PORT
from ..virtualiser.outside import Arbiters, Tasks
from . import links

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..cluster.record import Order

CONTROL = Path("/run/bascule/agent.sock")
_TICK = 0.1  # seconds
_LOOK = 0.25  # seconds between two questions to the hypervisor, which looks through all processes for each
_LONGEST = 1 << 20  # bytes of an answer: 450 servers take a tenth
_KEPT = 5000  # events: four for each of a thousand servers
_ANSWER = 2.0  # seconds for the hypervisor

log = logging.getLogger("agent")


class Hypervisor:
    """The host's hypervisor and guard, on one connection; orders wait for their turn, and are lost with it."""

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._orders: list[str] = []
        self._ordered = asyncio.Event()
        self._event = say

    def start(self, server: str, number: int) -> None:
        """Power on."""
        self._order(f"start {server} {number}")

    def stop(self, server: str, reason: str, *, hard: bool) -> None:
        """Power off."""
        self._event("stop", f"{server}: {reason}")
        self._order(f"stop {server}{' hard' if hard else ''}")

    def _order(self, line: str) -> None:
        self._orders.append(line)
        self._ordered.set()

    def event(self, kind: str, detail: str) -> None:
        """Note what happened."""
        self._event(kind, detail)

    async def talk(self, saw: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        """Ask what runs, and pass on the orders, for ever; a hypervisor that is gone is waited for."""
        while True:
            with suppress(OSError, TimeoutError, ValueError):
                reader, writer = await asyncio.open_unix_connection(str(HYPERVISOR), limit=_LONGEST)
                try:
                    while True:
                        self._ordered.clear()
                        for line in ["agent", *self._orders]:
                            writer.write(line.encode() + b"\n")
                            async with asyncio.timeout(_ANSWER):
                                answer = json.loads(await reader.readline())
                            if line == "agent":
                                saw(answer["servers"])
                            else:
                                self._orders.remove(line)
                        with suppress(TimeoutError):
                            async with asyncio.timeout(_LOOK):
                                await self._ordered.wait()
                finally:
                    writer.close()
            await asyncio.sleep(_TICK)


class Program:
    """One agent."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._events: list[dict[str, Any]] = []
        self._serving: set[tuple[str, int]] = set()
        self._hypervisor = Hypervisor(self._event)
        self._settings = Settings(
            **{
                **told["settings"],
                "attempts": tuple(told["settings"]["attempts"]),
                "defects": frozenset(told["settings"]["defects"]),
            }
        )
        self._tasks = Tasks()
        self.agent = Agent(
            told["host"],
            time.time_ns() // 1_000_000,
            self._settings,
            Catalogue.from_json(told["catalogue"]),
            Arbiters(Kv(told["arbiters"]), self._tasks),
            self._hypervisor,
        )

    def _event(self, kind: str, detail: str) -> None:
        log.info("%s: %s", kind, detail)
        self._events.append({"at": time.monotonic_ns(), "kind": kind, "detail": detail})
        del self._events[:-_KEPT]

    async def run(self) -> None:
        """Run until killed, or until the core breaks: the guard then starts another."""
        told = self._told
        management = await links.listen(
            told["management"], links.PORT, lambda said: self.agent.heard(Beat.of(said), monotonic())
        )
        storage = await links.listen(told["storage"], links.PORT, self._stored)
        listener = await asyncio.start_unix_server(self._answer, _free(CONTROL))
        async with listener:
            for work in (
                self._tick(),
                self._beat(management, storage),
                self._ping(),
                self._hypervisor.talk(self._saw),
            ):
                self._tasks.start(work)
            await self._tasks.broken

    async def _tick(self) -> None:
        while True:
            self.agent.tick(monotonic())
            await asyncio.sleep(_TICK)

    async def _beat(self, management: links.Wire, storage: links.Wire) -> None:
        told = self._told
        while True:
            beat = self.agent.beat
            said, sign = beat.to_json(), replace(beat, running={}).to_json()  # nobody asks the storage what runs
            for address in told["peers"].values():
                management.send(address, links.PORT, said)
            for address in told["virtualisers"].values():
                storage.send(address, STORAGE_PORT, sign)
            await asyncio.sleep(self._settings.heartbeat)

    def _stored(self, said: dict[str, Any]) -> None:
        heard = {host: (float(age), Beat.of(beat)) for host, (age, beat) in said["hosts"].items()}
        withheld = {name: frozenset(hosts) for name, hosts in said["withheld"].items()} if said["active"] else None
        ages = {host: (age, beat.boot, beat.released) for host, (age, beat) in heard.items()}
        self.agent.stored(ages, monotonic(), withheld)

    async def _ping(self) -> None:
        while True:
            self.agent.pinged(await links.answering(tuple(self._told["isolation"])), monotonic())
            await asyncio.sleep(self._settings.heartbeat)

    def _saw(self, servers: dict[str, dict[str, Any]]) -> None:
        serving = {(name, about["number"]) for name, about in servers.items() if about["healthy"]}
        for name, _ in sorted(serving - self._serving):
            self._event("boot", f"{name} serves on {self._told['host']}")
        self._serving = serving
        self.agent.saw({name: _state(about) for name, about in servers.items()}, monotonic())

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError):
            line = (await reader.readline()).decode(errors="replace").strip()
            writer.write(json.dumps(await self._obey(line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _obey(self, line: str) -> dict[str, Any]:  # noqa: PLR0911 - one for each order
        """`status`, `events`, or an order.

        `move SERVER HOST`, `start SERVER [ROOM]`, `stop SERVER`, `maintenance HOST`, or `service HOST`.
        """
        match line.split():
            case [] | ["status"]:
                return self._status()
            case ["events"]:
                return {"events": self._events}
            case ["move", server, host]:
                return await self._order(orders.move(server, host))
            case ["start", server, *room] if len(room) <= 1:
                return await self._order(orders.start(server, *room))
            case ["stop", server]:
                return await self._order(orders.stop(server))
            case ["maintenance" | "service" as kind, host]:
                return await self._order(orders.maintenance(host, on=kind == "maintenance"))
        known = "status, events, move SERVER HOST, start SERVER [ROOM], stop SERVER, maintenance HOST, service HOST"
        return {"error": f"no order is called {line!r}; known: {known}"}

    async def _order(self, order: Order) -> dict[str, Any]:
        said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.agent.order(order, said.set_result)
        refused = await said
        return {"error": refused} if refused else {}

    def _status(self) -> dict[str, Any]:
        record = self.agent.record
        return {
            "host": self._told["host"],
            "is_master": self.agent.is_master,
            "is_isolated": self.agent.isolation.declared,
            "sees_storage": self.agent.sees_storage(monotonic()),
            "record": None if record is None else json.loads(record.to_json()),
        }


async def main(told: dict[str, Any]) -> None:
    """Run one agent."""
    await Program(told).run()


def _state(about: dict[str, Any]) -> RunningState:
    idle = float("inf") if about["idle_s"] is None else float(about["idle_s"])
    return RunningState(
        number=about["number"],
        state=State(about["state"]),
        healthy=about["healthy"],
        held=about["held_s"],
        pdl=about["pdl"],
        silent=about["silent_s"],
        idle=idle,
    )


def _free(socket: Path) -> str:
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    return str(socket)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
