"""What a node does when it has power."""

from __future__ import annotations

import asyncio

import pytest

from lab.replica.node import boot


def test_a_node_without_programs_stays_on() -> None:
    """Room three of a plan that promises nothing for the loss of both rooms: it was off as soon as it was on."""

    async def lives() -> None:
        await asyncio.wait_for(boot({"firmware": [], "programs": []}), 0.1)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(lives())
