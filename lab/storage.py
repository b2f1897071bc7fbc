"""The mirrored storage as an operator sees it: copies, lease, sessions, paths; and whether the copies are the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import LabError, NotMet
from lab.nodes import NodeError
from lab.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.nodes import Containers
    from lab.plan import Plan

_LATE = 2.5  # intervals: a copy that is older was not followed by the next one
_IN_ORDER = frozenset({"serving", "outside"})
_VERIFY_WITHIN = 120.0  # seconds; a volume of 2 GiB is read from both arrays


@dataclass(frozen=True)
class Compared:
    """What comparing the copies of one volume gave.

    Args:
        volume: which.
        grains: of 64 KiB, how many were compared.
        differ: how many of them differ.
        differing: the first of these.
        frozen: seconds for which writes were held at most, at a time.
    """

    volume: str
    grains: int
    differ: int
    differing: tuple[int, ...]
    frozen: float

    def __str__(self) -> str:
        if not self.differ:
            held = f"writes held for {self.frozen:.2f} s at a time"
            return f"{self.volume}: both copies are the same ({self.grains} grains, {held})"
        return f"{self.volume}: {self.differ} of {self.grains} grains differ, the first: {self._first}"

    @property
    def in_french(self) -> str:
        """Where the copies differ, as a report says it."""
        return f"{self.volume} : {self.differ} grains sur {self.grains} diffèrent, les premiers : {self._first}"

    @property
    def _first(self) -> str:
        return ", ".join(str(grain) for grain in self.differing[:5])


@dataclass(frozen=True)
class Verification:
    """What comparing the copies of every volume gave."""

    volumes: tuple[Compared, ...]

    @property
    def identical(self) -> bool:
        """Whether no grain differs."""
        return not any(volume.differ for volume in self.volumes)

    def require(self) -> None:
        """Insist on it.

        Raises:
            NotMet: the copies of a volume differ; the sentence says where.
        """
        if not self.identical:
            wrong = [volume for volume in self.volumes if volume.differ]
            raise NotMet("; ".join(map(str, wrong)), " ; ".join(volume.in_french for volume in wrong))


class Storage:
    """The storage of a lab."""

    def __init__(self, plan: Plan, nodes: Containers, placement: Callable[[], Mapping[str, str]]) -> None:
        self._plan = plan
        self._nodes = nodes
        self._placement = placement
        self._virtualisers = [node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]
        self.arrays = [node.name for node in plan.nodes.values() if node.kind is NodeKind.ARRAY]

    def status(self) -> dict[str, Any]:
        """What each virtualiser, array and path says of itself; None for one that says nothing."""
        hosts = self._placement()
        paths = {
            name: (hosts[name], f"path-{name}")
            for name, volume in self._plan.volumes.items()
            if volume.size and name in hosts
        }
        return {
            "virtualisers": {name: self._ask(name, "virtualiser") for name in self._virtualisers},
            "arrays": {name: self._ask(name, "array") for name in self.arrays},
            "paths": {name: self._ask(host, program) for name, (host, program) in paths.items()},
        }

    @property
    def active(self) -> str | None:
        """The virtualiser node that serves, if one does."""
        return next((name for name in self._virtualisers if (self._ask(name, "virtualiser") or {}).get("active")), None)

    def answers(self, virtualiser: str) -> bool:
        """Whether this virtualiser says anything, active or not."""
        return self._ask(virtualiser, "virtualiser") is not None

    def serves(self, virtualiser: str) -> bool:
        """Whether this virtualiser is active and serves every volume."""
        said = self._ask(virtualiser, "virtualiser") or {}
        phases = [volume["phase"] for volume in said.get("volumes", {}).values()]
        return bool(said.get("active")) and bool(phases) and all(phase in _IN_ORDER for phase in phases)

    def replicate(self, array: str, order: str) -> None:
        """Tell an array its part in a replication: `source`, `target`, `stop` or `now`.

        Raises:
            NodeError: it does not answer, or refuses.
        """
        self._nodes.ask(array, "array", f"replicate {order}")

    def copying(self, array: str) -> dict[str, Any] | None:
        """What an array says of its part in a replication; None when it does not answer, or has none."""
        found: dict[str, Any] | None = (self._ask(array, "array") or {}).get("replication")
        return found

    def copied_ns(self, array: str) -> int:
        """Of which instant (monotonic ns) the last complete copy is that an array has sent or received; 0: of none."""
        return int((self.copying(array) or {}).get("at", 0))

    def _copies(self) -> Iterator[str]:
        """What is not as it should be in a replication."""
        told = self._plan.storage.replication
        if told is None:
            return
        for array in self.arrays:
            said = self.copying(array)
            role = "source" if self._plan.nodes[array].place == self._plan.preferred_room else "target"
            if said is None:
                yield f"array {array} does not answer"
            elif said["role"] != role:
                yield f"array {array} is {said['role']} of the replication, and should be {role}"
            elif not said["at"]:
                yield f"array {array} has no complete copy ({said['trouble'] or 'it is on its way'})"
            elif time.monotonic_ns() - said["at"] > _LATE * told.every.total_seconds() / self._plan.time_scale * 1e9:
                yield f"array {array}: the last complete copy is too old ({said['trouble'] or 'it is on its way'})"

    def ailments(self) -> Iterator[str]:
        """What is not as it should be, in sentences."""
        if not self._virtualisers:
            return
        said = {name: self._ask(name, "virtualiser") for name in self._virtualisers}
        yield from (f"virtualiser {name} does not answer" for name, answer in said.items() if answer is None)
        active = next((answer for answer in said.values() if answer and answer["active"]), None)
        if active is None:
            yield "no virtualiser is active"
            return
        if self._plan.nodes[active["node"]].place != self._plan.preferred_room:
            yield f"{active['node']} serves the volumes, which belong to {self._plan.preferred_room}"
        yield from self._copies()
        for name, volume in active["volumes"].items():
            yield from self._standalone(name, volume) if self._plan.volumes[name].alone else self._mirror(name, volume)
            yield from (f"volume {name}: taken away from {host}" for host in active["withheld"].get(name, ()))

    def _mirror(self, name: str, volume: dict[str, Any]) -> Iterator[str]:
        for copy, state in volume["copies"].items():
            if copy not in self._plan.volumes[name].copies:
                yield f"volume {name}: has a copy on {copy}, which the plan does not give it"
            if not state["in_sync"]:
                yield f"volume {name}: its copy on {copy} is not in sync ({state['reason'] or 'resync'})"
        if not volume["session"]:
            yield f"volume {name}: no host has it open"

    def _standalone(self, name: str, volume: dict[str, Any]) -> Iterator[str]:
        array = str(self._plan.volumes[name].alone)
        if volume["phase"] != "outside":
            yield f"volume {name}: not stand-alone on {array}, as the plan has it"
        sessions = (self._ask(array, "array") or {}).get("sessions", ())
        if not any(session["volume"] == name and session["number"] for session in sessions):
            yield f"volume {name}: no host has it open on {array}"

    def verify(self, *volumes: str) -> Verification:
        """Freeze each volume in turn, compare its grains on both arrays, thaw; by default all that are mirrored.

        Raises:
            LabError: no virtualiser is active, or a copy is not in sync.
        """
        active = self.active
        if active is None:
            raise LabError("no virtualiser is active: there is nothing to compare")
        chosen = volumes or tuple(self._mirrored(active))
        if not chosen and any(volume.size for volume in self._plan.volumes.values()):
            raise LabError("every volume is stand-alone: there is nothing to compare")
        return Verification(tuple(self._compared(active, name) for name in chosen))

    def _mirrored(self, active: str) -> Iterator[str]:
        """The volumes that are served by a virtualiser."""
        served = self._nodes.ask(active, "virtualiser")["volumes"]
        return (
            name for name, volume in self._plan.volumes.items() if volume.size and served[name]["phase"] != "outside"
        )

    def _compared(self, active: str, volume: str) -> Compared:
        found = self._nodes.ask(active, "virtualiser", f"verify {volume}", within=_VERIFY_WITHIN)
        return Compared(volume, found["grains"], found["differ"], tuple(found["differing"]), found["frozen_s"])

    def _ask(self, node: str, program: str) -> dict[str, Any] | None:
        try:
            return self._nodes.ask(node, program)
        except NodeError:
            return None
