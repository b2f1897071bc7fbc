"""The time in which a copy is being brought up to date: only the other one is good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from faults.composing import Clock, begin, end, seconds, steps_of
from faults.power import PowerLoss
from faults.targets import known
from lab.faulting import FaultNotFeltError, Felt
from lab.nodes import NodeError
from lab.plan import NodeKind, PlanError, Scope
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from lab.faulting import Fault, Site
    from lab.plan import Plan

# Grains still to copy: more than the storage copies at the end of a resync, with the writes held and at full speed. Not
# more: at 1 MiB/s the wards' own writes keep some 40 grains behind, and the copying goes on for half a minute.
_LONG = 16
_BEGUN_WITHIN = 30.0  # seconds for an array to boot, to be found again, and to be copied to
_AWAY = timedelta(seconds=5)
_ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class SlowResync:
    """The virtualisers copy to a copy that is behind no faster than this: an SVC's volumes do 2 MiB/s by default."""

    mib_per_second: float = 2

    def _nodes(self, plan: Plan) -> list[str]:
        names = [node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]
        if not names:
            raise PlanError(f"plan {plan.name} has no virtualiser: nothing is copied there")
        return names

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing."""
        self._nodes(plan)
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Resynchronisation limitée à {self.mib_per_second:g} Mio/s".replace(".", ",")

    def inject(self, lab: Site) -> None:
        """Tell every virtualiser; one that starts anew has forgotten it."""
        lab.levers.throttle(self._nodes(lab.plan), self.mib_per_second)

    def holds(self, lab: Site) -> Felt:
        """Those that answer say so."""
        said = [_said(lab, node) for node in self._nodes(lab.plan)]
        limits = [one["resync_mib_per_second"] for one in said if "resync_mib_per_second" in one]
        slow = [limit for limit in limits if limit <= self.mib_per_second]
        return Felt(
            bool(slow),
            f"{len(slow)} of {len(limits)} virtualisers copy at {self.mib_per_second:g} MiB/s",
            f"contrôleurs limités à {self.mib_per_second:g} Mio/s : {len(slow)} sur {len(limits)}",
        )

    def heal(self, lab: Site) -> None:
        """Let them copy at their own speed."""
        lab.levers.unthrottle(self._nodes(lab.plan))


@dataclass(frozen=True)
class DuringResync:
    """An array is lost and comes back; while it is being brought up to date, another fault strikes.

    Args:
        array: which.
        inner: the other fault: the loss of the only good copy, or of the same array again.
        away: how long the array has no power.
        slow: how slowly it is copied to: on the lab's small volumes it would be over in a second.
        scope_is: whose objective applies.
        deadline: within which all of it is done, or it was another scenario.
    """

    array: str
    inner: Fault
    away: timedelta = _AWAY
    slow: SlowResync = SlowResync(1)
    scope_is: Scope = Scope.COMMON_MODE
    deadline: timedelta = _ONE_MINUTE

    @property
    def _loss(self) -> PowerLoss:
        return PowerLoss(self.array)

    @property
    def parts(self) -> tuple[Fault, ...]:
        """The limit, the first loss, and what strikes."""
        return self.slow, self._loss, self.inner

    def lost(self, plan: Plan) -> frozenset[str]:
        """The array's copies, which are behind, and what strikes takes."""
        return frozenset().union(*self.steps(plan))

    def steps(self, plan: Plan) -> tuple[frozenset[str], ...]:
        """An array that is back and behind is no better than one that is away."""
        known(self.array, [node.name for node in plan.nodes.values() if node.kind is NodeKind.ARRAY], "array")
        return *steps_of(self._loss, plan), *steps_of(self.inner, plan)

    def scope(self, plan: Plan) -> Scope:
        """What was said."""
        self.lost(plan)
        return self.scope_is

    @property
    def french(self) -> str:
        """What the report calls it."""
        return (
            f"Perte de la baie {self.array} ({seconds(self.away)}), son retour, et pendant sa resynchronisation : "
            f"{self.inner.french}"
        )

    def inject(self, lab: Site) -> None:
        """Lose the array, give it back, and strike as soon as it is seen being copied to.

        Raises:
            FaultNotFeltError: one of them was not felt, or the copies were equal too soon.
        """
        clock = Clock.of(self.deadline)
        begin(self.slow, lab)
        begin(self._loss, lab)
        clock.pause(self.away)
        end(self._loss, lab)
        try:
            wait_until(partial(self._is_copied_to, lab), within=_BEGUN_WITHIN, because=f"{self.array} is not copied to")
        except WaitedInVainError as error:
            raise FaultNotFeltError(f"{self} was not felt: {error}") from error
        begin(self.inner, lab)
        clock.check("the other fault held")

    def _is_copied_to(self, lab: Site) -> bool:
        """Whether a copy on the array is being brought up to date, and will be for a while."""
        copied = [volume["resync"] for volume in _volumes(lab).values() if volume["resync"]]
        return any(one["of"] == self.array and one["left"] > _LONG for one in copied)

    def holds(self, lab: Site) -> Felt:
        """What struck still bites, and a copy of the array is not up to date."""
        inner = self.inner.holds(lab)
        behind = [
            name
            for name, volume in _volumes(lab).items()
            if self.array in volume["copies"] and not volume["copies"][self.array]["in_sync"]
        ]
        return Felt(
            inner.holds and bool(behind),
            f"behind on {self.array}: {', '.join(behind) or 'nothing'}; {inner.detail}",
            f"en retard sur {self.array} : {', '.join(behind) or 'rien'} ; {inner.detail_fr}",
        )

    def heal(self, lab: Site) -> None:
        """What struck first; the copies are made equal at full speed."""
        self.inner.heal(lab)
        self._loss.heal(lab)
        self.slow.heal(lab)


def _volumes(lab: Site) -> dict[str, dict[str, Any]]:
    """What the active virtualiser says of its volumes."""
    said = (_said(lab, node.name) for node in lab.plan.nodes.values() if node.kind is NodeKind.VIRTUALISER)
    return next((one["volumes"] for one in said if one["active"]), {})


def _said(lab: Site, node: str) -> dict[str, Any]:
    try:
        return lab.levers.nodes.ask(node, "virtualiser")
    except NodeError:
        return {"active": False}
