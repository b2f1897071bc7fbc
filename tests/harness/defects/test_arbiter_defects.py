"""Test the tester: arbiters that let anybody call an election. docs/track-record.md lists the defect."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from faults import Isolation
from lab.bench import Lab
from lab.nodes.specs import arbiters
from lab.plan import load
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TINY = load("tiny")
ALONE = 3.0  # seconds: six times the patience of a member that hears no leader


def status(lab: Lab, member: str) -> dict[str, Any]:
    """What a member says of itself; alone, it still does."""
    said = lab.run_in(member, "etcdctl", "--endpoints=http://127.0.0.1:2379", "endpoint", "status", "-w", "json")
    found: dict[str, Any] = json.loads(said)[0]["Status"]
    return {"leader": 0, **found}  # a nought is left out


def followers(lab: Lab) -> Iterator[str]:
    for member in arbiters(lab.plan):
        said = status(lab, member)
        if said["leader"] != said["header"]["member_id"]:
            yield member


def elections(lab: Lab) -> int:
    """How many there are when a member that follows is alone for a while, and comes back."""
    member = next(followers(lab))
    before, fault, begun = status(lab, member)["raftTerm"], Isolation(member), time.monotonic()
    fault.inject(lab)
    wait_until(
        lambda: status(lab, member)["leader"] == 0 and time.monotonic() > begun + ALONE,
        within=2 * ALONE,
        because=f"{member} still hears a leader",
    )
    missed = max(int(status(lab, one)["raftAppliedIndex"]) for one in arbiters(lab.plan))
    fault.heal(lab)
    # A member tells the term of what it last applied: so wait until it has caught up.
    wait_until(
        lambda: int(status(lab, member)["raftAppliedIndex"]) > missed, within=30, because=f"{member} does not catch up"
    )
    return int(status(lab, member)["raftTerm"]) - int(before)


def test_a_member_that_comes_back_deposes_nobody(tiny: Lab) -> None:
    assert elections(tiny) == 0


def test_without_pre_vote_it_does() -> None:
    with Lab.up(TINY, name=f"no-pre-vote-{os.getpid()}", defects=("no-pre-vote",)) as lab:
        assert elections(lab) > 0
