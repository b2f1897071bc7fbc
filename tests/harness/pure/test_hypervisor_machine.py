"""A virtual server on its host: what runs is found in the system, power comes and goes, and each state has a name."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.fabric import lay_out
from lab.nodes.specs import PLAYED, spec
from lab.plan import load
from lab.replica import heartbeat
from lab.replica.hypervisor import census, config, machine, wiring
from lab.replica.hypervisor.__main__ import Hypervisor
from lab.replica.hypervisor.config import HostConfig, ServerSpec, read
from lab.replica.hypervisor.machine import Guests, Machine
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = f"essai-{os.getpid()}"  # no other lab of this machine has a server of that name
WITHIN = 10.0  # seconds on a busy machine
AWAY = f"{NAME}-away"


# What a host is told


def test_a_host_is_told_what_the_plan_says(tmp_path: Path) -> None:
    plan = load("tiny")
    nodes = [node.name for node in plan.nodes.values() if node.kind in PLAYED]
    host = plan.host_of("imagerie")
    told = spec(plan, lay_out(plan, nodes), host, secret="", defects=("x",), loops=(4, 5))
    (mine,) = (item["config"] for item in told["programs"] if item["program"] == "replica.hypervisor")
    written = tmp_path / "hypervisor.json"
    written.write_text(json.dumps(mine), encoding="utf-8")

    found = read(written)

    assert (found.name, found.loops, found.leave_on) == (host, (4, 5), True)
    assert found.servers.keys() == plan.servers.keys()
    ranks = [one.rank for one in found.servers.values()]
    assert len(set(ranks)) == len(ranks), "each has a wire of its own"
    assert len({one.mac for one in found.servers.values()}) == len(ranks)
    imagerie = found.servers["imagerie"]
    assert imagerie.address == str(plan.address("imagerie", "servers"))
    assert imagerie.volume is not None
    assert imagerie.volume["nodes"].keys() == {"svc-1", "svc-2"}
    assert found.agent["settings"]["defects"] == ["x"]


# What runs here


@contextmanager
def process(*words: str, **environment: str) -> Iterator[int]:
    """A process, in this very network namespace, that the host did not start."""
    with subprocess.Popen(words, env={**os.environ, **environment}, start_new_session=True) as child:
        try:
            yield child.pid
        finally:
            child.kill()


def eventually(holds: Callable[[], bool]) -> None:
    wait_until(holds, within=WITHIN, because="it never came true")


def test_a_process_is_found_by_its_mark_whoever_started_it() -> None:
    with process("sleep", "60", BASCULE_SERVER=NAME) as pid:
        eventually(lambda: census.processes().get(NAME) == [pid])
        census.kill([pid])
        eventually(lambda: NAME not in census.processes())  # the dead one lies there, unburied
        assert Path(f"/proc/{pid}").exists()
        census.kill([2**22 + 1])  # what has ended meanwhile is passed over


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_a_process_is_found_by_its_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "NAMESPACES", tmp_path)
    with process("unshare", "--net", "sleep", "60") as pid:
        own = Path("/proc/self/ns/net").stat().st_ino
        eventually(lambda: Path(f"/proc/{pid}/ns/net").stat().st_ino != own)
        (tmp_path / NAME).symlink_to(f"/proc/{pid}/ns/net")
        assert census.processes().get(NAME) == [pid]


def test_the_census_prints_what_it_finds() -> None:
    with process("sleep", "60", BASCULE_SERVER=NAME) as pid:
        eventually(lambda: census.processes().get(NAME) == [pid])
        said = subprocess.run(
            (sys.executable, "-m", "lab.replica.hypervisor.census", NAME), capture_output=True, check=True
        )
    assert json.loads(said.stdout) == [pid]


# Power


@pytest.fixture
def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A host whose folders are the test's, and which notes its wires instead of laying them."""
    done: list[str] = []

    async def wire(server: ServerSpec) -> None:
        if server.name == AWAY:
            raise RuntimeError("ip: no such bridge")
        done.append("wire")

    async def unwire(_: ServerSpec) -> None:
        done.append("unwire")

    monkeypatch.setattr(wiring, "wire", wire)
    monkeypatch.setattr(wiring, "unwire", unwire)
    monkeypatch.setattr(wiring, "is_wired", lambda server: done[-1:] == ["wire"] and server.name == NAME)
    monkeypatch.setattr(census, "NAMESPACES", tmp_path / "netns")
    for module in (config, machine):
        monkeypatch.setattr(module, "RUN", tmp_path)
    for module in (config, machine, census):
        monkeypatch.setattr(module, "SERVERS", tmp_path / "servers")
    monkeypatch.setattr(ServerSpec, "logs", property(lambda one: tmp_path / one.name / "logs"))
    monkeypatch.setattr(ServerSpec, "memory", property(lambda one: tmp_path / one.name / "memory"))
    return done


HOST = HostConfig("esx-11", {}, (), (), (), {}, isolated_after=1.0)
PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
told = json.loads(Path(sys.argv[1]).read_text())
if told.get("ends"):
    sys.exit(3)
if told.get("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: (Path(told["said"]).write_text("goodbye"), sys.exit(0)))
from lab.replica.heartbeat import write
write(Path(os.environ["BASCULE_HEARTBEAT"]), healthy=True)
while True:
    signal.pause()
"""


@pytest.fixture
def server(tmp_path: Path, wired: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Machine]]:
    """`server(**told)`: a machine whose program is a few lines of ours."""
    assert wired == []
    (tmp_path / "essai_program.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])]))
    ip = tmp_path / "bin/ip"
    ip.parent.mkdir()
    ip.write_text('#!/bin/sh\nshift 3\nexec "$@"\n')  # ip netns exec NAME PROGRAM, without the namespace
    ip.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ip.parent}:{os.environ['PATH']}")
    made: list[Machine] = []

    def make(*, boot: float = 0.0, **told: Any) -> Machine:  # noqa: ANN401 - whatever the program reads
        told |= {"said": str(tmp_path / "said")}
        one = ServerSpec(NAME, 1, "10.0.0.1/24", "02:00:00:00:00:01", boot, "essai_program", told)
        made.append(Machine(HOST, one))
        return made[-1]

    yield make
    census.kill(census.processes().get(NAME, []))
    for one in made:
        eventually(one._is_buried)  # noqa: SLF001 - nobody else needs to know


def state(one: Machine, path: dict[str, Any] | None = None) -> dict[str, Any] | None:
    return one.status(census.processes().get(one.spec.name, []), path)


def is_(one: Machine, wanted: str) -> bool:
    found = state(one)
    return found is not None and found["state"] == wanted


def test_power_on_and_a_clean_power_off(server: Callable[..., Machine], wired: list[str], tmp_path: Path) -> None:
    one = server()
    assert state(one) is None

    asyncio.run(one.power_on(7, Guests()))
    eventually(lambda: is_(one, "running"))
    found = state(one)
    assert found is not None
    assert (found["number"], found["healthy"], found["served"], found["idle_s"]) == (7, True, False, None)

    asyncio.run(one.power_off(hard=False))
    assert (tmp_path / "said").read_text() == "goodbye"
    assert state(one) is None
    assert wired == ["wire", "unwire"]


def test_an_order_to_start_that_comes_twice_does_nothing(server: Callable[..., Machine], wired: list[str]) -> None:
    """The agent says it again when a start takes long; what boots meanwhile must not begin anew."""
    one = server()

    async def twice() -> None:
        await asyncio.gather(one.power_on(1, Guests()), one.power_on(1, Guests()))

    asyncio.run(twice())
    eventually(lambda: is_(one, "running"))
    assert wired == ["wire"]
    assert len(census.processes()[NAME]) == 1


def test_a_server_that_crashed_starts_again_in_its_session(server: Callable[..., Machine], wired: list[str]) -> None:
    one = server()
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "running"))
    census.kill(census.processes()[NAME])
    eventually(lambda: is_(one, "failed"))
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "running"))
    assert wired == ["wire", "unwire", "wire"]


def test_what_dies_is_buried_before_the_next_is_started(
    server: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies leaves the census first, and can be waited for a moment later."""
    one = server()
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "running"))
    child = one._child  # noqa: SLF001 - nobody else needs to know
    assert child is not None
    polls = iter((None, None))
    ended = child.poll
    monkeypatch.setattr(child, "poll", lambda: next(polls, "over") and ended())

    asyncio.run(one.power_off(hard=True))
    assert one._child is None  # noqa: SLF001 - as above
    assert child.returncode is not None


def test_a_server_is_shown_from_the_moment_when_it_is_powered_on(
    server: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = server()
    hypervisor = Hypervisor(replace(HOST, servers={NAME: one.spec}))
    hypervisor.machines[NAME] = one
    shown: list[dict[str, Any]] = []

    async def slow(_: ServerSpec) -> None:
        shown.append(await hypervisor.running())

    monkeypatch.setattr(wiring, "wire", slow)
    asyncio.run(one.power_on(4, Guests()))
    assert [(told[NAME]["number"], told[NAME]["state"]) for told in shown] == [(4, "starting")]


def test_what_is_powered_on_while_others_are_asked_has_not_failed(
    server: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = server()
    before = ServerSpec(AWAY, 2, "10.0.0.2/24", "02:00:00:00:00:02", 0.0)
    hypervisor = Hypervisor(replace(HOST, servers={NAME: one.spec, AWAY: before}))
    hypervisor.machines[NAME] = one
    before.number.parent.mkdir()
    before.number.write_text("1")

    async def path(_: Hypervisor, name: str) -> None:
        assert name == AWAY
        await one.power_on(1, Guests())

    monkeypatch.setattr(Hypervisor, "_path", path)
    assert asyncio.run(hypervisor.running())[NAME]["state"] in {"booting", "running"}


def test_a_hard_power_off_asks_nobody(server: Callable[..., Machine], tmp_path: Path) -> None:
    one = server()
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "running"))
    asyncio.run(one.power_off(hard=True))
    assert not (tmp_path / "said").exists()
    assert state(one) is None


def test_a_guest_that_does_not_obey_is_powered_off_when_its_time_is_over(
    server: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_FAREWELL", 0.3)
    one = server(stubborn=True)
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "running"))
    asyncio.run(one.power_off(hard=False))
    assert state(one) is None


def test_what_an_earlier_life_left_goes_before_the_next_one(server: Callable[..., Machine], wired: list[str]) -> None:
    one = server()
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "running"))
    (first,) = census.processes()[NAME]

    again = Machine(HOST, one.spec)  # a new life of the hypervisor
    found = state(again)
    assert found is not None
    assert found["number"] == 1, "it takes up what runs"
    asyncio.run(again.power_on(2, Guests()))
    eventually(lambda: is_(again, "running"))
    assert first not in census.processes()[NAME]
    assert again.number == 2
    assert wired == ["wire", "unwire", "wire"]
    asyncio.run(again.power_off(hard=True))
    eventually(again._is_buried)  # noqa: SLF001 - nobody else needs to know


def test_each_state_has_its_name(server: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    one = server(boot=2.0)
    asyncio.run(one.power_on(2, Guests()))
    assert is_(one, "booting"), "the second session of a server boots"
    eventually(lambda: is_(one, "running"))
    with monkeypatch.context() as impatient:
        impatient.setattr(machine, "_SILENT", -1.0)
        assert is_(one, "hung"), "it gives no sign"
    held = {"held_s": 2.0, "idle_s": 0.5, "node": "svc-1", "gone": ""}
    found = one.status([1], held)
    assert found is not None
    assert (found["held_s"], found["idle_s"], found["served"]) == (2.0, 0.5, False)
    found = one.status([1], {**held, "held_s": 0.1})
    assert found is not None
    assert found["served"]
    assert not found["pdl"]
    found = one.status([1], {**held, "gone": "unknown volume"})
    assert found is not None
    assert found["pdl"]


def test_a_program_that_ends_has_failed(server: Callable[..., Machine]) -> None:
    one = server(ends=True)
    asyncio.run(one.power_on(1, Guests()))
    eventually(lambda: is_(one, "failed"))


def test_a_server_without_a_wire_has_failed_and_says_why(wired: list[str]) -> None:
    one = Machine(HOST, ServerSpec(AWAY, 2, "10.0.0.2/24", "02:00:00:00:00:02", 0.0, "essai_program", {}))
    asyncio.run(one.power_on(1, Guests()))
    found = state(one)
    assert wired == []
    assert found is None or (found["state"], found["trouble"]) == ("failed", "ip: no such bridge")


# Orders


def test_orders_that_nobody_could_obey_are_refused_with_a_sentence() -> None:
    hypervisor = Hypervisor(HostConfig("esx-11", {NAME: ServerSpec(NAME, 1, "", "", 0.0)}, (), (), (), {}, 1.0))

    async def said(line: str) -> dict[str, Any]:
        return await hypervisor.obey(line)

    assert asyncio.run(said("status")) == {"host": "esx-11", "servers": {}}
    assert asyncio.run(said("start other 1")) == {"error": f"no server is called 'other'; known: {NAME}"}
    known = "known: status, start NAME NUMBER, stop NAME [hard]"
    for line in (f"start {NAME} one", f"stop {NAME} softly", "reboot"):
        assert asyncio.run(said(line)) == {"error": f"no order is called {line!r}; {known}"}


# Guests


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_a_guest_boots_in_its_namespace_and_outlives_the_fork_server(tmp_path: Path, wired: list[str]) -> None:
    guest = ServerSpec(NAME, 1, "10.0.0.1/24", "02:00:00:00:00:01", 0.3)
    census.NAMESPACES.mkdir()
    guests = Guests()

    async def play(namespace: Path) -> None:
        (census.NAMESPACES / NAME).symlink_to(namespace)
        guest.heartbeat.parent.mkdir(parents=True)
        await guests.start(guest, guest.boot)
        server = guests._process  # noqa: SLF001 - to be killed
        assert server is not None
        assert len(census.processes()[NAME]) == 2, "whoever holds the namespace, and the guest: at once"
        assert heartbeat.read(guest.heartbeat) is None, "it boots"
        server.kill()
        await server.wait()
        eventually(lambda: heartbeat.read(guest.heartbeat) is not None)
        assert heartbeat.read(guest.heartbeat)[1]  # type: ignore[index]  # just seen
        (tmp_path / "again").symlink_to(namespace)
        await guests.start(guest, 0.0)  # another fork server takes its place
        eventually(lambda: len(census.processes()[NAME]) == 3)
        assert guests._process is not server  # noqa: SLF001 - as above
        with pytest.raises(RuntimeError, match=f"{AWAY} cannot enter its namespace"):
            await guests.start(replace(guest, name=AWAY), 0.0)
        guests._process.kill()  # type: ignore[union-attr]  # noqa: SLF001 - as above
        await guests._process.wait()  # type: ignore[union-attr]  # noqa: SLF001 - as above

    with process("unshare", "--net", "sleep", "60") as pid:
        own = Path("/proc/self/ns/net").stat().st_ino
        eventually(lambda: Path(f"/proc/{pid}/ns/net").stat().st_ino != own)
        try:
            asyncio.run(play(Path(f"/proc/{pid}/ns/net")))
        finally:
            census.kill(census.processes().get(NAME, []))
    assert wired == []


# Wires

WIRING = """
import asyncio, json, subprocess, sys
from lab.replica.hypervisor import wiring
from lab.replica.hypervisor.config import ServerSpec
def ip(*words):
    return json.loads(subprocess.run(("ip", "-json", *words), capture_output=True, check=True).stdout or "[]")
subprocess.run(("ip", "link", "add", "br-servers", "type", "bridge"), check=True)
one = ServerSpec("essai", 7, "10.9.0.1/24", "02:ba:00:00:00:07", 0.0)
said = {"before": wiring.is_wired(one)}
asyncio.run(wiring.wire(one))
said["wired"] = wiring.is_wired(one)
(port,) = [link for link in ip("link") if link["ifname"] == "vm7"]
said["master"] = port["master"]
(inside,) = ip("-n", "essai", "address", "show", "eth0")
said["mac"], said["address"] = inside["address"], inside["addr_info"][0]["local"]
try:
    asyncio.run(wiring.wire(one))
except RuntimeError as error:
    said["again"] = str(error)
asyncio.run(wiring.unwire(one))
asyncio.run(wiring.unwire(one))
said["after"] = wiring.is_wired(one)
said["left"] = [link["ifname"] for link in ip("link") if link["ifname"].startswith("vm")]
asyncio.run(wiring.wire(one))
said["anew"] = wiring.is_wired(one)
print(json.dumps(said))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_a_server_has_a_wire_of_its_own_and_leaves_none() -> None:
    inside = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
    own = "mkdir -p /run/netns && mount -t tmpfs none /run/netns && exec "
    words = (*inside, "sh", "-c", own + '"$@"', "sh", sys.executable, "-c", WIRING)
    ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert "File exists" in said.pop("again")
    assert said == {
        "before": False,
        "wired": True,
        "master": "br-servers",
        "mac": "02:ba:00:00:00:07",
        "address": "10.9.0.1",
        "after": False,
        "left": [],
        "anew": True,
    }
