"""Copies between two arrays: of one instant, whole or not at all, whoever loses power in between."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lab.replica.array import replication as module
from lab.replica.array.layout import BLOCK, GRAIN
from lab.replica.array.medium import Medium, Snapshot
from lab.replica.array.mischief import OrderError
from lab.replica.array.pool import Pool
from lab.replica.array.replication import Replication

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SIZE = 8 * GRAIN
SEVERAL = 3 * GRAIN + BLOCK  # an offset in the fourth grain


class Site:
    """An array's volume and its part in the replication."""

    def __init__(self, folder: Path, role: str, *defects: str, every: float = 0.05) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.told: dict[str, Any] = {"peer": ["127.0.0.1", 0], "address": "127.0.0.1", "every": every}
        self.told["role"] = role
        file = folder / "v.volume"
        if not file.exists():
            file.write_bytes(b"\0" * (SIZE + BLOCK))
        self.medium = Medium(file, SIZE + BLOCK, Pool(1 << 30), counted=SIZE)
        self.part = Replication(folder.name, folder, {"v": self.medium}, self.told, frozenset(defects))

    def again(self) -> Site:
        """After a loss of power."""
        self.medium.close()
        return Site(self.folder, str(self.told["role"]))


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PORT", 0)


def port_of(server: asyncio.AbstractServer) -> int:
    assert isinstance(server, asyncio.Server)
    return int(server.sockets[0].getsockname()[1])


@asynccontextmanager
async def copying(source: Site, target: Site) -> AsyncIterator[None]:
    """Both at work."""
    server = await target.part.serve()
    source.told["peer"][1] = port_of(server)
    task = asyncio.create_task(source.part.run())
    try:
        yield
    finally:
        task.cancel()
        server.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the programs under test set no event
            await asyncio.sleep(0.005)


async def copied(source: Site, times: int = 2) -> None:
    """So many more copies were confirmed: of two, the second began after this was called."""
    before = source.part.cycle
    await until(lambda: source.part.cycle >= before + times)


@pytest.mark.usefixtures("port")
def test_what_is_written_arrives_with_a_later_copy(tmp_path: Path) -> None:
    async def play() -> None:
        source, target = Site(tmp_path / "a", "source"), Site(tmp_path / "b", "target")
        async with copying(source, target):
            await copied(source)
            source.medium.write(SEVERAL, b"x" * 100)
            source.medium.write(SIZE, b"header")
            await copied(source)
        assert target.medium.read(SEVERAL, 100) == b"x" * 100
        assert target.medium.read(SIZE, 6) == b"header"
        assert target.part.at == source.part.at

    asyncio.run(play())


@pytest.mark.usefixtures("port")
def test_what_a_copy_that_failed_should_have_carried_comes_with_the_next(tmp_path: Path) -> None:
    async def play() -> None:
        source, target = Site(tmp_path / "a", "source"), Site(tmp_path / "b", "target")
        async with copying(source, target):
            await copied(source)
            reached, source.told["peer"][1] = source.told["peer"][1], 1  # nobody listens there
            source.medium.write(SEVERAL, b"x")
            await until(lambda: bool(source.part.trouble))
            source.told["peer"][1] = reached
            await copied(source)
        assert target.medium.read(SEVERAL, 1) == b"x"

    asyncio.run(play())


@pytest.mark.usefixtures("port")
def test_a_copy_that_skips_is_told_as_complete_and_is_not(tmp_path: Path) -> None:
    async def play() -> None:
        source, target = Site(tmp_path / "a", "source", "copy-that-skips"), Site(tmp_path / "b", "target")
        async with copying(source, target):
            await copied(source)
            source.medium.write(SEVERAL, b"x")
            await copied(source)
        assert target.medium.read(SEVERAL, 1) != source.medium.read(SEVERAL, 1)

    asyncio.run(play())


@pytest.mark.usefixtures("port")
def test_the_first_copy_after_a_change_of_roles_undoes_what_the_new_target_had_more(tmp_path: Path) -> None:
    async def play() -> None:
        first, second = Site(tmp_path / "a", "source"), Site(tmp_path / "b", "target")
        first.medium.write(SEVERAL, b"newer than any copy")
        second.part.obey("stop")
        first.part.obey("target")
        second.part.obey("source")
        async with copying(second, first):
            await copied(second)
        assert first.medium.read(SEVERAL, 19) == bytes(19)
        assert first.again().part.role == "target", "the role outlives a loss of power"

    asyncio.run(play())


@pytest.mark.usefixtures("port")
def test_a_target_that_was_stopped_takes_nothing_more(tmp_path: Path) -> None:
    async def play() -> None:
        source, target = Site(tmp_path / "a", "source"), Site(tmp_path / "b", "target")
        async with copying(source, target):
            await copied(source)
            target.part.obey("stop")
            held = target.part.at
            source.medium.write(0, b"late")
            await until(lambda: bool(source.part.trouble))
        assert target.medium.read(0, 4) == bytes(4)
        assert (target.part.at, source.part.trouble) == (held, "b takes no copy: it is stopped")

    asyncio.run(play())


@pytest.mark.usefixtures("port")
def test_half_a_copy_is_none(tmp_path: Path) -> None:
    async def play() -> None:
        target = Site(tmp_path / "b", "target")
        server = await target.part.serve()
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        header: dict[str, Any] = {"from": "a", "at": 7, "whole": False, "volumes": {"v": [0, 1]}}
        writer.write(json.dumps(header).encode() + b"\n" + b"x" * GRAIN)
        await writer.drain()
        arriving = tmp_path / "b" / "copy.arriving"
        await until(lambda: arriving.exists() and arriving.stat().st_size > 0)
        writer.close()
        server.close()
        assert target.medium.read(0, GRAIN) == bytes(GRAIN)
        assert target.again().part.at == 0

    asyncio.run(play())


def test_a_copy_that_was_all_there_is_put_in_after_a_loss_of_power(tmp_path: Path) -> None:
    target = Site(tmp_path / "b", "target")
    header = {"from": "a", "at": 7, "whole": False, "volumes": {"v": [1]}}
    (tmp_path / "b" / "copy.complete").write_bytes(json.dumps(header).encode() + b"\n" + b"x" * GRAIN)

    back = target.again()
    assert back.medium.read(GRAIN, GRAIN) == b"x" * GRAIN
    assert back.part.at == 7
    assert back.again().medium.read(GRAIN, 1) == b"x", "it was flushed"


def test_a_snapshot_keeps_what_is_written_over(tmp_path: Path) -> None:
    medium = Site(tmp_path / "a", "source").medium
    medium.write(0, b"before")
    medium.snapshot = Snapshot(medium, [0, 1])
    medium.write(0, b"after!")
    medium.write(GRAIN, b"after!")

    assert medium.snapshot.take(0)[:6] == b"before"
    assert medium.snapshot.take(1)[:6] == bytes(6)
    assert medium.read(0, 6) == b"after!"


def test_an_order_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    target = Site(tmp_path / "b", "target")
    with pytest.raises(OrderError, match="known: source, target, stop, now, snapshot, release"):
        target.part.obey("faster")
    with pytest.raises(OrderError, match="b is no source of a replication, it is target"):
        target.part.obey("now")


def test_a_restart_test_reads_the_volumes_as_they_were_when_it_began(tmp_path: Path) -> None:
    target = Site(tmp_path / "b", "target")
    with pytest.raises(OrderError, match="b has no complete copy"):
        target.part.obey("snapshot")
    target.part.at = 7
    target.medium.write(0, b"before")
    target.part.obey("snapshot")
    target.medium.write(0, b"after!")

    assert target.part.tests["v.test"].read(0, 6) == b"before"
    target.part.obey("release")
    assert not (tmp_path / "b" / "v.test").exists()
