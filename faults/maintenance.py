"""Planned changes: what is taken out of service on purpose, in the way that its keeper would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from faults.targets import known
from lab.errors import NotAvailableError
from lab.faulting import Felt
from lab.nodes import NodeError, successor
from lab.plan import NodeKind, Scope
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan

EMPTY_WITHIN = 120.0  # seconds; the members of a pair leave in turn, each after its twin is whole again


@dataclass(frozen=True)
class HostMaintenance:
    """A host is emptied for work on it: members of pairs leave in turn, lone servers are stopped and started elsewhere.

    There is no live migration: a lone server's stop is announced, and has the length of its restart.
    """

    host: str
    deadline: ClassVar[timedelta] = timedelta(seconds=EMPTY_WITHIN)

    def lost(self, plan: Plan) -> frozenset[str]:
        """The servers that start there: each is stopped once, and runs elsewhere."""
        hosts = [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]
        known(self.host, hosts, "host")
        return frozenset(name for name in plan.servers if plan.host_of(name) == self.host)

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Mise en maintenance de {self.host}"

    def inject(self, lab: Site) -> None:
        """Order it, and wait until the host is empty."""
        self.lost(lab.plan)
        lab.levers.maintain([self.host])
        wait_until(
            lambda: self.holds(lab).holds, within=EMPTY_WITHIN, because=lambda: self.holds(lab).detail, every=0.2
        )

    def holds(self, lab: Site) -> Felt:
        """The cluster has it in maintenance, and it carries no server."""
        carried, is_out = self._carried(lab), self.host in lab.cluster.in_maintenance()
        return Felt(
            is_out and not carried,
            f"{self.host} is {'in maintenance' if is_out else 'in service'}, {len(carried)} servers on it",
            f"{self.host} {'en maintenance' if is_out else 'en service'}, serveurs portés : {len(carried)}",
        )

    def heal(self, lab: Site) -> None:
        """Give it back to the cluster, which sends the members of pairs home."""
        lab.levers.end_maintenance([self.host])

    def _carried(self, lab: Site) -> list[str]:
        return [server for server, host in lab.cluster.placement().items() if host == self.host]


@dataclass(frozen=True)
class ArrayReplaced:
    """A new array takes the place of an old one while its volumes are served, as in the migration of 2021.

    The new one gets a third copy of each volume; the old one is retired when all other copies are in sync. It is healed
    in the same way: the volumes go back.
    """

    array: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: the two copies of each volume are three for a while."""
        known(self.array, [node.name for node in plan.nodes.values() if node.kind is NodeKind.ARRAY], "array")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Remplacement de la baie {self.array} par une neuve, sans arrêt"

    def inject(self, lab: Site) -> None:
        """Order it, and wait until the old array holds no copy.

        Raises:
            NotAvailableError: the plan's arrays are copied one to the other, and no mirror takes a third copy.
        """
        self.lost(lab.plan)
        if lab.plan.storage.replication is not None:
            raise NotAvailableError(f"{lab.plan.name} has no mirror: no array joins one without a stop")
        lab.levers.copies.replace(self.array)

    def holds(self, lab: Site) -> Felt:
        """Each of its volumes is in sync on the new array, and nobody may write to the old one."""
        copies, new = lab.levers.copies, successor(self.array)
        its = {name for name, volume in lab.plan.volumes.items() if self.array in volume.copies and not volume.alone}
        try:
            moved, left = its & set(copies.in_sync(new)), copies.on(self.array)
            writers = copies.writers(self.array)
        except NodeError as error:
            return Felt(holds=False, detail=str(error), detail_fr="le stockage ne répond pas")
        return Felt(
            moved == its and not left and not writers,
            f"{len(moved)} of {len(its)} volumes in sync on {new}, {len(left)} on {self.array}, "
            f"which {writers} sessions may write to",
            f"volumes à jour sur {new} : {len(moved)} sur {len(its)}, encore sur {self.array} : {len(left)}, "
            f"sessions qui y écrivent : {writers}",
        )

    def heal(self, lab: Site) -> None:
        """Let the volumes go back to the array of the plan, in the same way."""
        lab.levers.copies.restore([self.array])

    def bare(self, lab: Site) -> dict[str, float]:
        """How long fewer than two copies were in sync, as the virtualisers count it."""
        return lab.levers.copies.bare()


@dataclass(frozen=True)
class VolumeTakenIn:
    """A stand-alone volume comes into the space that the virtualisers mirror, while its server works.

    As an SVC takes in a LUN in image mode: the array lets the virtualiser have what it presented to the hosts, data
    where it lies, and a second copy is made in the other room. It is healed by the way back.
    """

    server: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: its host waits for the volume while it changes hands."""
        known(self.server, [name for name, volume in plan.volumes.items() if volume.size], "server with a volume")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Passage du volume isolé de {self.server} dans l'espace virtualisé, sans arrêt"

    def inject(self, lab: Site) -> None:
        """Order it, and wait until both copies are in sync.

        Raises:
            NotAvailableError: the plan has the volume where this would bring it.
        """
        self.lost(lab.plan)
        if lab.plan.volumes[self.server].alone is None:
            told = f"--set servers.{self.server}.standalone=ARRAY"
            raise NotAvailableError(f"the volume of {self.server} is not stand-alone: play a variant, with {told}")
        lab.levers.copies.take_in(self.server)

    def holds(self, lab: Site) -> Felt:
        """Two copies are in sync."""
        copies, array = lab.levers.copies, lab.plan.volumes[self.server].alone
        try:
            mirrored, direct = copies.is_mirrored(self.server), array is not None and copies.serves(array, self.server)
        except NodeError as error:
            return Felt(holds=False, detail=str(error), detail_fr="le stockage ne répond pas")
        return Felt(
            mirrored,  # whether the host that writes directly was fenced is for the comparison of the copies to say
            f"{self.server} {'has' if mirrored else 'has not'} two copies in sync, "
            f"its host {'still writes' if direct else 'writes no more'} to {array} itself",
            f"copies de {self.server} {'à jour' if mirrored else 'pas toutes à jour'}, "
            f"écriture directe sur {array} : {'oui' if direct else 'non'}",
        )

    def heal(self, lab: Site) -> None:
        """Leave it to its array again."""
        lab.levers.copies.let_go([self.server])

    def bare(self, lab: Site) -> dict[str, float]:
        """How long fewer than two copies were in sync, as the virtualisers count it."""
        return lab.levers.copies.bare()
