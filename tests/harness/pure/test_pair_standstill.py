"""A member that stays joined starts anew, and no other does: told on looks at its database."""

from __future__ import annotations

import pytest

from lab.replica.pair.bootstrap import Stage, Standing
from lab.replica.pair.galera import JOINED, SYNCED, Membership
from lab.replica.pair.standstill import Standstill, starts_anew

DONOR = 2


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
    }

    assert Membership.of(status) == Membership(3, JOINED, 629, 7)
    assert Membership.of(status | {"wsrep_cluster_status": "non-Primary"}) == Membership()
