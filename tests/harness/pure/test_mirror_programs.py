"""The storage's programs on the loopback interface: real arrays, nodes and paths; the arbiters are a dictionary."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from lab.replica.arbiter.kv import Entry
from lab.replica.mirror.volume import Phase
from lab.replica.nbd.client import Session, connect
from lab.replica.nbd.protocol import Kind
from lab.replica.nbd.server import Server, serve
from lab.replica.path.__main__ import STALE
from lab.replica.virtualiser import config, status
from lab.replica.virtualiser.__main__ import _tick, build
from lab.replica.virtualiser.exports import NodeExports
from lab.replica.virtualiser.outside import Tasks

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from lab.replica.mirror.node import Node

SIZE = 4 << 20
WITHIN = 15.0  # seconds; far more than anything here takes on a busy machine


class Dictionary:
    """The arbiters' store, in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.revision = 1

    async def read(self, *keys: str) -> dict[str, Entry]:
        return {key: self.entries.get(key, Entry()) for key in keys}

    async def swap(self, expect: dict[str, int], put: dict[str, str]) -> int | None:
        if any(self.entries.get(key, Entry()).revision != revision for key, revision in expect.items()):
            return None
        self.revision += 1
        self.entries.update({key: Entry(value, self.revision) for key, value in put.items()})
        return self.revision


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not condition():  # noqa: ASYNC110 - the programs under test tell nobody
            await asyncio.sleep(0.02)


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        return not link.connect_ex(str(path))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Storage:
    """Two arrays, two nodes; paths on demand."""

    folder: Path
    alone: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, Process] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    kv: Dictionary = field(default_factory=Dictionary)
    tasks: Tasks = field(default_factory=Tasks)
    listeners: dict[str, Server] = field(default_factory=dict)
    ticking: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    paths: list[Process] = field(default_factory=list)

    async def start_array(self, name: str) -> None:
        port = self.ports.setdefault(name, free_port())
        told = {
            "name": name,
            "plan": "test",
            "address": "127.0.0.1",
            "port": port,
            "folder": str(self.folder / name),
            "volumes": {"v": {"size": SIZE, "template": None, "alone": name == self.alone}},
            "capacity": 2 * SIZE,
            "control": str(self.folder / f"{name}.sock"),
        }
        self.arrays[name] = await self.program("array", name, told)

    async def program(self, module: str, name: str, told: dict[str, Any]) -> Process:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(told))
        return await asyncio.create_subprocess_exec(sys.executable, "-m", f"lab.replica.{module}", str(path))

    async def start_node(self, name: str) -> None:
        port = self.ports.setdefault(name, free_port())
        arrays = {
            array: config.ArrayAddress("127.0.0.1", self.ports[array], f"salle-{array[-1]}") for array in self.arrays
        }
        told = config.VirtualiserConfig(
            name=name,
            plan="test",
            room=f"salle-{name[-1]}",
            preferred=name == "svc-1",
            address="127.0.0.1",
            port=port,
            arbiters=(),
            arrays=arrays,
            volumes={"v": config.VolumeConfig(SIZE, ("baie-1", "baie-2"), self.alone)},
        )
        node = self.nodes[name] = build(told, self.kv, self.tasks)  # type: ignore[arg-type]
        self.listeners[name] = await serve(NodeExports(node), ("127.0.0.1", port))
        self.ticking[name] = self.tasks.start(_tick(node))

    async def start_path(self, session: int, host: str = "esx") -> tuple[Process, Session]:
        await self.kv.swap({}, {"sessions/v": json.dumps({"host": host, "number": session})})
        told = {
            "volume": "v",
            "session": session,
            "nodes": {name: ["127.0.0.1", self.ports[name]] for name in self.nodes},
            "array": {self.alone: ["127.0.0.1", self.ports[self.alone]]} if self.alone else {},
            "socket": str(self.folder / f"path-{session}.sock"),
            "control": str(self.folder / f"path-{session}.status"),
        }
        process = await self.program("path", f"path-{session}", told)
        self.paths.append(process)
        # It is there before anybody listens.
        await until(lambda: listens(self.folder / f"path-{session}.sock"))
        return process, await connect(str(told["socket"]), "", within=WITHIN)

    @property
    def active(self) -> Node | None:
        return next((node for node in self.nodes.values() if node.lease.epoch), None)

    @property
    def in_sync(self) -> bool:
        node = self.active
        return node is not None and node.volumes["v"].record.settled(3) and node.volumes["v"].flow.members == 3

    async def tell(self, array: str, line: str) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(str(self.folder / f"{array}.sock"))
        writer.write(f"{line}\n".encode())
        found: dict[str, Any] = json.loads(await reader.readline())
        writer.close()
        return found

    async def verify(self) -> dict[str, Any]:
        assert self.active is not None
        async with asyncio.timeout(WITHIN):
            return await status.obey(self.active, "verify v")


@asynccontextmanager
async def storage(folder: Path, *, arrays: int = 2, alone: str = "") -> AsyncIterator[Storage]:
    world = Storage(folder, alone)
    try:
        for number in range(1, arrays + 1):
            await world.start_array(f"baie-{number}")
        for number in (1, 2):
            await world.start_node(f"svc-{number}")
        yield world
    finally:
        for task in world.ticking.values():
            task.cancel()
        for node in world.nodes.values():
            node.stop(0.0)
        for listener in world.listeners.values():
            listener.close()
        for process in [*world.arrays.values(), *world.paths]:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def ask(session: Session, kind: Kind, offset: int = 0, data: bytes = b"", length: int = 0) -> bytes:
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def done(error: int, found: bytes | bytearray | memoryview) -> None:
        if error:
            answer.set_exception(OSError(error, "refused"))
        else:
            answer.set_result(bytes(found))

    session.submit(kind, offset, length or len(data), done, data=data)
    async with asyncio.timeout(WITHIN):
        return await answer


async def end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def play_losses(folder: Path) -> None:
    """Write through the loss of an array, of the active node, and of the session."""
    async with storage(folder) as world:
        path, disk = await world.start_path(1)
        await ask(disk, Kind.WRITE, 0, b"a" * 4096)
        await ask(disk, Kind.FLUSH)
        world.arrays["baie-1"].kill()
        await ask(disk, Kind.WRITE, 65536, b"b" * 4096)
        await ask(disk, Kind.FLUSH)
        await world.arrays["baie-1"].wait()
        await world.start_array("baie-1")
        await until(lambda: world.in_sync)
        assert (await world.verify())["identical"]

        world.ticking["svc-1"].cancel()  # a node that hangs: it beats no more
        world.listeners["svc-1"].close()
        await ask(disk, Kind.WRITE, 131072, b"c" * 4096)
        del world.nodes["svc-1"]
        for at, byte in ((0, b"a"), (65536, b"b"), (131072, b"c")):
            assert await ask(disk, Kind.READ, at, length=4096) == byte * 4096

        newer, other_disk = await world.start_path(2)
        assert await path.wait() == STALE
        assert await ask(other_disk, Kind.READ, 0, length=4096) == b"a" * 4096
        await until(lambda: world.in_sync)
        assert (await world.verify())["differing"] == []
        await end(newer)


async def play_commits(folder: Path) -> None:
    """A write and the flush behind it reach each array as one durable write; two writes and a flush as three."""
    async with storage(folder) as world:
        path, disk = await world.start_path(1)
        await until(lambda: world.in_sync)
        await commit(disk, b"a")
        before = [await world.tell(array, "status") for array in world.arrays]
        for byte in (b"b", b"c"):
            await commit(disk, byte)
        after = [await world.tell(array, "status") for array in world.arrays]
        changed = [[new[what] - old[what] for what in COUNTED] for old, new in zip(before, after, strict=True)]
        assert changed == [[2, 0, 2]] * 2
        assert [told["dirty"] for told in after] == [0, 0]
        await ask(disk, Kind.WRITE, 4096, b"d" * 4096)
        await commit(disk, b"e")
        assert [
            (await world.tell(array, "status"))["flushes"] - told["flushes"]
            for array, told in zip(world.arrays, after, strict=True)
        ] == [1, 1]
        await end(path)


COUNTED = ("writes", "flushes", "durable_writes")


async def commit(disk: Session, byte: bytes) -> None:
    # Together: a write that nothing follows for 10 ms goes out alone, and this machine may be busy for longer.
    await asyncio.gather(ask(disk, Kind.WRITE, 0, byte * 4096), ask(disk, Kind.FLUSH))


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_commit_is_one_durable_write(tmp_path: Path) -> None:
    asyncio.run(play_commits(tmp_path))


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_loss_of_an_array_a_node_and_a_session(tmp_path: Path) -> None:
    asyncio.run(play_losses(tmp_path))


async def play_rot(folder: Path, seed: int) -> None:
    """Let a byte of one copy turn: it is served as it is, found by a comparison, and mended from the other copy."""
    async with storage(folder) as world:
        path, disk = await world.start_path(1)
        await ask(disk, Kind.WRITE, 0, b"a" * 65536)
        await ask(disk, Kind.WRITE, 1 << 20, b"b" * 4096)
        await ask(disk, Kind.FLUSH)
        await until(lambda: world.in_sync)
        assert world.active is not None
        near = f"baie-{world.active.name[-1]}"  # that the active node reads from; on a slow machine svc-2 may be it
        told = await world.tell(near, f"decay v 1 {seed}")
        (place,) = told["mischief"]["rotten"]
        assert place[0] == "v"
        assert place[1] // 65536 in {0, 16}
        volume = world.active.volumes["v"]
        volume.settings = replace(volume.settings, stretch=5)  # grain 16 lies in the fourth, 0 in the first
        wrong = await ask(disk, Kind.READ, place[1], length=1)
        assert wrong not in {b"a", b"b", b"\0"}, "read from the near array, which says nothing"
        assert (await world.verify())["differing"] == [place[1] // 65536]

        assert (await status.obey(world.active, f"verify v repair={near}"))["differing"] == [place[1] // 65536]
        await until(lambda: world.in_sync)
        assert (await world.tell(near, "status"))["mischief"]["rotten"] == []
        assert (await world.verify())["identical"]
        assert await ask(disk, Kind.READ, 0, length=65536) == b"a" * 65536
        await end(path)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", [0, 7])
def test_what_rots_on_one_copy_is_served_found_and_mended(tmp_path: Path, seed: int) -> None:
    asyncio.run(play_rot(tmp_path, seed))


async def play_masking(folder: Path) -> None:
    """Take a volume away from the host that has it: its requests fail at once, for good; another host is let in."""
    async with storage(folder) as world:
        path, disk = await world.start_path(1)
        await ask(disk, Kind.WRITE, 0, b"a" * 4096)
        await ask(disk, Kind.FLUSH)
        assert world.active is not None
        told = await status.obey(world.active, "withhold v esx")
        assert told["withheld"] == {"v": ["esx"]}
        with pytest.raises(OSError, match="refused"):
            await ask(disk, Kind.READ, 0, length=4096)
        assert "v was taken away from esx" in (await asked(folder / "path-1.status"))["gone"]
        with pytest.raises(OSError, match="refused"):
            await ask(disk, Kind.WRITE, 0, b"b" * 4096)
        assert path.returncode is None, "it stays, so that the host learns why"

        _, _ = await world.start_path(2, host="other")
        assert "esx" in (await status.obey(world.active, "status"))["withheld"]["v"]
        await status.obey(world.active, "grant v esx")
        _, other_disk = await world.start_path(3)
        assert await ask(other_disk, Kind.READ, 0, length=4096) == b"a" * 4096


async def asked(socket: Path) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(b"status\n")
    found: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    return found


async def said(socket: Path, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What it says as soon as this is true of it."""
    async with asyncio.timeout(WITHIN):
        while not condition(found := await asked(socket)):
            pass
    return found


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_volume_that_is_taken_away_fails_at_once_and_comes_back(tmp_path: Path) -> None:
    asyncio.run(play_masking(tmp_path))


async def play_an_idle_host(folder: Path) -> None:
    """Take the storage away from a host that asks for nothing, and give it back."""
    async with storage(folder) as world:
        _, disk = await world.start_path(1)
        await ask(disk, Kind.WRITE, 0, b"a" * 4096)
        await ask(disk, Kind.FLUSH)
        seen = folder / "path-1.status"
        assert (await asked(seen))["held_s"] == 0
        for name in ("svc-1", "svc-2"):
            world.ticking.pop(name).cancel()
            world.listeners[name].close()
            world.nodes.pop(name).stop(0.0)
        away = await said(seen, lambda status: status["held_s"] > 0)
        assert (away["node"], away["requests"]) == ("", 0)
        for name in ("svc-1", "svc-2"):
            await world.start_node(name)
        assert (await said(seen, lambda status: status["node"] != ""))["held_s"] == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_host_that_asks_nothing_is_away_from_its_storage_as_well(tmp_path: Path) -> None:
    asyncio.run(play_an_idle_host(tmp_path))


async def behind(world: Storage, disk: Session) -> None:
    """Let baie-1 miss writes, come back, and be copied to, slowly."""
    await until(lambda: world.in_sync)
    assert world.active is not None
    await status.obey(world.active, "resync-rate 1")
    world.arrays["baie-1"].kill()
    await world.arrays["baie-1"].wait()
    for grain in range(60):
        await ask(disk, Kind.WRITE, grain * 65536, bytes((grain,)) * 4096)
    await ask(disk, Kind.FLUSH)
    await world.start_array("baie-1")
    volume = world.active.volumes["v"]
    await until(lambda: volume.resync is not None and 16 < len(volume.resync.stale) < 60)


async def play_the_fresh_copy_lost(folder: Path) -> None:
    """Lose the only good copy while the other is behind: nobody is served until it is back, and then all is there."""
    async with storage(folder) as world:
        _, disk = await world.start_path(1)
        await behind(world, disk)
        world.arrays["baie-2"].kill()
        await world.arrays["baie-2"].wait()
        asked_for = [asyncio.ensure_future(ask(disk, Kind.READ, grain * 65536, length=4096)) for grain in range(60)]
        active = world.active
        assert active is not None
        volume = active.volumes["v"]
        await until(lambda: volume.phase is Phase.OPENING and volume.copies[0].loaded)
        done, _ = await asyncio.wait(asked_for, timeout=2.0)
        assert not done, "served from a copy that is behind"
        await world.start_array("baie-2")
        assert await asyncio.gather(*asked_for) == [bytes((grain,)) * 4096 for grain in range(60)]
        await until(lambda: world.in_sync)
        assert (await world.verify())["identical"]


async def play_the_copy_behind_lost_again(folder: Path) -> None:
    """Lose the copy that is behind once more: nobody notices, and it is brought back from where the bitmap says."""
    async with storage(folder) as world:
        _, disk = await world.start_path(1)
        await behind(world, disk)
        world.arrays["baie-1"].kill()
        await world.arrays["baie-1"].wait()
        await ask(disk, Kind.WRITE, 0, b"x" * 4096)
        await ask(disk, Kind.FLUSH)
        assert await ask(disk, Kind.READ, 65536, length=4096) == bytes((1,)) * 4096
        await world.start_array("baie-1")
        await until(lambda: world.in_sync)
        assert (await world.verify())["identical"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("play", [play_the_fresh_copy_lost, play_the_copy_behind_lost_again])
def test_an_array_is_lost_during_a_resync(tmp_path: Path, play: Callable[[Path], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(play(tmp_path))


async def play_a_replacement(folder: Path) -> None:
    """Put an array in another's place while a host works; the old one goes, and the other node knows what it needs."""
    async with storage(folder, arrays=3) as world:
        path, disk = await world.start_path(1)
        await ask(disk, Kind.WRITE, 0, b"a" * 65536)
        await ask(disk, Kind.FLUSH)
        await until(lambda: world.in_sync)
        assert world.active is not None
        refused = await status.obey(world.active, "replace v baie-1 baie-9")
        assert refused == {"error": "no array is called baie-9: there are baie-1, baie-2, baie-3"}
        refused = await status.obey(world.active, "replace v baie-1 baie-2")
        assert refused == {"error": "v cannot go from baie-1 to baie-2: it has its copies on baie-1, baie-2"}

        told = await status.obey(world.active, "replace v baie-1 baie-3")
        assert told["volumes"]["v"]["copies"]["baie-1"]["retiring"]
        assert not told["volumes"]["v"]["copies"]["baie-3"]["in_sync"]
        await ask(disk, Kind.WRITE, 131072, b"b" * 4096)
        volume = world.active.volumes["v"]
        await until(lambda: [copy.array for copy in volume.copies] == ["baie-2", "baie-3"])
        await end(world.arrays["baie-1"])
        assert (await world.verify())["identical"]
        used = (await world.tell("baie-3", "status"))["used"]
        assert used == 2 * 65536, "what was never written takes no space on the new array either"

        world.ticking["svc-1"].cancel()  # a node that hangs: it beats no more
        world.listeners["svc-1"].close()
        del world.nodes["svc-1"]
        other = world.nodes["svc-2"].volumes["v"]
        await until(lambda: other.phase is Phase.SERVING)
        assert [copy.array for copy in other.copies] == ["baie-2", "baie-3"]
        await ask(disk, Kind.WRITE, 65536, b"c" * 4096)
        assert await ask(disk, Kind.READ, 0, length=65536) == b"a" * 65536
        assert await ask(disk, Kind.READ, 131072, length=4096) == b"b" * 4096
        assert (await world.verify())["identical"]
        await end(path)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_array_takes_the_place_of_another(tmp_path: Path) -> None:
    asyncio.run(play_a_replacement(tmp_path))


async def play_a_stand_alone_volume(folder: Path) -> None:
    """A host writes and flushes all the time: nothing fails while its volume comes, nor while it goes back."""
    async with storage(folder, alone="baie-2") as world:
        path, disk = await world.start_path(1)
        control = folder / "path-1.status"
        assert (await asked(control))["node"] == "baie-2"
        writing, written = True, 0

        async def work() -> None:
            nonlocal written
            while writing:
                written += 1
                await ask(disk, Kind.WRITE, written % 64 * 65536, written.to_bytes(8, "big") * 512)
                await ask(disk, Kind.FLUSH)

        host = asyncio.ensure_future(work())
        await until(lambda: world.active is not None and world.active.volumes["v"].phase is Phase.OUTSIDE)
        await until(lambda: written > 100)
        assert world.active is not None
        assert "error" not in await status.obey(world.active, "take-in v")
        await until(lambda: world.in_sync)
        assert (await said(control, lambda told: bool(told["node"])))["node"] == world.active.name
        assert (await world.verify())["identical"]

        back = await status.obey(world.active, "let-go v")
        assert "error" not in back
        assert "error" not in await world.tell("baie-2", f"present v {back['volumes']['v']['newest']}")
        await said(control, lambda told: told["node"] == "baie-2")
        seen = written
        await until(lambda: written > seen + 100)
        writing = False
        await host
        last = written.to_bytes(8, "big") * 512
        assert await ask(disk, Kind.READ, written % 64 * 65536, length=4096) == last
        await end(path)


def test_a_stand_alone_volume_is_taken_in_and_goes_back_under_a_host_at_work(tmp_path: Path) -> None:
    asyncio.run(play_a_stand_alone_volume(tmp_path))
