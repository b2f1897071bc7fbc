"""Nodes and servers as pytest-testinfra sees them, through the private engine's own exec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.nodes.containers import Containers


class NodeBackend(BaseBackend):  # type: ignore[misc]  # testinfra is published without types
    """Runs testinfra's commands in a node, or in the network namespace of a server that it carries.

    Not `docker://`: its command line would ask the machine's engine, and the lab's is private.
    """

    NAME = "bascule"

    def __init__(self, nodes: Containers, node: str, server: str | None = None) -> None:
        self._nodes = nodes
        self._node = node
        self._prefix = ("ip", "netns", "exec", server) if server else ()
        super().__init__(server or node)

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:  # noqa: ANN401 - testinfra's own signature
        """Run a shell command there.

        Raises:
            NodeError: the node is off.
        """
        line = self.get_command(command, *args)
        done = self._nodes.execute(self._node, *self._prefix, "/bin/sh", "-c", line)
        return self.result(done.status, line.encode(), done.stdout, done.stderr)


def host(nodes: Containers, name: str, placement: Mapping[str, str]) -> Host:
    """The node or server of that name.

    A server shares its host's file system, process table and packages; addresses, interfaces and sockets are its own.

    Raises:
        LabError: nothing that runs is called so; the sentence lists what is.
    """
    if name in nodes.nodes:
        return Host(NodeBackend(nodes, name))
    if name in placement:
        return Host(NodeBackend(nodes, placement[name], name))
    known = ", ".join(sorted([*nodes.nodes, *placement]))
    raise LabError(f"no node or server that runs in this lab is called {name!r}; known: {known}")
