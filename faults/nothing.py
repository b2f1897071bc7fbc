"""The fault that does nothing: the harness must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Nothing:
    """Breaks nothing. Whoever gets a green verdict from it has a broken bench."""

    def lost(self, plan: Plan) -> frozenset[str]:  # noqa: ARG002 - the protocol's shape
        """Nothing."""
        return frozenset()

    def scope(self, plan: Plan) -> Scope:  # noqa: ARG002 - the protocol's shape
        """One component, the smallest there is."""
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return "Aucune panne (témoin)"

    def inject(self, lab: Site) -> None:
        """Break nothing."""

    def holds(self, lab: Site) -> Felt:  # noqa: ARG002 - the protocol's shape
        """Nothing bites."""
        return Felt(holds=False, detail="nothing was broken", detail_fr="rien n'a été cassé")

    def heal(self, lab: Site) -> None:
        """Mend nothing."""
