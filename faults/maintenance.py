"""A host that is taken out of service on purpose, in the way that its keeper would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from faults.targets import known
from lab.faulting import Felt
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
