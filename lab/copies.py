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
_SERVING, _OUTSIDE = "serving", "outside"


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

    def take_in(self, volume: str) -> None:
        """Let the virtualisers serve a stand-alone volume, and wait until it has its second copy in sync.

        Raises:
            WaitedInVainError: no virtualiser takes the order, or the second copy is not in sync.
        """
        self._journal.add(Harm.TAKEN_IN, [volume])
        self._until_phase(volume, "take-in", _SERVING)
        wait_until(
            partial(self._is_mirrored, volume),
            within=_COPIED_WITHIN,
            because=f"the copies of {volume} are not all in sync",
            every=0.1,
        )

    def let_go(self, volumes: Iterable[str]) -> None:
        """Leave volumes that were stand-alone to their arrays again.

        Raises:
            WaitedInVainError: no virtualiser lets one go, or its array does not present it.
        """
        for volume in sorted(self._journal.open(Harm.TAKEN_IN) & set(volumes)):
            found = self._until_phase(volume, "let-go", _OUTSIDE)
            array, order = found["alone"], f"present {volume} {found['newest']}"
            wait_until(
                partial(self._obeys, array, order),
                within=_ORDERED_WITHIN,
                because=f"{array} does not present {volume} to the hosts",
                every=0.1,
            )
            self._journal.strike(Harm.TAKEN_IN, [volume])

    def is_mirrored(self, volume: str) -> bool:
        """Whether a virtualiser serves it, from two copies in sync.

        Raises:
            NodeError: no virtualiser is active.
        """
        found = self._volumes()[volume]
        return (
            found["phase"] == _SERVING
            and len(found["copies"]) > 1
            and all(copy["in_sync"] for copy in found["copies"].values())
        )

    def _is_mirrored(self, volume: str) -> bool:
        try:
            return self.is_mirrored(volume)
        except NodeError:  # the lease changes hands
            return False

    def _until_phase(self, volume: str, order: str, phase: str) -> dict[str, Any]:
        """Give an order until the volume is in this phase; what the active virtualiser says of it then."""
        said, found = ["no virtualiser is active"], dict[str, Any]()

        def done() -> bool:
            try:
                found.update(self._volumes()[volume])
                if found["phase"] != phase:
                    tell_active(self._nodes, f"{order} {volume}")
            except NodeError as error:
                said.append(str(error))
                return False
            return bool(found["phase"] == phase)

        wait_until(done, within=_ORDERED_WITHIN, because=lambda: said[-1], every=0.1)
        return found

    def _obeys(self, array: str, order: str) -> bool:
        try:
            self._nodes.ask(array, "array", order)
        except NodeError:  # it boots, or a virtualiser's session has not ended yet
            return False
        return True

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

    def bare(self) -> dict[str, float]:
        """By volume and epoch, the seconds for which fewer than two copies were in sync; empty when nobody says."""
        try:
            said = tell_active(self._nodes, "status")
        except NodeError:
            return {}
        return {f"{name}@{said['epoch']}": volume["bare_s"] for name, volume in said["volumes"].items()}

    def serves(self, array: str, volume: str) -> bool:
        """Whether an array serves a volume to a host by itself.

        Raises:
            NodeError: it does not answer.
        """
        sessions = self._nodes.ask(array, "array")["sessions"]
        return any(session["volume"] == volume and session["number"] is not None for session in sessions)

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
            if not all(volume["phase"] in {_SERVING, _OUTSIDE} for volume in volumes.values()):
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
