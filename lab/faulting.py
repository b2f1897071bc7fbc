"""What a fault is, and how a scenario holds one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lab.errors import Inconclusive, LabError

if TYPE_CHECKING:
    from lab.cluster import Cluster
    from lab.levers import Levers
    from lab.plan import Plan, Scope
    from lab.storage import Storage


class FaultNotFeltError(Inconclusive):
    """The fault bit nothing, or stopped biting before it was healed: what was measured proves nothing."""


class NotHealedError(LabError):
    """The lab did not become whole again after the fault was healed."""


@dataclass(frozen=True)
class Felt:
    """What `holds` found: whether the fault bites, and the facts that say so."""

    holds: bool
    detail: str
    detail_fr: str


class Site(Protocol):
    """What a fault may see and use of a lab."""

    @property
    def plan(self) -> Plan:
        """What the infrastructure is."""

    @property
    def levers(self) -> Levers:
        """What can be done to it."""

    @property
    def longest_hold(self) -> float:
        """Seconds after which the kernel ends a blackhole that nobody healed."""

    @property
    def cluster(self) -> Cluster:
        """The cluster as an operator sees it."""

    @property
    def storage(self) -> Storage:
        """The mirrored storage as an operator sees it."""

    def count_from_now(self) -> None:
        """Let `arrivals` count from this instant; after the injection it does so by itself."""

    def arrivals(self, interfaces: tuple[str, ...]) -> int:
        """Packets that came in on these wires since the fault was injected, the monitors' hellos apart."""


@runtime_checkable
class Stepwise(Protocol):
    """A fault that takes things one after the other, which decides what is left."""

    def steps(self, plan: Plan) -> tuple[frozenset[str], ...]:
        """What each step takes."""


@runtime_checkable
class Counted(Protocol):
    """A planned change that takes nothing from servers: how long copies were missing is counted, and not assumed."""

    def bare(self, lab: Site) -> dict[str, float]:
        """Seconds for which fewer than two copies were in sync, since what each key names; empty when nobody says."""


class Fault(Protocol):
    """A frozen dataclass whose fields are the fault's parameters, in the hospital's words."""

    def lost(self, plan: Plan) -> frozenset[str]:
        """Names of the plan that are gone while it holds. Raises PlanError for a name the plan does not know."""

    def scope(self, plan: Plan) -> Scope:
        """Whose objective applies."""

    @property
    def french(self) -> str:
        """What the report calls it."""

    def inject(self, lab: Site) -> None:
        """Break it, through the lab's levers only."""

    def holds(self, lab: Site) -> Felt:
        """Find the facts that show it bites."""

    def heal(self, lab: Site) -> None:
        """Put it right; works after half an injection, and twice."""
