"""Server and client of NBD, on real sockets of this machine."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import pytest

from lab.replica.nbd import client, server
from lab.replica.nbd.protocol import MAX_PAYLOAD, Kind, Offer, Refusal, RefusedError, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from lab.replica.nbd.protocol import Data

WITHIN = 2.0
SIZE = 64 << 20


@pytest.fixture(params=["asyncio", "uvloop"], autouse=True)
def loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both loops: the nodes have uvloop, whose transports end otherwise than asyncio's."""
    if request.param == "uvloop":
        asyncio.set_event_loop_policy(pytest.importorskip("uvloop").EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(None)


class Memory:
    """An export in memory, with one session at a time; "slow" keeps its requests for the test to answer."""

    def __init__(self) -> None:
        self.blocks = bytearray(SIZE)
        self.kept: list[Request] = []
        self.admitted: list[MemorySession] = []

    def names(self) -> list[str]:
        return ["memory", "slow"]

    async def describe(self, name: str) -> Offer:
        return Offer(SIZE, f"describes {name}")

    async def admit(self, name: str, link: server.Link) -> MemorySession:
        if name not in self.names():
            raise RefusedError(f"there is no {name}", Refusal.UNKNOWN)
        await asyncio.sleep(0)
        session = MemorySession(self, name, link)
        self.admitted.append(session)
        return session


class MemorySession:
    def __init__(self, memory: Memory, name: str, link: server.Link) -> None:
        self.offer = Offer(SIZE, f"serves {name}")
        self.link = link
        self.over = asyncio.Event()
        self._memory = memory
        self._slow = name == "slow"

    def request(self, request: Request) -> None:
        if self._slow:
            self._memory.kept.append(request)
        elif request.kind is Kind.READ:
            request.reply(0, bytes(self._memory.blocks[request.offset : request.offset + request.length]))
        else:
            self._memory.blocks[request.offset : request.offset + len(request.data)] = request.data
            request.reply()

    def lost(self) -> None:
        self.over.set()


async def ask(session: client.Session, kind: Kind, offset: int, length: int, data: Data = b"") -> bytes:
    """One request and its answer; OSError when it is an error."""
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def done(error: int, got: Data) -> None:
        if error:
            answer.set_exception(OSError(error, os.strerror(error)))
        else:
            answer.set_result(bytes(got))

    session.submit(kind, offset, length, done, data=data)
    async with asyncio.timeout(WITHIN):
        return await answer


opened: list[client.Session] = []


async def connect(
    address: server.Address, export: str, *, within: float, lost: Callable[[str], None] = lambda _reason: None
) -> client.Session:
    """A session that ends with its test."""
    session = await client.connect(address, export, within=within, lost=lost)
    opened.append(session)
    return session


def on_loopback(
    test: Callable[[Memory, server.Address], Coroutine[None, None, None]], path: Path | None = None
) -> None:
    """Run a test beside a server."""

    async def both() -> None:
        memory = Memory()
        listener = await server.serve(memory, str(path) if path else ("127.0.0.1", 0))
        try:
            await test(memory, str(path) if path else ("127.0.0.1", listener.port))
        finally:
            while opened:
                opened.pop().abort()
            listener.close()

    asyncio.run(both())


def test_what_was_written_is_read_over_tcp_and_over_a_unix_socket(tmp_path: Path) -> None:
    async def test(_memory: Memory, address: server.Address) -> None:
        session = await connect(address, "memory", within=WITHIN)
        assert session.offer == Offer(SIZE, "serves memory")
        large = os.urandom(1 << 20)
        await ask(session, Kind.WRITE, 4096, len(large), large)
        await ask(session, Kind.WRITE, 0, 5, b"small")
        assert await ask(session, Kind.READ, 4096, len(large)) == large
        assert await ask(session, Kind.READ, 0, 5) == b"small"
        assert await ask(session, Kind.FLUSH, 0, 0) == b""
        assert session.in_flight == 0
        with pytest.raises(OSError, match="No space"):
            await ask(session, Kind.WRITE, SIZE, 1, b"x")
        session.leave()

    on_loopback(test)
    on_loopback(test, tmp_path / "nbd.sock")


def test_a_unix_socket_that_is_seen_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or whoever waited for it to appear is refused."""
    asyncio.set_event_loop_policy(None)  # uvloop listens out of our sight
    path = tmp_path / "nbd.sock"
    seen: list[bool] = []
    listen = socket.socket.listen

    def noting(listener: socket.socket, backlog: int) -> None:
        seen.append(path.exists())
        listen(listener, backlog)

    async def begin() -> None:
        (await server.serve(Memory(), str(path))).close()

    monkeypatch.setattr(socket.socket, "listen", noting)
    asyncio.run(begin())
    assert seen == [False]
    assert path.is_socket()


def test_the_largest_payload_passes() -> None:
    async def test(_memory: Memory, address: server.Address) -> None:
        session = await connect(address, "memory", within=WITHIN)
        data = bytes(MAX_PAYLOAD)
        await ask(session, Kind.WRITE, 0, len(data), data)
        assert await ask(session, Kind.READ, 0, len(data)) == data

    on_loopback(test)


def test_a_refusal_reaches_the_client_with_its_code() -> None:
    async def test(_memory: Memory, address: server.Address) -> None:
        with pytest.raises(RefusedError, match="there is no such") as refusal:
            await connect(address, "such", within=WITHIN)
        assert refusal.value.code == Refusal.UNKNOWN

    on_loopback(test)


def test_answers_may_come_later_and_in_any_order() -> None:
    async def test(memory: Memory, address: server.Address) -> None:
        session = await connect(address, "slow", within=WITHIN)
        order: list[int] = []
        for number in range(3):
            session.submit(Kind.WRITE, 0, 1, lambda _error, _data, number=number: order.append(number), data=b"x")  # type: ignore[misc]
        await until(lambda: len(memory.kept) == 3)
        for kept in reversed(memory.kept):
            kept.reply()
        await until(lambda: len(order) == 3)
        assert order == [2, 1, 0]

    on_loopback(test)


def test_goodbye_waits_for_the_answers_still_owed() -> None:
    async def test(memory: Memory, address: server.Address) -> None:
        session = await connect(address, "slow", within=WITHIN)
        answered = asyncio.Event()
        session.submit(Kind.FLUSH, 0, 0, lambda _error, _data: answered.set())
        session.submit(Kind.DISC, 0, 0, lambda _error, _data: None)
        await until(lambda: len(memory.kept) == 1)
        assert not memory.admitted[0].over.is_set()
        memory.kept[0].reply()
        async with asyncio.timeout(WITHIN):
            await answered.wait()
            await memory.admitted[0].over.wait()

    on_loopback(test)


def test_a_server_that_aborts_is_heard_as_a_reset_and_says_no_more() -> None:
    async def test(memory: Memory, address: server.Address) -> None:
        reasons: list[str] = []
        session = await connect(address, "slow", within=WITHIN, lost=reasons.append)
        session.submit(Kind.FLUSH, 0, 0, lambda _error, _data: reasons.append("answered"))
        await until(lambda: len(memory.kept) == 1)
        memory.admitted[0].link.abort()
        memory.kept[0].reply()
        await until(lambda: bool(reasons))
        assert "reset" in reasons[0].lower()
        assert session.is_lost
        session.submit(Kind.FLUSH, 0, 0, lambda _error, _data: reasons.append("answered"))
        assert len(reasons) == 1
        assert not memory.admitted[0].over.is_set()  # whoever aborts knows

    on_loopback(test)


def test_a_client_that_aborts_is_silent_and_its_session_ends() -> None:
    async def test(memory: Memory, address: server.Address) -> None:
        reasons: list[str] = []
        session = await connect(address, "slow", within=WITHIN, lost=reasons.append)
        session.submit(Kind.FLUSH, 0, 0, lambda _error, _data: reasons.append("answered"))
        await until(lambda: len(memory.kept) == 1)
        session.abort()
        async with asyncio.timeout(WITHIN):
            await memory.admitted[0].over.wait()
        memory.kept[0].reply()  # to nobody
        assert reasons == []

    on_loopback(test)


def test_a_server_that_is_silent_is_given_up_in_time() -> None:
    async def run() -> None:
        silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(client.UnreachableError, match="did not answer"):
            await connect(("127.0.0.1", port), "memory", within=0.1)
        silent.close()
        with pytest.raises(client.UnreachableError):
            await connect(("127.0.0.1", port), "memory", within=WITHIN)

    asyncio.run(run())


def test_garbage_ends_only_its_own_connection() -> None:
    async def test(_memory: Memory, address: server.Address) -> None:
        session = await connect(address, "memory", within=WITHIN)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(WITHIN):
            await reader.readexactly(18)
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
        writer.close()
        assert await ask(session, Kind.READ, 0, 1) == b"\0"

    on_loopback(test)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(WITHIN):
        while not holds():  # noqa: ASYNC110 - any condition, not one that somebody announces
            await asyncio.sleep(0.001)
