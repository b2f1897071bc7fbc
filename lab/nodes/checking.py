"""What must be true inside each node while the lab is whole, asked in one question a node, all nodes side by side.

Which facts: those that the services' own health does not show, because they matter only once something else has
failed: the standby's keepalived, the arbitrator, the firmware of a doubled node, every wire.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.nodes.asking import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.nodes.containers import Containers

_SIDE_BY_SIDE = 8
_LINKS = "ip -o link show up"
# A server's program ends its last argument with its configuration's name; what it starts names its folder.
_PROCESSES_OF_VOLUME = {
    "path to the volume": ("replica.path", "/path-{}.json"),
    "disk": ("nbdfuse", "/run/disks/{}/"),
}
_PROCESSES_OF_SERVER = {
    "replica.pair.server": {
        "database": ("mariadbd", "/srv/{}/"),
        "virtual address": ("keepalived", "/srv/{}/"),
        "application": ("replica.emr.serve", "/{}.json"),
    },
    "replica.lone.server": {
        "database": ("mariadbd", "/srv/{}/"),
        "application": ("replica.emr.serve", "/{}.json"),
    },
}
_PROCESS_OF_PROGRAM = {
    "replica.pair.arbitrator": ("database arbitrator", "garbd"),
    "replica.arbiter": ("arbiter", "etcd --name"),
    "replica.rescue.server": ("rescue database", "/bin/postgres -D"),
}
HYPERVISOR = "replica.hypervisor"


@dataclass(frozen=True)
class Check:
    """A fact about a node that must hold."""

    node: str
    fact: str
    holds: bool

    def __str__(self) -> str:
        return f"{self.node}: {self.fact}{'' if self.holds else ': no'}"


@dataclass(frozen=True)
class Seen:
    """What a node showed: its commands, and the links that are up in its own network and in each server's."""

    commands: tuple[str, ...]
    links: dict[str, frozenset[str]]


def question(servers: Iterable[str]) -> str:
    """The one shell line that shows what `answer` reads, on a node that carries these servers."""
    servers = list(servers)
    looks = [_LINKS, *(f"ip netns exec {name} {_LINKS}" for name in servers)]
    return "ps -ww -eo args=" + "".join(
        f"; echo '== {name}'; {look}" for name, look in zip(["", *servers], looks, strict=True)
    )


def answer(output: str) -> Seen:
    """What the answer to `question` shows."""
    commands, *parts = output.split("\n== ")
    links = {}
    for part in parts:
        name, *lines = part.split("\n")
        named = (line.split(": ", 2) for line in lines if line)
        links[name.strip()] = frozenset(words[1].split("@")[0] for words in named if "LOWER_UP" in words[2])
    alive = (line for line in commands.split("\n") if not line.endswith("<defunct>"))
    return Seen(tuple(alive), links)


def judge(told: dict[str, Any], seen: Seen, servers: Iterable[str]) -> Iterator[Check]:
    """Hold what a node was told to be, and the servers that it carries, against what it showed."""
    node = told["name"]
    runs = partial(_count, seen.commands)
    for wire in told["wires"]:
        yield Check(node, f"its wire {wire} is lit", wire in seen.links[""])
    firmware = len(told["firmware"])
    if firmware:
        yield Check(node, "its firmware runs", runs("replica.cabled") >= firmware)
    for name in servers:
        server = specification(told, name)
        yield Check(node, f"server {name} is on the network", "eth0" in seen.links.get(name, frozenset()))
        processes = _PROCESSES_OF_SERVER.get(str(server.get("program")), _alone(server))
        if server.get("volume"):
            processes = {**_PROCESSES_OF_VOLUME, **processes}
        for what, (program, mark) in processes.items():
            yield Check(node, f"{what} of {name} runs ({program})", runs(program, mark.format(name)) > 0)
    for item in told["programs"]:
        what, program = _PROCESS_OF_PROGRAM.get(item["program"], (item["program"], item["program"]))
        yield Check(node, f"{what} runs ({program})", runs(program) > 0)


def specification(told: dict[str, Any], server: str) -> dict[str, Any]:
    """What a host was told of a server that it may carry."""
    (hypervisor,) = (item for item in told["programs"] if item["program"] == HYPERVISOR)
    found: dict[str, Any] = hypervisor["config"]["servers"][server]
    return found


def _alone(server: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What runs in a server of which nothing more is known: its program, if it has one."""
    return {"program": (server["program"], "/{}.json")} if server.get("program") else {}


def _count(commands: Iterable[str], program: str, mark: str = "") -> int:
    return sum(program in command and mark in command for command in commands)


def check_nodes(nodes: Containers, names: Iterable[str], placement: Mapping[str, str]) -> list[Check]:
    """Ask nodes, side by side; a node that is off or does not answer fails one check, and no other is known of it.

    Args:
        nodes: the lab's.
        names: those that are asked.
        placement: the host of each server.
    """
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return [check for found in pool.map(partial(_ask, nodes, placement), names) for check in found]


def _ask(nodes: Containers, placement: Mapping[str, str], name: str) -> list[Check]:
    told = json.loads(nodes.specification(name).read_text())
    servers = [server for server, host in placement.items() if host == name]
    try:
        ran = nodes.run(name, "sh", "-c", question(servers))
    except NodeError:
        return [Check(name, "it answers", holds=False)]
    seen = answer(ran.output)
    if "" not in seen.links:  # it died, or booted, in the middle of the answer
        return [Check(name, "it answers", holds=False)]
    return list(judge(told, seen, servers))
