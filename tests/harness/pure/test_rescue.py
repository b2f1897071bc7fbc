"""Room three from the outside: what its node is told, who feeds it, and how what it says is read."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from lab.fabric import lay_out
from lab.nodes import NodeError
from lab.nodes.containers import Executed
from lab.nodes.specs import principal, rescue, spec
from lab.plan import Plan, dumps, load, loads
from lab.replica.rescue.config import read
from lab.rescue import Rescue, monotonic

if TYPE_CHECKING:
    from pathlib import Path

    from lab.nodes import Containers

TINY = load("tiny")
ZERO = load("zero")


def changed(plan: Plan, *, rescue: bool = True, both_rooms: bool = True) -> Plan:
    """The plan without its rescue node, or without anything that is owed when both rooms are lost."""
    told: dict[str, Any] = yaml.safe_load(dumps(plan))
    for room in told["rooms"].values():
        if not rescue:
            room.pop("rescue", None)
    for service in told["services"].values():
        if not both_rooms:
            service["objectives"].pop("both rooms")
    return loads(yaml.safe_dump(told, allow_unicode=True))


def told(plan: Plan, node: str) -> dict[str, Any]:
    return spec(plan, lay_out(plan, list(plan.nodes)), node, secret="", defects=("one",), loops=())


def fed(plan: Plan) -> dict[str, Any]:
    (hypervisor,) = told(plan, "esx-11")["programs"]
    return {name: server["config"]["rescue"] for name, server in hypervisor["config"]["servers"].items()}


@pytest.mark.parametrize("plan", [TINY, ZERO])
def test_every_server_of_a_principal_service_feeds_room_three(plan: Plan) -> None:
    assert rescue(plan) == "secours"
    assert principal(plan) == ["dopasoins", "imagerie"]
    assert {name: feed["database"] for name, feed in fed(plan).items()} == {
        "dopasoins-1": "dopasoins",
        "dopasoins-2": "dopasoins",
        "imagerie": "imagerie",
    }


@pytest.mark.parametrize("plan", [changed(TINY, rescue=False), changed(TINY, both_rooms=False)])
def test_nobody_feeds_anything_where_there_is_no_room_three_for_it(plan: Plan) -> None:
    assert rescue(plan) is None
    assert set(fed(plan).values()) == {None}
    assert all(told(plan, node)["programs"] == [] for node in plan.nodes if node == "secours")
    assert Rescue(plan, cast("Containers", None)).services == []


def test_the_node_is_told_what_it_reads(tmp_path: Path) -> None:
    (program,) = told(TINY, "secours")["programs"]
    file = tmp_path / "config.json"
    file.write_text(json.dumps(program["config"]))

    config = read(file)

    assert program["program"] == "replica.rescue.server"
    assert program["disk"]["mount"] == str(config.folder)
    assert config.interface == "servers0"
    assert str(config.services["dopasoins"]) == "10.78.4.10/24"
    assert config.application("imagerie")["listens"] == "10.78.4.9"
    assert config.defects == ("one",)


@dataclass
class Nodes:
    """A rescue node that says what it is told to, and remembers its orders."""

    said: dict[str, Any] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    ran: Executed = field(default_factory=lambda: Executed(0, b'{"served_s": 1.0}', b""))

    def ask(self, name: str, program: str, line: str = "status") -> dict[str, Any]:
        assert (name, program) == ("secours", "rescue")
        if not self.said:
            raise NodeError("it is off")
        self.orders.append(line)
        return {"services": self.said}

    def execute(self, _name: str, *_command: str) -> Executed:
        return self.ran


def third(nodes: Nodes) -> Rescue:
    return Rescue(TINY, cast("Containers", nodes))


def test_what_room_three_serves_is_an_ailment_and_so_is_its_silence() -> None:
    said = {"dopasoins": {"standing": "serves"}, "imagerie": {"standing": "standing by"}}

    assert list(third(Nodes(said)).ailments()) == ["room three serves dopasoins"]
    assert third(Nodes(said)).serving() == ["dopasoins"]
    assert list(third(Nodes()).ailments()) == [
        "room three does not answer for dopasoins",
        "room three does not answer for imagerie",
    ]


def test_times_that_a_database_wrote_are_instants_of_this_machine() -> None:
    ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=10)
    lacked = {"member": "dopasoins-1", "since": ago.isoformat(), "until": (ago + timedelta(seconds=4)).isoformat()}
    said = {"dopasoins": {"standing": "standing by", "unprotected": [{**lacked, "number_of_rows": 3}]}}
    now = time.monotonic_ns()

    (found,) = third(Nodes(said)).unprotected("dopasoins", now - 20_000_000_000)

    assert found.length == pytest.approx(timedelta(seconds=4), abs=timedelta(milliseconds=50))
    assert abs(now - monotonic(ago.isoformat()) - 10e9) < 1e9
    assert third(Nodes(said)).unprotected("dopasoins", now) == [], "it was over before"


def test_a_restart_test_that_fails_is_told_in_its_own_last_words() -> None:
    failed = Executed(1, b"", b"Traceback\nRuntimeError: no act\n")

    with pytest.raises(NodeError, match="dopasoins does not restart from a copy of room three: RuntimeError: no act"):
        third(Nodes(ran=failed)).rehearse("dopasoins")
    with pytest.raises(NodeError, match="nothing is no principal service"):
        third(Nodes()).rehearse("nothing")


def test_there_is_no_way_to_a_room_three_that_is_not_in_the_plan() -> None:
    with pytest.raises(NodeError, match="no rescue node"):
        Rescue(changed(TINY, rescue=False), cast("Containers", None)).order("take dopasoins")
