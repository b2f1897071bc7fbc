"""Programs of nodes that are killed or stopped one by one, and what has become of them."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING

from lab.journal import Harm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.journal import Journal
    from lab.nodes import Containers


class Programs:
    """Strikes processes of nodes, and tells about them by the key that they were struck with."""

    def __init__(self, nodes: Containers, journal: Journal) -> None:
        self._nodes = nodes
        self._journal = journal
        self._struck: dict[str, tuple[str, list[int]]] = {}

    def processes(self, node: str, pattern: str) -> list[int]:
        """The processes of a node whose command line matches a pattern, as the node counts them."""
        return [int(pid) for pid in self._nodes.run(node, "pgrep", "-f", pattern).output.split() if pid.isdecimal()]

    def processes_of_server(self, node: str, server: str) -> list[int]:
        """All processes of a server on a node."""
        found: list[int] = json.loads(
            self._nodes.run(node, "python3", "-m", "replica.hypervisor.census", server).output
        )
        return found

    def kill(self, key: str, node: str, pids: list[int]) -> None:
        """End processes of a node, at once; `alive` tells about them by this key."""
        self._struck[key] = node, pids
        self._signal("KILL", node, pids)

    def end(self, key: str, node: str, pids: list[int]) -> None:
        """Ask processes of a node to end; `alive` tells about them by this key."""
        self._struck[key] = node, pids
        self._signal("TERM", node, pids)

    def stall(self, key: str, node: str, pids: list[int]) -> None:
        """Stop processes of a node where they are."""
        self._struck[key] = node, pids
        self._journal.add(Harm.STALLED, [f"{node}:{pid}" for pid in pids])
        self._signal("STOP", node, pids)

    def resume(self, key: str) -> None:
        """Let processes run on, those that are still there."""
        node, pids = self._struck.pop(key, ("", []))
        self.unstall(f"{node}:{pid}" for pid in pids)

    def unstall(self, names: Iterable[str]) -> None:
        """Let stalled processes, written `node:pid`, run on."""
        stalled = sorted(self._journal.open(Harm.STALLED) & set(names))
        for node, group in groupby(stalled, key=lambda name: name.partition(":")[0]):
            if self._nodes.is_on(node):
                self._signal("CONT", node, [int(name.partition(":")[2]) for name in group])
        self._journal.strike(Harm.STALLED, stalled)

    def forget(self, key: str) -> None:
        """Ask no more about the processes of this key."""
        self._struck.pop(key, None)

    def alive(self, key: str) -> tuple[int, list[int]]:
        """How many processes were struck by this key, and which of them live."""
        return self._look(key, "")

    def running(self, key: str) -> tuple[int, list[int]]:
        """How many processes were struck by this key, and which of them neither stand still nor have ended."""
        return self._look(key, "T")

    def _look(self, key: str, harmless: str) -> tuple[int, list[int]]:
        node, pids = self._struck.get(key, ("", []))
        if not pids or not self._nodes.is_on(node):
            return len(pids), []
        shown = self._nodes.run(node, "ps", "-o", "pid=,stat=", "-p", ",".join(map(str, pids))).output
        states = [line.split() for line in shown.splitlines()]
        return len(pids), [int(pid) for pid, state in states if state[0] not in f"Z{harmless}"]

    def _signal(self, name: str, node: str, pids: list[int]) -> None:
        if pids:
            self._nodes.run(node, "kill", f"-{name}", *map(str, pids))
