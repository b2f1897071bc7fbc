"""Whom the key-value store asks next, with servers of our own in the arbiters' place."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from lab.replica.arbiter.kv import Kv, KvUnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER = b'{"header": {"revision": "7"}, "succeeded": true, "responses": [{"response_range": {}}]}'


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
# As etcd sends what is longer than 2 KiB.
IN_PARTS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (
    *(20, ANSWER[:20]),
    *(len(ANSWER) - 20, ANSWER[20:]),
)


@asynccontextmanager
async def arbiter(
    *, answers: bool, answer: bytes = PLAIN, hangs_up: bool = False
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """One that answers every question, or takes it and says nothing; its address, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                asked.append(line)
                length = 0
                while (header := await reader.readline()).strip():
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                await reader.readexactly(length)
                if answers:
                    writer.write(answer)
                if hangs_up:
                    return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def outcome(kv: Kv) -> str:
    try:
        await kv.read("lease")
    except KvUnreachableError:
        return "open"
    return "answered"


async def ask(questions: int) -> tuple[list[str], str, int]:
    """So many questions at once while the first of three arbiters is silent, then one more; who was asked that."""
    async with arbiter(answers=False) as (silent, _), arbiter(answers=True) as (good, asked):
        kv = Kv([silent, good, good])
        at_once = await asyncio.gather(*(outcome(kv) for _ in range(questions)))
        later = await outcome(kv)
        await kv.close()
        return at_once, later, len(asked)


@pytest.mark.parametrize("questions", [1, 2, 3, 6])
def test_a_silent_arbiter_is_passed_over_once_however_many_questions_it_leaves_open(questions: int) -> None:
    assert asyncio.run(ask(questions)) == (["open"] * questions, "answered", 1)


def test_an_arbiter_that_takes_no_connection_is_passed_over_at_once() -> None:
    async def play() -> str:
        async with arbiter(answers=True) as (good, _):
            kv = Kv(["http://127.0.0.1:1", good])
            try:
                return await outcome(kv)
            finally:
                await kv.close()

    assert asyncio.run(play()) == "answered"


@pytest.mark.parametrize("answer", [PLAIN, IN_PARTS])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_an_answer_is_read_whole_and_its_connection_kept_while_it_lives(answer: bytes, hangs_up: bool) -> None:  # noqa: FBT001
    async def play() -> tuple[list[str], int]:
        async with arbiter(answers=True, answer=answer, hangs_up=hangs_up) as (good, asked):
            kv = Kv([good])
            outcomes = []
            for _ in range(3):
                outcomes.append(await outcome(kv))
                await asyncio.sleep(0.02)  # for a goodbye to arrive
            await kv.close()
            return outcomes, len(asked)

    assert asyncio.run(play()) == (["answered"] * 3, 3)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", b"nonsense\r\n\r\n", b""])
def test_an_answer_that_ends_too_soon_leaves_the_question_open(answer: bytes) -> None:
    async def play() -> str:
        async with arbiter(answers=True, answer=answer, hangs_up=True) as (bad, _):
            kv = Kv([bad])
            try:
                return await outcome(kv)
            finally:
                await kv.close()

    assert asyncio.run(play()) == "open"
