"""A loose connection."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from faults.wires import checked, wanted_ways
from lab.faulting import Felt
from lab.plan import Scope
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class Flapping:
    """A cable or a port loses its carrier and gets it back, again and again."""

    wire: str
    up: timedelta = timedelta(seconds=1.5)
    down: timedelta = timedelta(seconds=0.5)

    def lost(self, plan: Plan) -> frozenset[str]:
        """The cable or port: it is gone again and again."""
        return frozenset([checked(plan, self.wire, None)])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        up, down = self.up.total_seconds(), self.down.total_seconds()
        return f"Faux contact de {self.wire} ({up:g} s avec porteuse, {down:g} s sans)".replace(".", ",")

    def _ends(self, lab: Site) -> list[str]:
        self.lost(lab.plan)
        named = wanted_ways(lab.plan, lab.levers.layout, self.wire, None)
        return sorted({end for way in named for end in (way.source, way.sink) if ":" not in end})

    def inject(self, lab: Site) -> None:
        """Let a program shake it; it stops by itself if nobody stops it."""
        lab.levers.wires.flap(self._ends(lab), self.up, self.down, lab.longest_hold)

    def holds(self, lab: Site) -> Felt:
        """Within a little more than one turn it is seen lit and dark."""
        end = self._ends(lab)[0]
        turn = (self.up + self.down).total_seconds() + 0.5
        seen: set[bool] = set()

        def both() -> bool:
            seen.add(lab.levers.fabric.links()[end].carrier)
            return len(seen) == len((True, False))

        begun = time.monotonic()
        try:
            wait_until(both, within=turn, because="it stays as it is")
        except WaitedInVainError:
            state = "lit" if seen == {True} else "dark"
            return Felt(holds=False, detail=f"{state} for {turn:g} s", detail_fr=f"sans changement pendant {turn:g} s")
        took = time.monotonic() - begun
        return Felt(
            holds=True,
            detail=f"lit and dark within {took:.1f} s",
            detail_fr=f"avec et sans porteuse en {took:.1f} s".replace(".", ","),
        )

    def heal(self, lab: Site) -> None:
        """Fasten it."""
        lab.levers.unflap(self._ends(lab))
