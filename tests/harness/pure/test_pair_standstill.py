"""A member that stays joined starts anew, and no other does: told on looks at its database."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lab.replica.pair import standstill as module
from lab.replica.pair.bootstrap import Stage, Standing
from lab.replica.pair.galera import JOINED, NOWHERE, SYNCED, Membership, Position
from lab.replica.pair.lateness import Canary
from lab.replica.pair.standstill import Standstill, starts_anew
from lab.replica.pair.supervisor import Supervisor

if TYPE_CHECKING:
    from pathlib import Path

OPEN = Membership(group=3)
DONOR, TWIN = 2, IPv4Address("192.0.2.1")


def joined(committed: int, waiting: int = 0) -> Membership:
    return Membership(3, JOINED, committed, waiting)


def noticed(looks: list[Membership]) -> list[int]:
    """The seconds, at one look a second, at which it is called a standstill."""
    standstill = Standstill()
    return [second for second, look in enumerate(looks) if standstill.saw(float(second), look)]


def test_a_donor_that_ends_joined_is_noticed_though_it_applies_what_the_others_write() -> None:
    looks = [Membership(3, DONOR, 100)] * 3 + [joined(committed, committed % 2) for committed in range(100, 130)]

    assert noticed(looks)[0] == 19, "the first second that is more than 15 after the fourth"


@pytest.mark.parametrize(
    "looks",
    [
        [Membership(3, SYNCED, 100)] * 60,
        [Membership(3, DONOR, 100)] * 60,  # a transfer takes as long as it takes
        [joined(committed, 200 - committed) for committed in range(100, 160)],  # it catches up
        [joined(100)] * 15 + [Membership(3, SYNCED, 100)] + [joined(100)] * 15,
        [Membership()] * 60,
    ],
)
def test_a_member_that_gets_on_is_left_alone(looks: list[Membership]) -> None:
    assert noticed(looks) == []


def test_a_member_that_catches_up_nothing_is_noticed_too() -> None:
    assert noticed([joined(100, 5)] * 20) == [16, 17, 18, 19]


SYNCED_TWIN = Standing("dopasoins-2", Stage.PRIMARY, group=3, synced=True)
JOINED_TWIN = Standing("dopasoins-2", Stage.PRIMARY, group=3)


@pytest.mark.parametrize(
    ("twin", "first", "leaves"),
    [
        (SYNCED_TWIN, True, True),
        (SYNCED_TWIN, False, True),
        (JOINED_TWIN, True, False),
        (JOINED_TWIN, False, True),  # both stand still: one after the other
        (Standing("dopasoins-2", Stage.STARTING), False, False),
        (Standing("dopasoins-2", Stage.AT_REST), False, False),
        (None, False, False),
    ],
)
def test_who_stands_still_leaves_only_while_another_serves(twin: Standing | None, first: bool, leaves: bool) -> None:  # noqa: FBT001
    assert starts_anew(twin, first=first) is leaves


def test_what_a_database_says_of_itself_is_read() -> None:
    status = {
        "wsrep_cluster_status": "Primary",
        "wsrep_cluster_size": "3",
        "wsrep_local_state": "3",
        "wsrep_last_committed": "629",
        "wsrep_local_recv_queue": "7",
        "wsrep_gcomm_uuid": "f1d5e8e3",
    }

    assert Membership.of(status) == Membership(3, JOINED, 629, 7, "f1d5e8e3")
    # While Galera closes its side: the whole server ended with a KeyError once.
    assert Membership.of({name: status[name] for name in ("wsrep_cluster_status", "wsrep_cluster_size")}) == OPEN
    assert Membership.of(status | {"wsrep_cluster_status": "non-Primary"}) == Membership()
    assert Membership.of(status | {"wsrep_cluster_status": "Disconnected"}) == Membership(left=True)


class Donor:
    """A database that ends joined, and is in step once it was started again."""

    def __init__(self) -> None:
        self.starts = 0
        self.over = asyncio.Event()

    async def position(self) -> Position:
        return NOWHERE

    def stopped_cleanly(self) -> bool:
        return False

    async def start(self, _position: Position, *, new_group: bool) -> SimpleNamespace:
        assert not new_group
        self.starts += 1
        self.over = asyncio.Event()
        return SimpleNamespace(wait=self.over.wait, returncode=0)

    async def stop(self, _process: object, *, farewell: bool) -> None:
        assert farewell
        self.over.set()

    async def membership(self) -> Membership:
        return Membership(3, JOINED if self.starts == 1 else SYNCED, 629)


def test_the_supervisor_starts_such_a_member_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST", 0.3)
    monkeypatch.setattr("lab.replica.pair.supervisor._PAUSE", 0.1)

    async def play() -> int:
        database = Donor()
        config = SimpleNamespace(server="dopasoins-1", twin_address=TWIN, bootstrap=False, begun=tmp_path / "begun")
        supervisor = Supervisor(config, database, Canary(tmp_path), lambda: True)  # type: ignore[arg-type]

        async def twin() -> Standing:
            return SYNCED_TWIN

        monkeypatch.setattr(supervisor, "twin", twin)
        work = asyncio.ensure_future(supervisor.keep())
        async with asyncio.timeout(10):
            while not supervisor.standing.synced:  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return database.starts

    assert asyncio.run(play()) == 2
