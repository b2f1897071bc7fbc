"""What a scenario would do: to which targets, how it would be undone, how long it may last at most. No lab is touched.

The fault itself is injected, through the real levers and into a real journal, but into a lab in memory: what is printed
is what would be written down before the act, and nothing that somebody wrote about it.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from faults.composing import Composed, steps_of
from lab.bench import FELT_WITHIN, GONE_WITHIN, WHOLE_WITHIN, boots
from lab.errors import NotAvailableError
from lab.expectation import expect
from lab.journal import Harm
from lab.memory import LONGEST_HOLD, MemorySite
from lab.nodes.specs import ha_settings
from lab.roles import stand_in
from lab.service import STEADY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.fabric import Layout
    from lab.faulting import Fault
    from lab.plan import Plan
    from lab.plan import Service as ServicePlan

UNDO = {
    Harm.NODE_OFF: "power on; it boots",
    Harm.SWITCH_OFF: "power on, ports lit, firmware started",
    Harm.UNPLUGGED: "plug in again",
    Harm.SILENCED: "delete the firewall's element",
    Harm.FROZEN: "thaw",
    Harm.SPOILED: "tell the array to behave",
    Harm.CRASHING: "take the bug out; the node starts the program",
    Harm.LOSSY: "delete the firewall's table",
    Harm.HOLLOW: "delete the firewall's table",
    Harm.QUEUED: "give the interface its own queue back",
    Harm.DELAYED: "delete the firewall's table, end the relay",
    Harm.FLAPPING: "end the program, light the ports",
    Harm.STARVED: "lift the control group's quota",
    Harm.SQUEEZED: "lift the control group's limit of memory",
    Harm.FILLED: "delete the file that fills the disk",
    Harm.STALLED: "let the processes run on",
    Harm.THROTTLED: "tell the virtualisers to copy at their own speed",
    Harm.WITHHELD: "tell the active virtualiser that the host may see the volume again",
    Harm.MAINTENANCE: "give the host back to the cluster",
    Harm.REPLACED: "let the volumes go back to the array of the plan",
    Harm.TAKEN_IN: "let the volume go back to its array alone",
    Harm.ROTTEN: "compare the copies, give this one the other's grains where they differ",
}
ENDS_BY_ITSELF = {Harm.SILENCED, Harm.LOSSY, Harm.HOLLOW, Harm.DELAYED, Harm.FLAPPING}
_WIRE = re.compile(r"\b[cn]\d+[ab]?\b")
_PART_FELT_WITHIN = 5.0


@dataclass(frozen=True)
class Act:
    """One thing that would be done, as the journal would name it, and its undoing."""

    harm: Harm
    targets: tuple[str, ...]

    @property
    def undo(self) -> str:
        """How it is undone."""
        more = f"; ends by itself after {LONGEST_HOLD:g} s" if self.harm in ENDS_BY_ITSELF else ""
        return f"{UNDO[self.harm]}{more}"


def simple_parts(fault: Fault) -> list[Fault]:
    """Take a composed fault apart."""
    return [one for part in fault.parts for one in simple_parts(part)] if isinstance(fault, Composed) else [fault]


def acts(plan: Plan, fault: Fault) -> list[Act]:
    """What a fault would do.

    Raises:
        NotAvailableError: as far as can be known without a lab, it cannot be played.
        PlanError: it names what the plan does not know.
    """
    fault.lost(plan)
    done: dict[Harm, set[str]] = {harm: set() for harm in Harm}
    names: dict[str, str] = {}
    for part in simple_parts(fault):  # each by itself: what an earlier one broke may be whole again by then
        with tempfile.TemporaryDirectory(prefix="bascule-dry-") as folder:
            site = MemorySite(plan, Path(folder))
            part.inject(site)
            names = _wires(site.fabric.layout)
            for harm, found in site.levers.journal.items():
                done[harm] |= found
    return [Act(harm, _said(sorted(found), names)) for harm, found in done.items() if found]


def _wires(layout: Layout) -> dict[str, str]:
    ends = {
        end: f"{strand.cable}/{strand.network} at {switch}"
        for strand in layout.strands
        for switch, end in zip(strand.switches, strand.ends, strict=True)
    }
    return {**ends, **{port.outside: f"{port.node}/{port.switch}" for port in layout.ports}}


def _said(found: list[str], names: dict[str, str]) -> tuple[str, ...]:
    return tuple(_WIRE.sub(lambda match: names.get(match[0], match[0]), one) for one in found)


def longest(plan: Plan, fault: Fault) -> float:
    """Seconds that a fault may last in a scenario that holds it once, until its healing begins."""
    vendor = ha_settings(plan)
    own = (timer.value.total_seconds() for timer in plan.failovers.values())
    # Whichever timer of the cluster it may start, and what is restarted then.
    slowest = max(*own, vendor.restarts_by_new_master, vendor.vmcp) + vendor.heartbeat + boots(plan)
    patience = max(service.patience.total_seconds() for service in plan.services.values())
    return _injection(fault) + 2 * FELT_WITHIN + slowest + 5 + patience + STEADY


def _injection(fault: Fault) -> float:
    deadline = getattr(fault, "deadline", None)
    if deadline is not None:
        return float(deadline.total_seconds())
    return _PART_FELT_WITHIN * len(simple_parts(fault)) if isinstance(fault, Composed) else 0.0


def told(plan: Plan, service: str, fault: Fault) -> Iterator[str]:
    """Say all of it, in lines."""
    steps = steps_of(fault, plan)
    yield f"fault      {fault}"
    yield f"takes      {', then '.join(', '.join(sorted(step)) or 'nothing' for step in steps)}"
    prediction = expect(plan, service, *steps)
    yield f"predicted  class {prediction.klass} for {service}; objective: {fault.scope(plan)}"
    try:
        for act in acts(plan, fault):
            yield f"does       {act.harm}: {', '.join(act.targets)}"
            yield f"undo       {act.undo}"
    except NotAvailableError as error:
        yield f"not available: {error} (asked again of the kernel when a lab is up)"
        return
    whole = GONE_WITHIN + WHOLE_WITHIN
    yield f"longest    {longest(plan, fault):.0f} s until it is healed, then {whole:.0f} s to be whole"
    yield "killed     the lab of a run dies with the harness; a kept one is mended by `bascule heal`"


class DryService:
    """A service whom nobody uses."""

    def __init__(self, plan: ServicePlan, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.name = plan.name
        self._say = say

    @contextmanager
    def observed(
        self,
        defects: frozenset[str] = frozenset(),  # noqa: ARG002 - Service's own
        writes: int = 0,  # noqa: ARG002 - as above
        *,
        rate: float = 0.0,  # noqa: ARG002 - as above
    ) -> Iterator[SimpleNamespace]:
        """Observe nothing."""
        yield SimpleNamespace()

    def active(self) -> str:
        """Which member is active is known when it is played; the plan's first stands for it here."""
        self._say(f"  (the active member is taken to be {self.plan.runs_on[0]}; which it is shows when it is played)")
        return self.plan.runs_on[0]


@dataclass(frozen=True)
class DryCluster:
    """A cluster of which nothing is known yet."""

    lab: DryLab

    @contextmanager
    def watched(self) -> Iterator[set[str]]:
        """Watch nothing."""
        yield set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a scenario may ask a cluster for
        return getattr(self.lab, f"cluster.{name}")


class DryLab:
    """Takes a scenario as far as its first fault, says what that would do, and ends it there."""

    def __init__(self, plan: Plan, identifier: str, title: str, family: str, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.scenario = SimpleNamespace(
            id=identifier, family=family, verdict=None, fault="", event=lambda *_: None, folder=Path()
        )
        self._say = say
        say(f"{identifier}  {title}")
        self._service = next(iter(plan.services))

    def service(self, name: str) -> DryService:
        """A service of the plan."""
        self._service = name
        return DryService(self.plan.services[name], self._say)

    def fault(self, fault: Fault) -> NoReturn:
        """Say what it would do, and end the scenario."""
        for line in told(self.plan, self._service, fault):
            self._say(f"  {line}")
        pytest.skip("dry run")

    def target(self, role: str) -> str:
        """Who plays a role is known when it is played; somebody of the plan stands for it here."""
        somebody = stand_in(self.plan, role)
        self._say(f"  ({role} is taken to be {somebody}; who it is shows when it is played)")
        return somebody

    @property
    def cluster(self) -> DryCluster:
        """A cluster that may be watched, and nothing else."""
        return DryCluster(self)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a scenario may ask a lab for
        self._say(f"  asks the running lab for `{name}` before its fault: only that lab can tell its targets")
        pytest.skip("dry run")
