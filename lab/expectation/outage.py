"""How long a restarted server stops: until its loss is noticed, then until it has booted. Derived from the timers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause
from lab.expectation.reach import MANAGEMENT
from lab.plan import format_duration

if TYPE_CHECKING:
    from lab.expectation.reach import Reach
    from lab.expectation.storage import Storage
    from lab.plan import Plan, Server


def outage(plan: Plan, server: Server, reach: Reach, stored: Storage) -> tuple[timedelta | None, Cause]:
    """Give the outage at the lab's scale, with its parts in words; None when the plan lacks one of the timers.

    The queue of servers to power on is left out: these plans have fewer than a host starts at once.
    """
    names = _noticed_by(server, reach, stored)
    if not all(name in plan.timers for name in names):
        return None, Cause("meanwhile", "pendant ce temps")
    parts = [(name, plan.timers[name].value) for name in names] + [("boot", server.boot)]
    scaled = sum((value for _, value in parts), timedelta()) / plan.time_scale
    made = " + ".join(f"{name} {format_duration(value)}" for name, value in parts)
    scale = f"{plan.time_scale:g}"
    seconds = f"{scaled.total_seconds():.3g}"
    return scaled, Cause(
        f"for about {seconds} s ({made}, divided by {scale})",
        f"environ {seconds} s ({made}, divisés par {scale})".replace(".", ","),
    )


def _noticed_by(server: Server, reach: Reach, stored: Storage) -> tuple[str, ...]:
    """Give the timers that run out one after the other before HA acts.

    A host that lives and is heard stops its server itself when its storage does not come back; one that is heard no
    longer is taken for dead, whatever its storage does.
    """
    host = reach.host_of(server.name)
    if reach.is_isolated(server.name):
        return ("isolation-response",)
    if not reach.alive(host):
        return ("host-dead",)
    if not reach.may_see(server.name, host):
        return ("pdl",)
    if server.name in stored.frozen:
        heard = any(reach.talk(host, voter, MANAGEMENT) for voter in stored.majority)
        return ("apd", "vmcp") if heard else ("host-dead",)
    return ("guest-monitor",)
