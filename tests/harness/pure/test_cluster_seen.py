"""The cluster as an operator sees it: what runs twice, what is not as it should be."""

from __future__ import annotations

from typing import Any

from lab.cluster import Cluster
from lab.nodes import NodeError
from lab.plan import load
from lab.waiting import wait_until

TINY = load("tiny")


def seen(number: int = 1, *, served: bool = True, state: str = "running") -> dict[str, Any]:
    return {"number": number, "state": state, "healthy": state == "running", "served": served}


class Hosts:
    """Hosts that say what they are told to say; one that is not named says nothing."""

    def __init__(self, said: dict[str, dict[str, Any]]) -> None:
        self.said = said

    def ask(self, host: str, program: str, line: str = "status") -> dict[str, Any]:
        assert (program, line) == ("hypervisor", "status")
        if host not in self.said:
            raise NodeError(f"{host} is off")
        return {"servers": self.said[host]}


def cluster(said: dict[str, dict[str, Any]]) -> Cluster:
    return Cluster(TINY, Hosts(said))  # type: ignore[arg-type]  # as much of them as it uses


WHOLE = {"esx-11": {"dopasoins-1": seen()}, "esx-21": {"dopasoins-2": seen(), "imagerie": seen()}}


def test_servers_that_run_once_are_well() -> None:
    found = cluster(WHOLE)
    assert found.is_settled()
    assert list(found.twice()) == []
    assert found.where("imagerie") == "esx-21"


def test_a_server_that_the_storage_serves_on_two_hosts_is_there_twice() -> None:
    found = cluster({**WHOLE, "esx-11": {**WHOLE["esx-11"], "imagerie": seen(2)}})
    assert list(found.twice()) == ["imagerie may write on esx-11 (session 2) and on esx-21 (session 1)"]
    assert not found.is_settled()


def test_a_ghost_that_nothing_serves_is_not_there_twice() -> None:
    ghost = {**WHOLE["esx-21"], "imagerie": seen(served=False)}
    found = cluster({"esx-11": {**WHOLE["esx-11"], "imagerie": seen(2)}, "esx-21": ghost})
    assert list(found.twice()) == []
    assert found.where("imagerie") == "esx-11", "the newest session"


def test_whoever_looks_while_something_breaks_forgets_nothing() -> None:
    hosts = Hosts(WHOLE)
    looked = Cluster(TINY, hosts)  # type: ignore[arg-type]  # as above
    with looked.watched() as twice:
        hosts.said = {**WHOLE, "esx-11": {"imagerie": seen(2)}}
        wait_until(lambda: bool(twice), within=5, because="nobody looked")
        hosts.said = {}
    assert twice == {"imagerie may write on esx-11 (session 2) and on esx-21 (session 1)"}
