"""The cluster as an operator sees it: which server runs where, who is master, what is not as it should be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lab.nodes import NodeError
from lab.plan import Continuity, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.nodes import Containers
    from lab.plan import Plan

_EVERY = 0.25  # seconds between two looks at what runs where
_RANK = {"failed": 0, "hung": 1, "starting": 2, "booting": 3, "running": 4}


@dataclass(frozen=True)
class Running:
    """A server as a host's hypervisor reads it from its system."""

    server: str
    host: str
    number: int
    state: str
    healthy: bool


class Cluster:
    """The cluster of a lab."""

    def __init__(self, plan: Plan, nodes: Containers) -> None:
        self._plan = plan
        self._nodes = nodes
        self.hosts = [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]

    def hypervisors(self) -> dict[str, dict[str, Any] | None]:
        """What each host's hypervisor says; None for one that says nothing."""
        with ThreadPoolExecutor(len(self.hosts) or 1) as pool:
            said = pool.map(lambda host: self._ask(host, "hypervisor"), self.hosts)
        return dict(zip(self.hosts, said, strict=True))

    def agents(self) -> dict[str, dict[str, Any] | None]:
        """What each host's agent says; None for one that says nothing."""
        return {host: self._ask(host, "agent") for host in self.hosts}

    def running(self) -> list[Running]:
        """Every server on every host that answers, as read from its system; one in two places is there twice."""
        return [
            Running(name, host, about["number"], about["state"], about["healthy"])
            for host, said in self.hypervisors().items()
            for name, about in (said or {}).get("servers", {}).items()
        ]

    def placement(self) -> dict[str, str]:
        """The host of each server that is somewhere: of several the newest session, of equals the liveliest."""
        found = sorted(self.running(), key=lambda one: (one.number, _RANK[one.state]))
        return {one.server: one.host for one in found}

    def where(self, server: str) -> str | None:
        """The host of a server; None when it is nowhere."""
        return self.placement().get(server)

    def host_of(self, server: str) -> str:
        """The host of a server.

        Raises:
            LabError: it runs nowhere.
        """
        host = self.where(server)
        if host is None:
            raise LabError(f"server {server} runs on no host that answers")
        return host

    @property
    def master(self) -> str | None:
        """The host that decides, as the agents say; None when none of them knows of one."""
        newest = self._record()
        return str(newest["master"]) if newest else None

    def in_maintenance(self) -> frozenset[str]:
        """Hosts that are given no servers, and give theirs away."""
        newest = self._record()
        return frozenset(newest["maintenance"]) if newest else frozenset()

    def stopped(self) -> frozenset[str]:
        """Servers that are to run nowhere until somebody orders it, or that were given up."""
        newest = self._record()
        servers = newest["servers"] if newest else {}
        return frozenset(name for name, one in servers.items() if one["given_up"])

    def _record(self) -> dict[str, Any] | None:
        views = [said["record"] for said in self.agents().values() if said and said.get("record")]
        return max(views, key=lambda record: int(record["term"]), default=None)

    def events(self) -> list[dict[str, Any]]:
        """What the agents of the hosts that answer have noted: `{"at": monotonic ns, "kind": …, "detail": …}`."""
        found: list[dict[str, Any]] = []
        for host in self.hosts:
            with suppress(NodeError):
                found += self._nodes.ask(host, "agent", "events")["events"]
        return found

    def twice(self) -> Iterator[str]:
        """Servers that run on two hosts and may write on both, in sentences; a ghost that nothing serves is none."""
        able: dict[str, list[str]] = {}
        for host, said in self.hypervisors().items():
            for name, about in (said or {}).get("servers", {}).items():
                if about["served"] if self._plan.volumes[name].copies else about["state"] == "running":
                    able.setdefault(name, []).append(f"{host} (session {about['number']})")
        yield from (f"{name} may write on {' and on '.join(hosts)}" for name, hosts in able.items() if len(hosts) > 1)

    @contextmanager
    def watched(self) -> Iterator[set[str]]:
        """Look at the hosts while the body runs; what was ever there twice is in the set at the end."""
        found: set[str] = set()
        over = Event()

        def look() -> None:
            while not over.wait(_EVERY):
                found.update(self.twice())

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            try:
                yield found
            finally:
                over.set()
                looking.result()

    def order(self, line: str) -> None:
        """Give the cluster an order, as an operator would.

        Args:
            line: `move SERVER HOST`, `start SERVER [ROOM]`, `stop SERVER`, `maintenance HOST` or `service HOST`.

        Raises:
            LabError: no agent takes it.
        """
        refused = ""
        for host in self.hosts:
            try:
                self._nodes.ask(host, "agent", line)
            except NodeError as error:
                refused = str(error)
                continue
            return
        raise LabError(f"no agent takes the order {line!r}: {refused}")

    def ailments(self) -> Iterator[str]:
        """What is not as it should be, in sentences."""
        if not self.hosts:
            return
        agents = self.agents()
        yield from (f"the agent of {host} does not answer" for host, said in agents.items() if said is None)
        masters = [host for host, said in agents.items() if said and said["is_master"]]
        if len(masters) != 1:
            yield f"{len(masters)} hosts call themselves master of the cluster"
        yield from self._troubles()
        yield from self._strays()

    def is_settled(self) -> bool:
        """Whether every server runs in one place, and serves."""
        return not any(True for _ in self._troubles())

    def _troubles(self) -> Iterator[str]:
        placed: dict[str, list[Running]] = {}
        for one in self.running():
            placed.setdefault(one.server, []).append(one)
        for name in self._plan.servers:
            yield from self._trouble(name, placed.get(name, []))

    def _trouble(self, name: str, found: list[Running]) -> Iterator[str]:
        match found:
            case []:
                yield f"server {name} runs nowhere"
            case [one]:
                if not one.healthy:
                    yield f"server {name} on {one.host} is {one.state}, not healthy"
            case _:
                yield f"server {name} is on {' and '.join(one.host for one in found)}"

    def _strays(self) -> Iterator[str]:
        """Members of pairs that are not in the room they prefer."""
        for name, host in self.placement().items():
            server = self._plan.servers[name]
            if server.continuity is Continuity.PAIR and server.prefers not in (None, self._plan.nodes[host].place):
                yield f"server {name} is on {host}, not in {server.prefers}"

    def strangers(self) -> dict[str, str]:
        """Lone servers that are not where the plan starts them, with the host where it does."""
        return {
            name: self._plan.host_of(name)
            for name, host in self.placement().items()
            if self._plan.servers[name].continuity is not Continuity.PAIR and host != self._plan.host_of(name)
        }

    def _ask(self, node: str, program: str) -> dict[str, Any] | None:
        try:
            return self._nodes.ask(node, program)
        except NodeError:
            return None
