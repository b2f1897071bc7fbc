"""What happens to cables: cut, which everybody sees at once, and blackholed, which only silence tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class CableCut:
    """One or more inter-room cables are cut: carrier is lost at both ends."""

    cables: tuple[str, ...]

    def __init__(self, *cables: str) -> None:
        object.__setattr__(self, "cables", cables)

    def lost(self, plan: Plan) -> frozenset[str]:
        """The cables."""
        return frozenset(known(cable, plan.cables, "cable") for cable in self.cables)

    def scope(self, plan: Plan) -> Scope:
        """A component's for one cable; a room's when several go at once, since they part two rooms."""
        self.lost(plan)
        return Scope.ONE_COMPONENT if len(self.cables) == 1 else Scope.A_ROOM

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Coupure {'du câble' if len(self.cables) == 1 else 'des câbles'} {' et '.join(self.cables)}"

    def _ends(self, lab: Site) -> tuple[str, ...]:
        self.lost(lab.plan)
        return tuple(
            end for cable in self.cables for strand in lab.levers.layout.strands_of(cable) for end in strand.ends
        )

    def inject(self, lab: Site) -> None:
        """Both ends of every strand lose their carrier, in one message."""
        lab.levers.unplug(self._ends(lab))

    def holds(self, lab: Site) -> Felt:
        """No end is lit, and nothing came through since."""
        ends = self._ends(lab)
        links = lab.levers.fabric.links()
        lit = [name for name in ends if links[name].carrier]
        through = lab.arrivals(ends)
        return Felt(
            not lit and not through,
            f"{len(lit)} of {len(ends)} ends lit, {through} packets through since",
            f"extrémités avec porteuse : {len(lit)} sur {len(ends)} ; paquets passés depuis la panne : {through}",
        )

    def heal(self, lab: Site) -> None:
        """Splice."""
        lab.levers.plug(self._ends(lab))


@dataclass(frozen=True)
class Blackhole:
    """A cable stays lit and carries nothing: both ways, or only towards one room."""

    cable: str
    towards: str | None = None

    def lost(self, plan: Plan) -> frozenset[str]:
        """The cable: what carries one way only is no cable."""
        cable = known(self.cable, plan.cables, "cable")
        if self.towards is not None:
            known(self.towards, plan.cables[cable].between, f"end of {cable}")
        return frozenset([cable])

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        way = "dans les deux sens" if self.towards is None else f"vers {self.towards}"
        return f"Câble {self.cable} muet {way} (porteuse maintenue)"

    def _ends(self, lab: Site) -> tuple[str, ...]:
        self.lost(lab.plan)
        return tuple(
            strand.end_at(switch)
            for strand in lab.levers.layout.strands_of(self.cable)
            for switch in strand.switches
            if self.towards in {None, lab.plan.switches[switch].place}
        )

    def inject(self, lab: Site) -> None:
        """Name the ends in the firewall's set; the kernel ends it if nobody does."""
        lab.levers.silence(self._ends(lab), lab.longest_hold)

    def holds(self, lab: Site) -> Felt:
        """Packets are swallowed at every end, and none came through since."""
        ends = self._ends(lab)
        dropped = lab.levers.fabric.dropped()
        swallowed = [dropped.get(end, 0) for end in ends]
        through = lab.arrivals(ends)
        return Felt(
            all(swallowed) and not through,
            f"{sum(swallowed)} packets swallowed at {len(ends)} ends, {through} through since",
            f"paquets avalés : {sum(swallowed)}, à {len(ends)} extrémités ; passés depuis la panne : {through}",
        )

    def heal(self, lab: Site) -> None:
        """Let traffic through."""
        lab.levers.unsilence(self._ends(lab))
