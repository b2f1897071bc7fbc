"""An array as a program: power loss, fencing, mischief, on sockets of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.replica.nbd import client
from lab.replica.nbd.protocol import Kind, RefusedError
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from lab.replica.nbd.protocol import Data

SIZE = 1 << 20
WITHIN = 5.0
LAB = Path(__file__).parents[3] / "lab"  # within a node the package is called `replica` too


@dataclass
class Program:
    """`python -m replica.array` over a folder."""

    folder: Path
    port: int
    alone: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def control(self) -> Path:
        return self.folder / "array.sock"

    def on(self, *defects: str) -> None:
        """Switch it on; returns when it answers."""
        told = {
            "name": "baie-1",
            "plan": "tiny",
            "address": "127.0.0.1",
            "port": self.port,
            "folder": str(self.folder / "disks"),
            "volumes": {"a": {"size": SIZE, "template": None, "alone": self.alone}},
            "capacity": SIZE,
            "defects": list(defects),
            "control": str(self.control),
        }
        path = self.folder / "array.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "replica.array", str(path)], cwd=LAB, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, within=WITHIN, because="the array does not answer")

    def off(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Take its power, or stop it as planned."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(WITHIN)
            self.control.unlink(missing_ok=True)

    def order(self, line: str = "status") -> dict[str, Any]:
        """What it answers to a line."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(WITHIN)
            wire.connect(str(self.control))
            wire.sendall(line.encode() + b"\n")
            answer: dict[str, Any] = json.loads(wire.makefile().readline())
            return answer

    def talk(self, *exports: str) -> Talk:
        return Talk(("127.0.0.1", self.port), exports)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.order())
        return False


@dataclass
class Talk:
    """Sessions with an array or a disk, for one `asyncio.run`."""

    address: tuple[str, int] | str
    exports: tuple[str, ...] = ("",)
    open: list[client.Session] = field(default_factory=list)

    async def session(self, export: str) -> client.Session:
        """One more, ended with the others."""
        session = await client.connect(self.address, export, within=WITHIN)
        self.open.append(session)
        return session

    def run(self, story: Callable[..., Awaitable[None]]) -> None:
        """Open the sessions and tell the story with them."""

        async def told() -> None:
            try:
                async with asyncio.timeout(WITHIN):
                    await story(*[await self.session(name) for name in self.exports])
            finally:
                for session in self.open:
                    session.abort()

        asyncio.run(told())


async def ask(session: client.Session, kind: Kind, offset: int = 0, data: Data = b"", *, fua: bool = False) -> bytes:
    """One request and its answer; a READ is of three blocks. OSError when it is an error."""
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def done(error: int, got: Data) -> None:
        if error:
            answer.set_exception(OSError(error, "answered"))
        else:
            answer.set_result(bytes(got))

    length = 3 * 4096 if kind is Kind.READ else len(data)
    session.submit(kind, offset, length, done, data=data, fua=fua)
    return await answer


def heard(session: client.Session) -> asyncio.Event:
    """Set when the session is lost."""
    lost = asyncio.Event()
    session.lost = lambda _reason: lost.set()
    return lost


@pytest.fixture
def baie(tmp_path: Path) -> Iterator[Program]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Program(tmp_path, port)
    program.on()
    yield program
    program.off()


X, Y, Z = (letter * 4096 for letter in (b"x", b"y", b"z"))


def test_power_loss_forgets_what_was_not_flushed_and_nothing_else(baie: Program) -> None:
    async def write(session: client.Session) -> None:
        await ask(session, Kind.WRITE, 0, data=X)
        await ask(session, Kind.FLUSH)
        await ask(session, Kind.WRITE, 4096, data=Y)
        await ask(session, Kind.WRITE, 8192, data=Z, fua=True)

    async def read(session: client.Session) -> None:
        assert await ask(session, Kind.READ) == X + bytes(4096) + Z

    baie.talk("a@1").run(write)
    before = baie.order()
    assert (before["dirty"], before["flushed"], before["writes"], before["flushes"]) == (4096, 8192, 3, 1)
    baie.off()
    baie.on()
    baie.talk("a").run(read)
    assert baie.order()["boot"] != before["boot"]


def test_a_planned_stop_forgets_nothing(baie: Program) -> None:
    async def write(session: client.Session) -> None:
        await ask(session, Kind.WRITE, 0, data=X)

    async def read(session: client.Session) -> None:
        assert (await ask(session, Kind.READ))[:4096] == X

    baie.talk("a@1").run(write)
    baie.off(signal.SIGTERM)
    baie.on()
    baie.talk("a").run(read)


def test_an_epoch_that_is_over_is_refused_even_after_power_loss(baie: Program) -> None:
    async def nothing(session: client.Session) -> None:
        assert session.offer.description.startswith("array=baie-1 epoch=5 boot=")

    baie.talk("a@5").run(nothing)
    baie.off()
    baie.on()
    with pytest.raises(RefusedError, match="obeys epoch 5: epoch 4 is over"):
        baie.talk("a@4").run(nothing)
    baie.talk("a@5").run(nothing)


def test_a_stand_alone_volume_is_its_hosts_until_a_node_opens_it_and_after_it_was_presented(baie: Program) -> None:
    async def host(session: client.Session) -> None:
        assert session.offer.size == SIZE, "the header behind the data is not the host's"
        await ask(session, Kind.WRITE, 0, data=X)
        node = await client.connect(("127.0.0.1", baie.port), "a@5", within=WITHIN)
        assert (await ask(node, Kind.READ))[:4096] == X
        node.abort()

    async def cut(session: client.Session) -> None:
        lost = heard(session)
        node = await client.connect(("127.0.0.1", baie.port), "a@5", within=WITHIN)
        await asyncio.wait_for(lost.wait(), WITHIN)
        node.abort()

    async def nothing(_session: client.Session) -> None:
        pass

    with pytest.raises(RefusedError, match="a on baie-1 is not stand-alone"):
        baie.talk("a#1").run(nothing)
    baie.off()
    baie.alone = True
    baie.on()
    baie.talk("a#2").run(host)
    with pytest.raises(RefusedError, match="a on baie-1 was taken in"):
        baie.talk("a#2").run(nothing)
    baie.off()
    baie.on()
    with pytest.raises(RefusedError, match="a on baie-1 was taken in"):
        baie.talk("a#2").run(nothing)
    assert "error" not in baie.order("present a 2")
    with pytest.raises(RefusedError, match="session 1 is over, the newest is 2"):
        baie.talk("a#1").run(nothing)
    baie.talk("a#2").run(cut)


def test_a_newer_session_cuts_the_older_and_readers_cut_nobody(baie: Program) -> None:
    async def story(older: client.Session, reader: client.Session) -> None:
        lost = heard(older)
        await ask(older, Kind.WRITE, 0, data=X)
        with pytest.raises(OSError, match="answered"):
            await ask(reader, Kind.WRITE, 0, data=Y)
        newer = await talk.session("a@1")
        assert await ask(newer, Kind.READ) == X + bytes(8192)
        assert await ask(reader, Kind.READ) == X + bytes(8192)
        await lost.wait()
        assert sorted(one["epoch"] or 0 for one in (await asyncio.to_thread(baie.order))["sessions"]) == [0, 1]

    talk = baie.talk("a@1", "a")
    talk.run(story)


def test_what_waits_in_a_slow_array_is_dropped_with_its_session(baie: Program) -> None:
    async def story(older: client.Session) -> None:
        older.submit(Kind.WRITE, 0, 4096, lambda _error, _data: None, data=X)
        newer = await talk.session("a@2")
        await ask(newer, Kind.WRITE, 4096, data=Y)
        assert await ask(newer, Kind.READ) == bytes(4096) + Y + bytes(4096)

    assert baie.order("slow 0.1")["mischief"]["slow"] == 0.1
    talk = baie.talk("a@1")
    talk.run(story)


def test_mischief_bites_is_counted_and_mended(baie: Program) -> None:
    async def bitten(session: client.Session) -> None:
        await ask(session, Kind.WRITE, 0, data=X + Y)
        await asyncio.to_thread(baie.order, "read-error a 0 4096")
        with pytest.raises(OSError, match="answered"):
            await ask(session, Kind.READ)
        await asyncio.to_thread(baie.order, "full")
        with pytest.raises(OSError, match="answered"):
            await ask(session, Kind.WRITE, 0, data=X)
        await asyncio.to_thread(baie.order, "rot a 4096")
        assert (await ask(session, Kind.READ, 4096))[:2] == bytes((ord("y") ^ 0xFF, ord("y")))
        await asyncio.to_thread(baie.order, "mend")
        assert (await ask(session, Kind.READ))[:4096] == X

    baie.talk("a@1").run(bitten)
    assert baie.order()["mischief"] == {
        "slow": 0,
        "read_errors": [],
        "unreadable_blocks": 0,
        "failed_reads": 1,
        "full": False,
        "refused_writes": 1,
        "rotten": [["a", 4096]],
    }


def test_rot_is_counted_until_it_is_written_over(baie: Program) -> None:
    async def written(session: client.Session) -> None:
        await ask(session, Kind.WRITE, 0, data=X + Y)
        await ask(session, Kind.FLUSH)

    async def written_over(session: client.Session) -> None:
        await ask(session, Kind.WRITE, 4096, data=Y)

    baie.talk("a@1").run(written)
    assert baie.order("rot a 5 4096 9")["mischief"]["rotten"] == [["a", 5], ["a", 4096], ["a", 9]]
    assert baie.order("rot a 5")["mischief"]["rotten"] == [["a", 5], ["a", 4096], ["a", 9]], (
        "turned back it would be right"
    )
    baie.talk("a@2").run(written_over)
    assert baie.order()["mischief"]["rotten"] == [["a", 5], ["a", 9]]


def test_decay_is_chosen_by_its_seed_among_what_was_written(baie: Program) -> None:
    async def written(session: client.Session) -> None:
        for grain in (0, 2, 5):
            await ask(session, Kind.WRITE, grain * 65536, data=X)

    baie.talk("a@1").run(written)
    found = baie.order("decay a 2 1")["mischief"]["rotten"]
    assert len(found) == 2
    assert {offset // 65536 for _, offset in found} < {0, 2, 5}
    rest = baie.order("decay a 9 2")["mischief"]["rotten"]
    assert {offset // 65536 for _, offset in rest} == {0, 2, 5}


@pytest.mark.parametrize(
    "line", ["slow", "decay a 1", "slow x", "rot b 0", "rot a 99999999", "read-error a 0 0", "dance"]
)
def test_an_order_that_means_nothing_is_refused_with_a_sentence(baie: Program, line: str) -> None:
    assert set(baie.order(line)) == {"error"}


def test_planted_defects(baie: Program) -> None:
    async def write(session: client.Session) -> None:
        await ask(session, Kind.WRITE, 0, data=X)
        await ask(session, Kind.FLUSH)

    async def lost(_holder: client.Session, deposed: client.Session) -> None:
        assert await ask(deposed, Kind.READ) == bytes(12288)

    baie.off()
    baie.on("no-flush", "no-epoch-check")
    baie.talk("a@1").run(write)
    baie.off()
    baie.on("no-epoch-check")
    baie.talk("a@3", "a@2").run(lost)


def test_an_array_that_must_not_start_says_one_sentence(baie: Program) -> None:
    baie.off()
    (baie.folder / "disks" / "a.volume").unlink()
    ended = subprocess.run(
        [sys.executable, "-m", "replica.array", str(baie.folder / "array.json")],
        cwd=LAB,
        capture_output=True,
        check=False,
        text=True,
        timeout=WITHIN,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("volume a has vanished from array baie-1")
    assert ended.stderr.count("\n") == 1


def test_a_local_disk_forgets_too_and_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "disk.json"
    wire = tmp_path / "disk.sock"
    (tmp_path / "template").write_bytes(Z)
    told = {"socket": str(wire), "file": str(tmp_path / "disk"), "size": SIZE, "template": str(tmp_path / "template")}
    path.write_text(json.dumps(told), encoding="utf-8")

    def on() -> subprocess.Popen[bytes]:
        wire.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-m", "replica.array.local", str(path)], cwd=LAB)
        wait_until(wire.exists, within=WITHIN, because="no socket")
        return process

    async def story(older: client.Session) -> None:
        lost = heard(older)
        await ask(older, Kind.WRITE, 4096, data=X)
        await ask(older, Kind.FLUSH)
        newer = await talk.session("")
        await ask(newer, Kind.WRITE, 8192, data=Y)
        await lost.wait()

    async def after(session: client.Session) -> None:
        assert await ask(session, Kind.READ) == Z + X + bytes(4096)

    process = on()
    try:
        talk = Talk(str(wire))
        talk.run(story)
        process.kill()
        process.wait(WITHIN)
        process = on()
        Talk(str(wire)).run(after)
    finally:
        process.kill()
        process.wait(WITHIN)
