"""The gate before the database: nobody queues for ever, and who hung up does not queue at all."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lab.replica.emr.gate import BusyError, Gate, GoneError


async def _never() -> None:
    await asyncio.Event().wait()


async def _at_once() -> None:
    return


def test_a_request_is_served_when_a_slot_is_free() -> None:
    assert asyncio.run(Gate(1).run(lambda: "served", _never)) == "served"


def test_a_request_which_waited_too_long_is_told_to_retry() -> None:
    async def scene() -> None:
        gate, frozen = Gate(1, patience=0.02), threading.Event()
        first = asyncio.ensure_future(gate.run(frozen.wait, _never))
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="waiting"):
            await gate.run(lambda: None, _never)
        frozen.set()
        assert await first
        assert await gate.run(lambda: "served", _never) == "served"

    asyncio.run(scene())


def test_a_full_queue_refuses_at_once() -> None:
    async def scene() -> None:
        gate, frozen = Gate(1, queue=1), threading.Event()
        served = [asyncio.ensure_future(gate.run(frozen.wait, _never)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="too many"):
            await gate.run(lambda: None, _never)
        frozen.set()
        assert await asyncio.gather(*served) == [True, True]

    asyncio.run(scene())


def test_who_hung_up_leaves_the_queue_and_its_work_is_never_done() -> None:
    async def scene() -> list[str]:
        gate, frozen, done = Gate(1), threading.Event(), list[str]()
        first = asyncio.ensure_future(gate.run(frozen.wait, _never))
        await asyncio.sleep(0)
        with pytest.raises(GoneError):
            await gate.run(lambda: done.append("abandoned"), _at_once)
        second = asyncio.ensure_future(gate.run(lambda: done.append("living"), _never))
        await asyncio.sleep(0)
        frozen.set()
        await asyncio.gather(first, second)
        return done

    assert asyncio.run(scene()) == ["living"]


def test_a_cancelled_request_gives_its_place_back() -> None:
    async def scene() -> str:
        gate, frozen = Gate(1), threading.Event()
        first = asyncio.ensure_future(gate.run(frozen.wait, _never))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(gate.run(lambda: "abandoned", _never))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        frozen.set()
        await first
        return await gate.run(lambda: "served", _never)

    assert asyncio.run(scene()) == "served"


def test_work_that_fails_gives_its_slot_back() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def scene() -> str:
        gate = Gate(1)
        with pytest.raises(ValueError, match="no"):
            await gate.run(fail, _never)
        return await gate.run(lambda: "served", _never)

    assert asyncio.run(scene()) == "served"
