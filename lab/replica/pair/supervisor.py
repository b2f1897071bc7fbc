"""The database's supervisor: recover the position, start, watch, wait, start again.

Not mariadbd-safe: that one restarts a killed database within a second, into the view change which the survivors are
having, and froze the whole pair for 9 to 12 s in two trials of three (November 2026).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .bootstrap import Stage, Standing, Step, decide
from .children import together
from .eviction import Suspicion
from .galera import NOWHERE, OUTSIDE, STATE_PORT, SYNCED, Position
from .hearsay import Hearsay, ask, may_hold
from .reach import Reach
from .standstill import Standstill, starts_anew

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable
    from pathlib import Path

    from .config import ServerConfig
    from .database import Database
    from .galera import Membership
    from .lateness import Canary

_PAUSE = 6.0  # seconds before a restart: the survivors finish their view first (feasibility trial)
# Seconds for which both members hear each other and neither is in a primary component, before they stop to compare
# positions. Re-forming by itself takes up to 6.2 s (feasibility trial) and must not be disturbed.
_STUCK = 12.0
_AT_REST = 20.0  # longest wait for the twin to come to rest too: its _STUCK, and the time to stop and recover
_EVERY = 0.2
_ANSWER = 0.5  # seconds for the twin to say where it stands
_ECHOES = 0.1  # seconds between two echoes of the twin's kernel
_HEARD = 5.0  # seconds for which what the twin said counts for whoever is too late to hear it

log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one member's database running, and tells the twin where it stands.

    Args:
        config: what the server was told.
        database: its database.
        canary: knows whether this server gets its turn.
        fit: whether this server reaches the wards and its disk.
    """

    def __init__(self, config: ServerConfig, database: Database, canary: Canary, fit: Callable[[], bool]) -> None:
        self._config = config
        self._database = database
        self._reaches = fit
        self._canary = canary
        self._has_marked = False
        self._suspicion = Suspicion()
        self._twin = Reach((config.twin_address,), _ECHOES)
        self._heard: tuple[float, Standing] | None = None  # what the twin said last, and when
        self.standing = Standing(config.server, Stage.STARTING)

    async def run(self) -> None:
        """Run until cancelled, then stop the database cleanly."""
        listener = await asyncio.start_server(self._tell, str(self._config.address.ip), STATE_PORT)
        self._database.group.start()
        async with listener:
            await together(self.keep(), self._watch_group(), self._twin.run())

    async def keep(self) -> None:
        """The same, while another tells where it stands."""
        position = await self._database.position()
        new_group = await self._begins(position)
        while True:
            await self._is_prompt()
            log.info("start from %s%s", position, ", as the first of a new group" if new_group else "")
            self._stand(Stage.STARTING, position)
            process = await self._database.start(position, new_group=new_group)
            await self._attend(process)
            position = await self._database.position()
            self._stand(Stage.AT_REST, position)
            new_group = await self._rest(settled=_PAUSE) is Step.BEGIN

    async def _begins(self, position: Position) -> bool:
        """Whether the first start of this program begins a new group.

        After a power loss nobody asks: Galera re-forms its last view. After a clean stop it forgot that view, so the
        twin is asked at once; and on the very first start the one who is told to begin does, and the other waits
        for it.
        """
        if self._config.bootstrap and not self._config.begun.exists():
            return True
        if not self._database.stopped_cleanly():
            return False
        self._stand(Stage.AT_REST, position)
        return await self._rest(settled=0) is Step.BEGIN

    async def _attend(self, process: Process) -> None:
        """Return when the database has ended: by itself, or stopped by us because it, or the whole pair, is stuck."""
        over = asyncio.ensure_future(process.wait())
        stuck_since: float | None = None
        standstill = Standstill()
        has_been_in = False
        try:
            while not over.done():
                await asyncio.wait({over}, timeout=_EVERY)
                membership = await self._database.membership()
                if membership.group:
                    self._stand(Stage.PRIMARY, membership=membership)
                    await self._mark_begun()
                    stuck_since, has_been_in = None, True
                    if not self._fit():  # a frozen disk is no standstill of Galera's, and a new start would not thaw it
                        standstill = Standstill()
                    elif standstill.saw(time.monotonic(), membership) and await self._leaves_to_join_again():
                        break
                    continue
                self._stand(Stage.STARTING)
                if membership.left and has_been_in:
                    log.warning("out of the group: stop to join again")
                    break
                stuck_since = (stuck_since or time.monotonic()) if await self._twin_is_stuck() else None
                if stuck_since is not None and time.monotonic() - stuck_since > _STUCK:
                    log.warning("no primary component on either member: stop to compare positions")
                    break
        finally:
            await self._database.stop(process, farewell=self.standing.stage is Stage.PRIMARY)
        log.warning("the database ended with code %s", process.returncode)

    async def _leaves_to_join_again(self) -> bool:
        if not starts_anew(await self.twin(), first=self._config.bootstrap):
            return False
        log.warning("joined, with nothing to catch up, and never synced: stop to join again")
        return True

    async def _mark_begun(self) -> None:
        """Note durably, once, that the pair has begun. In a thread: a frozen volume must not stop the whole server."""
        if not self._has_marked:
            self._has_marked = True
            await asyncio.to_thread(_touch_durably, self._config.begun)

    async def _is_prompt(self) -> None:
        """Wait for as long as this server lacks processor: back in the group it would make everybody wait again."""
        while self._canary.is_late:  # noqa: ASYNC110 - nobody can set an event for it
            await asyncio.sleep(_EVERY)

    async def _watch_group(self) -> None:
        """Vote the twin out if it makes the group wait."""
        group, suspicion, slept = self._database.group, self._suspicion, time.monotonic()
        while True:
            await asyncio.sleep(_EVERY)
            slept, before = time.monotonic(), slept
            suspicion.took_turn(slept, slept - before - _EVERY)
            if self._heard and self._heard[1].node and suspicion.accuses(slept, group.waited(), well=self._fit()):
                log.warning("the group waits for %s, which lacks processor: voted out", self._config.twin)
                await self._database.evict(self._heard[1].node)
                group.forget()

    async def _rest(self, *, settled: float) -> Step:
        """Decide how to start again; at least `settled` seconds after the database ended."""
        since = time.monotonic()
        while (rested := time.monotonic() - since) < _AT_REST:
            twin = await self.twin()
            step = decide(self.standing, twin)
            # A twin that does not answer may be starting too: it gets a moment to say so. One that is alone is about
            # to be joined by the arbitrator: of two who join at once, one is forgotten for 5 s.
            needed = _PAUSE if twin is None or twin.is_alone else settled
            if step is not Step.WAIT and rested >= needed:
                return step
            await asyncio.sleep(_EVERY)
        return Step.JOIN

    async def _twin_is_stuck(self) -> bool:
        twin = await self.twin()
        return twin is not None and twin.stage is not Stage.PRIMARY

    async def twin(self) -> Standing | None:
        """Where the twin stands, or None if it does not say so in time."""
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(_ANSWER):
                reader, writer = await asyncio.open_connection(str(self._config.twin_address), STATE_PORT)
                with contextlib.closing(writer):
                    standing = Standing.from_json((await reader.readline()).decode())
            self._heard = time.monotonic(), standing
            return standing
        return None

    def _twin_was_fit(self) -> bool:
        if self._heard is None or time.monotonic() - self._heard[0] > _HEARD:
            return False
        return self._heard[1].fit and self._heard[1].synced

    def _stand(self, stage: Stage, position: Position = NOWHERE, membership: Membership = OUTSIDE) -> None:
        if self.standing.stage is not stage:
            log.info("%s", stage.value)
        self.standing = Standing(
            self._config.server,
            stage,
            position,
            membership.group,
            synced=membership.state == SYNCED,
            node=membership.node,
        )

    async def may_hold_the_address(self) -> bool:
        """Whether the wards are served from here at least as well as from the twin, as far as it is known."""
        config, mine, twin = self._config, self._now(), await self.twin()
        hearsay = Hearsay()
        if twin is None:
            hearsay = await ask(config.arbitrator_address, config.twin_address, mine)
        self._suspicion.looked(twin, reached=self._twin.loses_nothing)
        self._canary.tell(has_spare=self._twin_was_fit())
        if twin is None and mine.late and self._twin_was_fit():  # its silence may be this one's deafness
            return False
        return may_hold(mine, twin, hearsay, first=config.bootstrap)

    def _fit(self) -> bool:
        return self._reaches() and not self._canary.is_late

    def _now(self) -> Standing:
        return replace(self.standing, fit=self._fit(), late=self._canary.is_late)

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            writer.write(f"{self._now().to_json()}\n".encode())
            await writer.drain()


def _touch_durably(path: Path) -> None:
    with path.open("ab") as file:
        os.fsync(file.fileno())
