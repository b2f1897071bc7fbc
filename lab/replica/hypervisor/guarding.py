"""The guard of a host: parent of its agent, and who ends servers that the host must not run any more.

Decided by `..cluster.guard`; here are its eyes and hands.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..agent.links import answering
from ..arbiter.kv import Kv, KvUnreachableError
from ..cluster.guard import Action, Session, decide, stops
from ..cluster.record import CLUSTER, Record
from .config import RUN

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping

    from .__main__ import Hypervisor
    from .config import HostConfig

_EVERY = 0.5  # seconds between two looks
# Seconds without a sign from the agent that mean "stuck". Its heartbeats come from the same program, so the master
# counts as well: the servers must have ended here before they are started elsewhere, after 6 s in the shipped plans.
_STUCK = 4.0
_LOST = 3.0  # seconds without an answer of the arbiters that mean "lost": more than the loss of their leader (0.9 s)
_NICE = "-5"  # of the agent, while it loads as well: heartbeats are not to be late because servers are busy
_PAUSE = 1.0  # seconds before an agent that ended is started again

log = logging.getLogger("guard")


class Guard:
    """The guard of one host.

    Args:
        config: what the hypervisor was told.
        hypervisor: who runs the servers.
        kv: the arbiters.
    """

    def __init__(self, config: HostConfig, hypervisor: Hypervisor, kv: Kv) -> None:
        self._config = config
        self._hypervisor = hypervisor
        self._kv = kv
        self._agent: Process | None = None
        now = monotonic()
        self._agent_sign = self._etcd_answer = self._isolation_answer = now
        self._action = Action.RUN

    def agent_asked(self) -> None:
        """The agent gave a sign of life."""
        self._agent_sign = monotonic()

    def status(self) -> dict[str, Any]:
        """What an operator, and the agent, want to know."""
        return {"guard": self._action.value, "agent_pid": self._agent.pid if self._agent else None}

    async def run(self) -> None:
        """Keep the agent running, and look after the host, for ever."""
        await asyncio.gather(self._keep_agent(), self._watch())

    async def _keep_agent(self) -> None:
        config = RUN / "agent.json"
        config.write_text(json.dumps(self._config.agent), encoding="utf-8")
        while True:
            self._agent_sign = monotonic()
            self._agent = await asyncio.create_subprocess_exec(
                *("nice", "-n", _NICE, "setpriv", "--pdeathsig", "KILL"),
                *(sys.executable, "-m", "replica.agent", str(config)),
            )
            status = await self._agent.wait()
            log.warning("the agent ended with %s", status)
            await asyncio.sleep(_PAUSE)

    async def _watch(self) -> None:
        while True:
            # First what runs, then the record: a server that is started in between is judged by a record that has it.
            running = await self._hypervisor.running()
            record, _ = await asyncio.gather(self._ask_arbiters(), self._ask_neighbours())
            self._look(running, record)
            await asyncio.sleep(_EVERY)

    async def _ask_arbiters(self) -> Record | None:
        """The record as it is now; None when nobody says, or there is none yet."""
        try:
            found = (await self._kv.read(CLUSTER))[CLUSTER]
        except KvUnreachableError:
            return None
        self._etcd_answer = monotonic()
        return Record.from_json(found.value) if found.revision else None

    async def _ask_neighbours(self) -> None:
        if await answering(self._config.isolation):
            self._isolation_answer = monotonic()

    def _look(self, running: Mapping[str, Mapping[str, Any]], record: Record | None) -> None:
        now = monotonic()
        action = decide(
            etcd_reached=now - self._etcd_answer < _LOST,
            isolation_answers=now - self._isolation_answer < self._config.isolated_after,
            agent_alive=now - self._agent_sign < _STUCK,
            isolation_policy="leave" if self._config.leave_on else "stop",
        )
        if action is not self._action:
            log.info("%s", action.value)
            self._action = action
        sessions = {name: self._session(name, about, record) for name, about in running.items()}
        for name in stops(action, sessions):
            log.warning("%s is stopped: its session is %s", name, sessions[name].value)
            self._hypervisor.stop(name, hard=True)
        if action in {Action.STOP_AND_RESTART_AGENT, Action.STOP_UNPROVEN} and self._agent is not None:
            self._agent.kill()

    def _session(self, name: str, about: Mapping[str, Any], record: Record | None) -> Session:
        if record is None:
            return Session.OURS if about["served"] else Session.UNKNOWN
        one = record.servers.get(name)
        ours = one is not None and (one.host, one.number) == (self._config.name, about["number"])
        return Session.OURS if ours else Session.OVER
