"""A disk without space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.nodes import NodeError
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class FullDisk:
    """A server's disk has no space left: whoever filled it, it was not the record."""

    server: str

    def lost(self, plan: Plan) -> frozenset[str]:
        """The server, as far as writing goes."""
        return frozenset([known(self.server, [name for name in plan.servers if plan.volumes[name].size], "server")])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Disque du serveur {self.server} plein"

    def inject(self, lab: Site) -> None:
        """Put a file there that takes all of it."""
        self.lost(lab.plan)
        lab.levers.straits.fill(self.server)

    def holds(self, lab: Site) -> Felt:
        """Not one block is free."""
        try:
            left = lab.levers.straits.space(self.server)
        except NodeError as error:
            return Felt(holds=False, detail=str(error), detail_fr=str(error))
        return Felt(left == 0, f"{left} bytes free", f"octets libres : {left}")

    def heal(self, lab: Site) -> None:
        """Take the file away."""
        lab.levers.straits.empty([self.server])
