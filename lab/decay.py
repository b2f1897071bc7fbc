"""Data that rots on one array without a word, and is mended from the other copy; journalled like every lever."""

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
            said = ["no virtualiser is active"]
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
            active = next(name for name in self._nodes.nodes if self._status(name).get("active"))
            found = self._nodes.ask(active, "virtualiser", f"verify {volume} repair={array}", within=_COMPARED_WITHIN)
        except (NodeError, StopIteration) as error:
            said.append(str(error) or said[0])
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

    def _status(self, node: str) -> dict[str, Any]:
        with suppress(NodeError):
            return self._nodes.ask(node, "virtualiser")
        return {}
