"""A wire that carries everything, late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from faults.wires import checked, french, ways
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan

_MOSTLY = 0.8
"""Part of the delay that must be measured: a median with jitter may lie a little below what was asked for."""


@dataclass(frozen=True)
class Latency:
    """A cable or a port delivers late, each way by so much, give or take the jitter.

    The relay keeps frames in order; netem's jitter, where the kernel has it, lets some overtake others.
    """

    wire: str
    by: timedelta
    jitter: timedelta = timedelta()
    towards: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """Nothing: it carries all."""
        checked(plan, self.wire, self.towards)
        return frozenset()

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        late, shaky = self.by / timedelta(milliseconds=1), self.jitter / timedelta(milliseconds=1)
        more = f" ± {shaky:g} ms" if shaky else ""
        return f"Retard de {late:g} ms{more} par sens, {french(self.wire, self.towards)}".replace(".", ",")

    def inject(self, lab: Site) -> None:
        """Let everything wait on its way."""
        lab.levers.wires.delay(ways(lab, self.wire, self.towards), self.by, self.jitter, lab.longest_hold)

    def holds(self, lab: Site) -> Felt:
        """Frames of our own arrive that late on every way."""
        late = [lab.levers.wires.walk(way).delay for way in ways(lab, self.wire, self.towards)]
        least, most = min(late, default=0.0) * 1e3, max(late, default=0.0) * 1e3
        return Felt(
            bool(late) and min(late) >= _MOSTLY * self.by.total_seconds(),
            f"one way takes {least:.1f} to {most:.1f} ms (medians of 20 frames)",
            f"un sens dure de {least:.1f} à {most:.1f} ms (médianes de 20 trames)".replace(".", ","),
        )

    def heal(self, lab: Site) -> None:
        """Deliver at once."""
        named = ways(lab, self.wire, self.towards)
        lab.levers.wires.hasten(map(str, named))
        lab.levers.wires.free(way.source for way in named)  # where netem did it
