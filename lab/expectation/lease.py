"""Who holds the lease of the storage once something is lost, and why."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause, listed
from lab.expectation.reach import MANAGEMENT, STORAGE
from lab.plan import NodeKind
from lab.plan.storage import of_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.expectation.reach import Reach
    from lab.plan import Plan, Volume


class Lease:
    """Who holds the lease.

    A virtualiser may serve when it reaches a majority of the arbiters, on management, and an array in sync, on
    storage. The holder keeps the lease while it may, whichever hosts it reaches; else the preferred room's takes it,
    else the next.

    Args:
        plan: The plan.
        reach: Who can talk to whom.
        fresh: The arrays that were in sync before.
        holder: The virtualiser that held the lease before.
    """

    def __init__(self, plan: Plan, reach: Reach, fresh: Sequence[str], holder: str | None) -> None:
        self._plan, self._reach, self.fresh = plan, reach, fresh
        nodes = [node.name for node in of_kind(plan, NodeKind.VIRTUALISER)]
        if plan.storage.replication is not None:  # the other room's serves when a human says so, and not before
            nodes = [node for node in nodes if plan.nodes[node].place == plan.preferred_room]
        self._nodes = sorted(nodes, key=lambda node: node != holder)
        self.usual = next(iter(nodes), None)
        self.majority = _majority(plan, reach)

    @cached_property
    def _copies(self) -> list[str]:
        """The arrays that should hold a copy."""
        return arrays_of(self._plan)

    @cached_property
    def active(self) -> str | None:
        """The virtualiser that serves."""
        return next((node for node in self._nodes if self._trouble(node) is None), None)

    @cached_property
    def in_sync(self) -> tuple[str, ...]:
        """The arrays that the active virtualiser reaches."""
        return self._reached(self.active) if self.active else ()

    def _reached(self, node: str) -> tuple[str, ...]:
        return tuple(array for array in self.fresh if self._reach.talk(node, array, STORAGE))

    def _trouble(self, node: str) -> Cause | None:
        """Say why a virtualiser may not serve."""
        if not self._reach.alive(node):
            return Cause(f"{node} is lost", f"{node} est perdu")
        if not any(self._reach.talk(node, voter, MANAGEMENT) for voter in self.majority):
            return Cause(f"{node} reaches no majority of arbiters", f"{node} n'atteint pas de majorité d'arbitres")
        if self.fresh and not self._reached(node):
            return Cause(f"{node} reaches no array in sync", f"{node} n'atteint aucune baie à jour")
        return None

    def why_active(self, active: str) -> Cause:
        """Say why this one serves, and from where."""
        trouble = self._trouble(self.usual) if self.usual else None
        so = Cause(f"{trouble.en}, so that ", f"{trouble.fr}, si bien que ") if trouble else Cause("", "")
        en, fr = f"{so.en}{active} serves", f"{so.fr}{active} sert"
        if not self.fresh:
            return Cause(en, fr)
        left_out = [array for array in self._copies if array not in self.in_sync]
        en, fr = f"{en} from {listed(self.in_sync)}", f"{fr} depuis {listed(self.in_sync, 'et')}"
        if not left_out:
            return Cause(en, fr)
        return Cause(f"{en}, without {listed(left_out)}", f"{fr}, sans {listed(left_out, 'et')}")

    def why_nobody(self) -> Cause:
        """Say why no virtualiser serves."""
        if not self._nodes:
            return Cause("no virtualiser is planned", "aucun virtualiseur n'est prévu")
        if not self.majority:
            return Cause("the arbiters have no majority", "les arbitres n'ont plus de majorité")
        if not any(map(self._reach.alive, self._nodes)):
            return Cause("every virtualiser is lost", "tous les virtualiseurs sont perdus")
        if not any(map(self._reach.alive, self._copies)):
            return Cause("every array is lost", "toutes les baies sont perdues")
        if not any(map(self._reach.alive, self.fresh)):
            return Cause("every array in sync is lost", "toutes les baies à jour sont perdues")
        return Cause(
            "no virtualiser reaches both an array in sync and a majority of arbiters",
            "aucun virtualiseur n'atteint à la fois une baie à jour et une majorité d'arbitres",
        )

    def why_frozen(self, volume: Volume) -> Cause | None:
        """Say why a volume is not served to the host where its server runs."""
        host = self._reach.host_of(volume.name)
        en, fr = f"{volume.name} is frozen", f"{volume.name} est gelé"
        if volume.alone is not None:
            if self._reach.talk(host, volume.alone, STORAGE):
                return None
            why = f"since {host} cannot reach {volume.alone}, which holds it alone"
            return Cause(f"{en} {why}", f"{fr} car {host} n'atteint pas {volume.alone}, seule à le porter")
        if self.active is None:
            return Cause(en, fr)
        if not set(self.in_sync) & set(volume.copies):
            return Cause(f"{en} since {self.active} reaches no copy", f"{fr} car {self.active} n'atteint aucune copie")
        if not self._reach.talk(host, self.active, STORAGE):
            return Cause(
                f"{en} since {host} cannot reach {self.active}", f"{fr} car {host} n'atteint pas {self.active}"
            )
        return None


def arrays_of(plan: Plan) -> list[str]:
    """Give the arrays that hold a copy of something mirrored."""
    mirrored = [volume for volume in plan.volumes.values() if volume.alone is None]
    return list(dict.fromkeys(copy for volume in mirrored for copy in volume.copies))


def _majority(plan: Plan, reach: Reach) -> tuple[str, ...]:
    """Give the arbiters that follow a leader: one which reaches more than half of them all, itself included."""
    voters = [node.name for node in plan.nodes.values() if node.kind in (NodeKind.ARBITER, NodeKind.WITNESS)]
    near = {voter: [other for other in voters if reach.talk(voter, other, MANAGEMENT)] for voter in voters}
    leaders = {voter for voter, others in near.items() if 2 * len(others) > len(voters)}
    return tuple(voter for voter, others in near.items() if leaders.intersection(others))
