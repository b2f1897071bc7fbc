"""Nodes that live on and cannot breathe: no processor, memory or disk to speak of; journalled like every lever."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lab.errors import NotAvailableError
from lab.journal import Harm
from lab.nodes import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.journal import Journal
    from lab.nodes import Containers

_DISK = "/srv/{}/disk"
_FILLER = "bascule-filler"
_EATS = "tail", "/dev/zero"  # the last line of what has no end: it keeps all of it
# It comes back where the kernel kills whoever is most greedy, and offers itself for that.
_GLUTTON = "sh", "-c", f"echo 1000 > /proc/self/oom_score_adj; while :; do {' '.join(_EATS)}; done"
# Unwritten space: nothing travels to the arrays, and all of it is taken, the file system's own reserve included.
_FILL = """
cd {folder} && touch {file} && for size in $(df --output=avail -B1 . | tail -1) 16M 1M 64K 4K; do
    while fallocate -o $(stat -c %s {file}) -l $size {file} 2>/dev/null; do :; done
done; df --output=avail -B1 . | tail -1
"""


class Straits:
    """Narrow and widen. Every verb may be called twice; widening what is wide does nothing."""

    def __init__(self, nodes: Containers, journal: Journal) -> None:
        self._nodes = nodes
        self._journal = journal
        self._refused: dict[str, int] = {}

    # -- processor --------------------------------------------------------------------------------------------------

    def starve(self, nodes: Iterable[str], share: float) -> None:
        """Leave nodes so much of one processor.

        Raises:
            NotAvailableError: this kernel limits no processor.
        """
        names = [name for name in nodes if name in self._nodes.nodes]
        self._journal.add(Harm.STARVED, names)
        for name in names:
            try:
                self._nodes.processor(name).allow(share)
            except OSError as error:
                raise NotAvailableError(
                    f"the processor of {name} cannot be limited on this machine: {error}"
                ) from error

    def feed(self, nodes: Iterable[str]) -> None:
        """Give nodes all they want; one that booted meanwhile has it already."""
        names = sorted(self._journal.open(Harm.STARVED) & set(nodes))
        for name in names:
            if self._nodes.is_on(name):
                self._nodes.processor(name).allow(None)
        self._journal.strike(Harm.STARVED, names)

    def allowed(self, node: str) -> float | None:
        """The share of one processor that a node may use; None is all."""
        return self._nodes.processor(node).allowed()

    def held_back(self, node: str) -> int:
        """How often a node wanted more."""
        return self._nodes.processor(node).held_back()

    # -- memory -----------------------------------------------------------------------------------------------------

    def squeeze(self, nodes: Iterable[str], spare: int) -> None:
        """Leave nodes what they use now and so many bytes, which a program takes at once: it asks for ever more.

        Raises:
            NotAvailableError: this kernel limits no memory.
        """
        names = [name for name in nodes if name in self._nodes.nodes]
        self._journal.add(Harm.SQUEEZED, names)
        for name in names:
            memory = self._nodes.memory(name)
            self._refused[name] = memory.refused()
            try:
                memory.allow(memory.used() + spare)
            except OSError as error:
                raise NotAvailableError(f"the memory of {name} cannot be limited on this machine: {error}") from error
            self._nodes.run(name, "sh", "-c", f"setsid {shlex.join(_GLUTTON)} >/dev/null 2>&1 </dev/null &")

    def relax(self, nodes: Iterable[str]) -> None:
        """Give nodes all they want; one that booted meanwhile has it already."""
        names = sorted(self._journal.open(Harm.SQUEEZED) & set(nodes))
        for name in names:
            if self._nodes.is_on(name):
                memory = self._nodes.memory(name)
                for command in (_GLUTTON, _EATS):
                    memory.end(*command)
                memory.allow(None)
        self._journal.strike(Harm.SQUEEZED, names)

    def memory_of(self, node: str) -> tuple[int | None, int]:
        """Bytes that a node may use (None is all), and how often it reached that since it was squeezed."""
        memory = self._nodes.memory(node)
        return memory.allowed(), memory.refused() - self._refused.get(node, 0)

    # -- disk -------------------------------------------------------------------------------------------------------

    def fill(self, server: str) -> None:
        """Leave a server's disk no space.

        Raises:
            NodeError: the server does not run, or its disk could not be filled.
        """
        self._journal.add(Harm.FILLED, [server])
        left = self.inside(server, _FILL.format(folder="{disk}", file=_FILLER))
        if not left.isdecimal():
            raise NodeError(f"the disk of {server} could not be filled: {left}")

    def empty(self, servers: Iterable[str]) -> None:
        """Give servers' disks their space back.

        Raises:
            NodeError: one does not run, so that nobody can reach its disk: it stays in the journal.
        """
        for server in sorted(self._journal.open(Harm.FILLED) & set(servers)):
            self.inside(server, f"rm -f {{disk}}/{_FILLER}")
            self._journal.strike(Harm.FILLED, [server])

    def space(self, server: str) -> int:
        """Bytes that a server's disk has left.

        Raises:
            NodeError: the server does not run.
        """
        return int(self.inside(server, 'left=$(df --output=avail -B1 {disk}) && echo "$left" | tail -1'))

    def inside(self, server: str, script: str) -> str:
        """Run a script where the server's disk is mounted: only there, in the mount namespace of its program.

        Args:
            server: whose.
            script: of a shell; `{disk}` in it is where the disk is mounted.

        Raises:
            NodeError: the server does not run, or the script failed.
        """
        node, pid = self._program(server)
        told = script.replace("{disk}", _DISK.format(server))
        ran = self._nodes.run(node, "nsenter", "-m", "-t", pid, "sh", "-c", told)
        if ran.status:
            raise NodeError(f"the disk of {server} cannot be reached: {ran.output.strip()[-300:]}")
        return ran.output.strip()

    def _program(self, server: str) -> tuple[str, str]:
        """The node that carries the server now, and the process there that has its disk."""
        pattern = f"^[^ ]*python3 -m replica[.a-z]* /run/bascule/{server}.json"
        look = f"pid=$(pgrep -o -f '{pattern}') && grep -q ' {_DISK.format(server)} ' /proc/$pid/mounts && echo $pid"
        for node in self._nodes.nodes:
            if self._nodes.is_on(node) and not self._nodes.is_frozen(node):
                ran = self._nodes.run(node, "sh", "-c", look)
                if not ran.status:
                    return node, ran.output.strip()
        raise NodeError(f"{server} runs on no node with a disk of its own: nobody can reach that disk")
