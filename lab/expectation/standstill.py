"""How long volumes stand still while the storage finds its way, against what a client waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause, listed
from lab.plan import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.expectation.storage import Storage
    from lab.plan import Plan, Service

TAKE_OVER, COPY_LOST = "virtualiser-lost", "array-lost"
"""The plan's failovers that say how long each takes."""


@dataclass(frozen=True)
class Standstill:
    """Volumes that stand still for a while; ``noticed`` when clients' attempts fail meanwhile."""

    cause: Cause
    noticed: bool


def standstill(plan: Plan, service: Service, stored: Storage, servers: Sequence[str]) -> Standstill | None:
    """Say how long the volumes of these servers of a service stand still; None when they do not.

    An attempt that meets a standstill longer than ``answer`` fails and the next may succeed; one that nobody has
    measured is taken for such a one.
    """
    volumes = [plan.volumes[name] for name in servers if plan.volumes[name].size and not plan.volumes[name].alone]
    active = str(stored.active)  # there is one: these servers are not frozen
    gone = sorted({copy for volume in volumes for copy in volume.copies} - {*stored.in_sync})
    if volumes and stored.moved:
        failover = TAKE_OVER
        what = Cause(f"{active} takes over from {stored.usual}", f"{active} relaie {stored.usual}")
    elif gone:
        failover = COPY_LOST
        what = Cause(f"{active} gives up {listed(gone)}", f"{active} écarte {listed(gone, 'et')}")
    else:
        return None
    timer = plan.failovers.get(failover)
    lasts, waits = format_duration(timer.value) if timer else None, format_duration(service.answer)
    one = len(volumes) == 1
    whose = [volume.name for volume in volumes]
    en = f"the volume{'' if one else 's'} of {listed(whose)} stand{'s' if one else ''} still"
    fr = f"{'le volume' if one else 'les volumes'} de {listed(whose, 'et')} s'arrête{'' if one else 'nt'}"
    en += f" for {lasts}" if lasts else ", nobody has measured how long,"
    fr += f" {_comma(lasts)}" if lasts else " (durée jamais mesurée)"
    cause = Cause(
        f"{en} while {what.en} (a client waits {waits})",
        f"{fr} le temps que {what.fr} (un client attend {_comma(waits)})",
    )
    return Standstill(cause, timer is None or timer.value > service.answer)


def _comma(duration: str) -> str:
    return duration.replace(".", ",")
