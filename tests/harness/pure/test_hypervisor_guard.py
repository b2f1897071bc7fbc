"""The guard of a host at work: its own clock and its own hands, with an agent that is a real process."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from lab.replica.arbiter.kv import Entry, KvUnreachableError
from lab.replica.cluster.record import CLUSTER, Assignment, Record
from lab.replica.hypervisor import guarding
from lab.replica.hypervisor.config import HostConfig
from lab.replica.hypervisor.guarding import Guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WITHIN = 5.0  # seconds on a busy machine, for what takes some tenths
RECORD = Record(1, "esx-11", {"mine": Assignment("esx-11", 3), "theirs": Assignment("esx-21", 2)})
AGENT = "import signal\nwhile True:\n    signal.pause()\n"


class Kv:
    """Arbiters that answer with a record, or do not answer."""

    def __init__(self) -> None:
        self.record: Record | None = RECORD
        self.answers = True

    async def read(self, *keys: str) -> dict[str, Entry]:
        if not self.answers:
            raise KvUnreachableError("nobody")
        return {key: Entry(self.record.to_json(), 7) if self.record and key == CLUSTER else Entry() for key in keys}


class Hypervisor:
    """Runs servers until it is told to stop them."""

    def __init__(self) -> None:
        self.servers = {"mine": (3, False), "theirs": (1, False)}

    async def running(self) -> dict[str, dict[str, Any]]:
        return {name: {"number": number, "served": served} for name, (number, served) in self.servers.items()}

    def stop(self, name: str, *, hard: bool) -> None:
        assert hard, "whoever must not run is not asked to stop"
        del self.servers[name]


class Host:
    """A host with its guard."""

    def __init__(self, *, leave_on: bool = True) -> None:
        config = HostConfig("esx-11", {}, (), (), ("gate",), {"host": "esx-11"}, isolated_after=0.3, leave_on=leave_on)
        self.kv, self.hypervisor, self.neighbours_answer = Kv(), Hypervisor(), True
        self.guard = Guard(config, self.hypervisor, self.kv)  # type: ignore[arg-type]  # as much of them as it uses
        self.agent_speaks = True

    @property
    def agent(self) -> int | None:
        pid: int | None = self.guard.status()["agent_pid"]
        return pid

    async def play(self, course: Callable[[Host], Any]) -> None:
        """Let guard and agent live while a test takes its course."""
        lives = [asyncio.ensure_future(self.guard.run()), asyncio.ensure_future(self._agent())]
        try:
            await course(self)
        finally:
            await self._bury()
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)

    async def _bury(self) -> None:
        """The last agent ends, and no other is started."""
        guarding._PAUSE = 60.0  # noqa: SLF001 - given back by `_quick`
        agent = self.guard._agent  # noqa: SLF001 - to be buried
        if agent is not None and agent.returncode is None:
            agent.kill()
            await agent.wait()

    async def _agent(self) -> None:
        """What the agent's process would say, while it may."""
        while True:
            if self.agent_speaks:
                self.guard.agent_asked()
            await asyncio.sleep(0.02)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN):
            while not holds():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)

    async def a_while(self) -> None:
        """Longer than each of the guard's timers."""
        await asyncio.sleep(0.6)


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers of a tenth, an agent that does nothing, isolation addresses that the test answers for."""
    for name, seconds in {"_EVERY": 0.02, "_STUCK": 0.3, "_LOST": 0.3, "_PAUSE": 0.02}.items():
        monkeypatch.setattr(guarding, name, seconds)
    monkeypatch.setattr(guarding, "RUN", tmp_path)
    package = tmp_path / "replica" / "agent"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(AGENT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return _host(monkeypatch, leave_on=True)


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose isolation response is to stop."""
    return _host(monkeypatch, leave_on=False)


def _host(monkeypatch: pytest.MonkeyPatch, *, leave_on: bool) -> Host:
    made = Host(leave_on=leave_on)

    async def answering(addresses: tuple[str, ...]) -> frozenset[str]:
        return frozenset(addresses if made.neighbours_answer else ())

    monkeypatch.setattr(guarding, "answering", answering)
    return made


async def what_is_over_ends(host: Host) -> None:
    await host.until(lambda: "theirs" not in host.hypervisor.servers)
    await host.a_while()
    assert host.hypervisor.servers.keys() == {"mine"}


def test_a_server_whose_session_is_over_is_stopped_and_no_other(host: Host) -> None:
    asyncio.run(host.play(what_is_over_ends))


def test_the_same_number_on_another_host_is_over_as_well(host: Host) -> None:
    host.hypervisor.servers["theirs"] = (2, True)
    asyncio.run(host.play(what_is_over_ends))


async def a_stuck_agent_keeps_nothing(host: Host) -> None:
    await host.until(lambda: host.agent is not None)
    first = host.agent
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    host.agent_speaks = False
    await host.until(lambda: not host.hypervisor.servers)
    await host.until(lambda: host.agent not in {None, first})


def test_a_stuck_agent_keeps_no_server_alive_and_is_replaced(host: Host) -> None:
    asyncio.run(host.play(a_stuck_agent_keeps_nothing))


def test_a_guard_inside_the_agent_is_noticed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops the agent would stop such a guard, and servers live on that another host may start."""
    look = Guard._look  # noqa: SLF001 - the rule is inside

    def inside(guard: Guard, running: Any, record: Record | None) -> None:  # noqa: ANN401 - as the guard has it
        if host.agent_speaks:
            look(guard, running, record)

    monkeypatch.setattr(Guard, "_look", inside)
    monkeypatch.setitem(globals(), "WITHIN", 1.0)
    with pytest.raises(TimeoutError):
        asyncio.run(host.play(a_stuck_agent_keeps_nothing))


def test_an_agent_that_ends_is_started_again_and_nothing_stops(host: Host) -> None:
    async def course(host: Host) -> None:
        await host.until(lambda: host.agent is not None)
        first = host.agent
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await host.until(lambda: host.agent not in {None, first})
        await host.a_while()
        assert "mine" in host.hypervisor.servers

    asyncio.run(host.play(course))


def test_without_arbiters_servers_run_on_and_a_stuck_agent_keeps_what_its_storage_proves(host: Host) -> None:
    host.kv.answers = False
    host.hypervisor.servers = {"proven": (3, True), "unproven": (1, False)}

    async def course(host: Host) -> None:
        await host.until(lambda: host.guard.status()["guard"].startswith("run, take nothing over"))
        await host.a_while()
        assert host.hypervisor.servers.keys() == {"proven", "unproven"}
        host.agent_speaks = False
        await host.until(lambda: host.hypervisor.servers.keys() == {"proven"})

    asyncio.run(host.play(course))


def test_a_record_that_was_never_written_accuses_nobody_whose_storage_answers(host: Host) -> None:
    host.kv.record = None
    host.hypervisor.servers = {"proven": (3, True), "unproven": (1, False)}

    async def course(host: Host) -> None:
        await host.a_while()
        assert host.hypervisor.servers.keys() == {"proven", "unproven"}

    asyncio.run(host.play(course))


async def isolated(host: Host) -> None:
    host.kv.answers = host.neighbours_answer = False
    await host.until(lambda: host.guard.status()["guard"].startswith("isolated"))


def test_an_isolated_host_leaves_its_servers_on(host: Host) -> None:
    async def course(host: Host) -> None:
        await isolated(host)
        await host.a_while()
        assert host.hypervisor.servers

    host.hypervisor.servers = {"mine": (3, False)}
    asyncio.run(host.play(course))


def test_an_isolated_host_stops_its_servers_where_the_plan_says_so(strict: Host) -> None:
    async def course(host: Host) -> None:
        await isolated(host)
        await host.until(lambda: not host.hypervisor.servers)

    asyncio.run(strict.play(course))
