"""The parts of a server: one that has nothing to do ends no other, and a clean stop ends each in its turn."""

from __future__ import annotations

import asyncio

import pytest

from lab.replica.pair.children import together


async def slow(name: str, said: list[str], *, farewell: int = 2) -> None:
    """A part that needs a few turns of the loop for its clean stop."""
    try:
        await asyncio.Event().wait()
    finally:
        for _ in range(farewell):
            await asyncio.sleep(0)
        said.append(name)


async def nothing() -> None:
    """A part that has nothing to do."""


def test_a_clean_stop_ends_each_part_in_its_turn_and_waits_for_it() -> None:
    said: list[str] = []

    async def play() -> None:
        work = asyncio.ensure_future(together(slow("address", said), nothing(), slow("database", said, farewell=9)))
        await asyncio.sleep(0.01)
        assert not work.done(), "a part that has nothing to do ends no other"
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(play())
    assert said == ["address", "database"]


def test_a_part_that_fails_ends_the_others() -> None:
    said: list[str] = []

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise RuntimeError("no disk")

    async def play() -> None:
        await together(slow("address", said), fails())

    with pytest.raises(RuntimeError, match="no disk"):
        asyncio.run(play())
    assert said == ["address"]
