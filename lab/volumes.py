"""What is done to volumes: data that rots on one copy, hosts that may not see one; journalled like every lever."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.journal import Harm
from lab.nodes import NodeError
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.journal import Journal
    from lab.nodes import Containers
    from lab.straits import Straits

_ACTIVE_WITHIN = 30.0  # seconds for a virtualiser to serve, and to be heard by the arbiters
_WHOLE_WITHIN = 90.0  # seconds until the copies can be compared again: a room that was dark boots, and copies
_COMPARED_WITHIN = 120.0  # seconds; a volume of 2 GiB is read from both arrays
_COPIED_WITHIN = 30.0
_BLOCK = 4096
_EXTENT = re.compile(r"^\s*\d+:\s*\d+\.\.\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+):", re.MULTILINE)


class Decay:
    """Let data rot, and mend it. Every verb may be called twice; mending what is sound does nothing."""

    def __init__(self, nodes: Containers, journal: Journal, straits: Straits) -> None:
        self._nodes = nodes
        self._journal = journal
        self._straits = straits
        self._found: dict[str, int] = {}

    def spread(self, array: str, volume: str, grains: int, seed: int) -> None:
        """Turn a byte in each of so many grains of an array's copy, which the array chooses among the written ones."""
        self._order(array, volume, f"decay {volume} {grains} {seed}")

    def strike(self, array: str, volume: str, offsets: Iterable[int]) -> None:
        """Turn these bytes of an array's copy."""
        self._order(array, volume, f"rot {volume} {' '.join(map(str, offsets))}")

    def _order(self, array: str, volume: str, order: str) -> None:
        self._journal.add(Harm.ROTTEN, [f"{array}:{volume}"])
        self._found.pop(f"{array}:{volume}", None)
        self._nodes.ask(array, "array", order)

    def left(self, array: str, volume: str) -> int:
        """How many of the turned bytes nobody has written over; an array that was off since has forgotten to count.

        Raises:
            NodeError: the array does not answer.
        """
        rotten = self._nodes.ask(array, "array")["mischief"]["rotten"]
        return sum(place[0] == volume for place in rotten)

    def refused_pages(self, host: str, server: str) -> int:
        """How often the database of a server found a page whose checksum is wrong, in all its lives on a host.

        Raises:
            NodeError: the host runs no command.
        """
        ran = self._nodes.run(host, "grep", "-c", "page corruption on disk", f"/srv/{server}/logs/mariadb.log")
        return int(ran.output) if ran.output.strip().isdecimal() else 0

    def blocks_of(self, server: str, file: str) -> list[int]:
        """Offsets on a server's volume of the blocks of one of its files.

        Args:
            server: which runs.
            file: path below its disk.

        Raises:
            NodeError: the server does not run, or has no such file.
        """
        told = self._straits.inside(server, f"sync {{disk}}/{file} && filefrag -b{_BLOCK} -v {{disk}}/{file}")
        extents = [(int(first), int(length)) for first, length in _EXTENT.findall(told)]
        if not extents:
            raise NodeError(f"the blocks of {file} of {server} are not known: {told[-300:]}")
        return [(first + at) * _BLOCK for first, length in extents for at in range(length)]

    def mend(self, names: Iterable[str]) -> None:
        """Compare the copies of volumes and give `ARRAY:VOLUME` the other's grains where they differ.

        Raises:
            WaitedInVainError: the copies cannot be compared.
        """
        for name in sorted(self._journal.open(Harm.ROTTEN) & set(names)):
            array, _, volume = name.partition(":")
            said = [""]
            wait_until(
                partial(self._repaired, array, volume, said),
                within=_WHOLE_WITHIN,
                because=lambda name=name, said=said: f"{name} cannot be mended: {said[-1]}",  # type: ignore[misc]
                every=0.2,
            )
            wait_until(
                partial(self._is_sound, array, volume), within=_COPIED_WITHIN, because=f"{name} is not copied anew"
            )
            self._journal.strike(Harm.ROTTEN, [name])

    def _repaired(self, array: str, volume: str, said: list[str]) -> bool:
        try:
            found = tell_active(self._nodes, f"verify {volume} repair={array}", within=_COMPARED_WITHIN)
        except NodeError as error:
            said.append(str(error))
            return False
        self._found[f"{array}:{volume}"] = found["differ"]
        return True

    def found(self, array: str, volume: str) -> int | None:
        """How many grains the comparison that mended it found to differ; None: it was not mended yet."""
        return self._found.get(f"{array}:{volume}")

    def _is_sound(self, array: str, volume: str) -> bool:
        with suppress(NodeError):
            return not self.left(array, volume)
        return False


class Masking:
    """Which hosts may see a volume, as a storage administrator says it to the virtualisers. May be called twice."""

    def __init__(self, nodes: Containers, journal: Journal) -> None:
        self._nodes = nodes
        self._journal = journal

    def take(self, volume: str, hosts: Iterable[str]) -> None:
        """Take a volume away from hosts: their paths to it are told that it is gone for good.

        Raises:
            WaitedInVainError: no virtualiser is active.
        """
        for host in hosts:
            self._journal.add(Harm.WITHHELD, [f"{volume}@{host}"])
            self._tell(f"withhold {volume} {host}")

    def give(self, names: Iterable[str]) -> None:
        """Let hosts see volumes again, each named `VOLUME@HOST`.

        Raises:
            WaitedInVainError: no virtualiser is active.
        """
        for name in sorted(self._journal.open(Harm.WITHHELD) & set(names)):
            volume, _, host = name.partition("@")
            self._tell(f"grant {volume} {host}")
            self._journal.strike(Harm.WITHHELD, [name])

    def without(self, volume: str) -> frozenset[str]:
        """The hosts that may not see a volume, as the active virtualiser says.

        Raises:
            NodeError: none is active.
        """
        return frozenset(tell_active(self._nodes, "status")["withheld"].get(volume, ()))

    def is_served(self, volume: str, host: str) -> bool:
        """Whether a path on a host is served with a volume."""
        with suppress(NodeError):
            return bool(self._nodes.ask(host, f"path-{volume}")["node"])
        return False

    def _tell(self, order: str) -> None:
        said = [""]

        def done() -> bool:
            try:
                tell_active(self._nodes, order)
            except NodeError as error:
                said.append(str(error))
                return False
            return True

        wait_until(done, within=_ACTIVE_WITHIN, because=lambda: said[-1], every=0.1)


def tell_active(nodes: Containers, line: str, within: float = 2.0) -> dict[str, Any]:
    """Tell the active virtualiser something; returns its answer.

    Raises:
        NodeError: none is active, or it refuses.
    """
    for name in nodes.nodes:
        with suppress(NodeError):
            if nodes.ask(name, "virtualiser").get("active"):
                break
    else:
        raise NodeError("no virtualiser is active")
    return nodes.ask(name, "virtualiser", line, within=within)
