"""A wrong clock: in the catalogue, and not to be played here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.errors import NotAvailableError
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from datetime import timedelta

    from lab.faulting import Site
    from lab.plan import Plan

WHY = (
    "no node can be given a clock of its own: Linux has no namespace for the wall clock (time namespaces shift the "
    "monotonic and boot clocks only), setting it would set the machine's, and libfaketime, preloaded from the start "
    "into every program, would slow what every other scenario measures and leave etcd, a static program, as it is"
)


@dataclass(frozen=True)
class WrongClock:
    """A node's wall clock is off by so much. Always *not available*: the sentence says why."""

    node: str
    by: timedelta

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing."""
        known(self.node, plan.nodes, "node")
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Horloge de {self.node} décalée de {self.by.total_seconds():g} s"

    def inject(self, lab: Site) -> None:
        """Say that it cannot be done.

        Raises:
            NotAvailableError: always.
        """
        self.lost(lab.plan)
        raise NotAvailableError(WHY)

    def holds(self, lab: Site) -> Felt:  # noqa: ARG002 - the protocol's shape
        """Nothing was done."""
        return Felt(holds=False, detail="no clock was changed", detail_fr="aucune horloge n'a été changée")

    def heal(self, lab: Site) -> None:
        """Nothing is to be undone."""
