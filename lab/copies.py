"""What is done to the copies of volumes: a new array takes the place of another; journalled like every lever."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lab.journal import Harm
from lab.nodes import NodeError, successor
from lab.volumes import tell_active
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.journal import Journal
    from lab.nodes import Containers

# Seconds for an order to be on record: a virtualiser takes the lease in 2.6 s, a volume that opens may have to wait for
# an array that boots.
_ORDERED_WITHIN = 30.0
# Seconds for every grain of an array to be read and what was written to be copied. The volumes of `zero`, 4.5 GiB, at
# the least that a busy machine was seen to copy, 60 MiB/s, are done in 75 s.
_COPIED_WITHIN = 180.0
_SERVING = "serving"


class Copies:
    """Let volumes change arrays while they are served. Every verb may be called twice.

    The virtualisers decide when the old copy goes: here the order is given, and looked after.
    """

    def __init__(self, nodes: Containers, journal: Journal) -> None:
        self._nodes = nodes
        self._journal = journal

    def replace(self, array: str) -> None:
        """Give each volume of an array a copy on the new one beside it, and wait until none is on the old one.

        Raises:
            WaitedInVainError: no virtualiser takes the order, or a volume still has its copy on the old array.
        """
        self._journal.add(Harm.REPLACED, [array])
        self._order(array, successor(array))
        wait_until(
            partial(self._is_off, array),
            within=_COPIED_WITHIN,
            because=f"{array} still holds copies: the others are not all in sync",
            every=0.1,
        )

    def restore(self, arrays: Iterable[str]) -> None:
        """Let the volumes go back to the arrays of the plan; the copying goes on when this returns.

        Raises:
            WaitedInVainError: no virtualiser is active, or it refuses.
        """
        for array in sorted(self._journal.open(Harm.REPLACED) & set(arrays)):
            self._order(successor(array), array)
            self._journal.strike(Harm.REPLACED, [array])

    def on(self, array: str) -> list[str]:
        """The volumes that have a copy on an array, in sync or not.

        Raises:
            NodeError: no virtualiser is active.
        """
        return [name for name, volume in self._volumes().items() if array in volume["copies"]]

    def _is_off(self, array: str) -> bool:
        try:
            return not self.on(array)
        except NodeError:  # the lease changes hands
            return False

    def in_sync(self, array: str) -> list[str]:
        """The volumes whose copy on an array is in sync and stays there.

        Raises:
            NodeError: no virtualiser is active.
        """
        return [name for name, volume in self._volumes().items() if _stays(volume, array)]

    def writers(self, array: str) -> int:
        """How many sessions may write to an array.

        Raises:
            NodeError: it does not answer.
        """
        sessions = self._nodes.ask(array, "array")["sessions"]
        return sum(session["epoch"] is not None for session in sessions)

    def _volumes(self) -> dict[str, dict[str, Any]]:
        volumes: dict[str, dict[str, Any]] = tell_active(self._nodes, "status")["volumes"]
        return volumes

    def _order(self, old: str, new: str) -> None:
        said = ["no virtualiser is active"]
        wait_until(partial(self._ordered, old, new, said), within=_ORDERED_WITHIN, because=lambda: said[-1], every=0.1)

    def _ordered(self, old: str, new: str, said: list[str]) -> bool:
        """Whether it is on record for every volume with a copy on the old array that this copy goes."""
        try:
            volumes = self._volumes()
            if not all(volume["phase"] == _SERVING for volume in volumes.values()):
                said.append("a volume is not served")  # where its copies are is what an earlier owner knew of it
                return False
            for name, volume in volumes.items():
                if old in volume["copies"] and not volume["copies"][old]["retiring"]:
                    tell_active(self._nodes, f"replace {name} {old} {new}")
        except NodeError as error:
            said.append(str(error))
            return False
        return bool(volumes)


def _stays(volume: dict[str, Any], array: str) -> bool:
    copy = volume["copies"].get(array)
    return copy is not None and copy["in_sync"] and not copy["retiring"]
