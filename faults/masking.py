"""A volume that a host may not see any more: the storage says so, instead of falling silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.targets import known
from lab.faulting import Felt
from lab.nodes import NodeError
from lab.plan import Scope

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan


@dataclass(frozen=True)
class PermanentDeviceLoss:
    """A server's volume is taken away from every host of a room: each request fails at once, for good (PDL).

    Args:
        volume: name of the server that has it.
        room: whose hosts lose it.
    """

    volume: str
    room: str

    def _hosts(self, plan: Plan) -> list[str]:
        known(self.volume, [name for name in plan.servers if plan.volumes[name].size], "server with a volume")
        known(self.room, [name for name, room in plan.rooms.items() if room.hosts], "room with hosts")
        return list(plan.rooms[self.room].hosts)

    def lost(self, plan: Plan) -> frozenset[str]:
        """The volume, for each of them: `imagerie/esx-21`."""
        return frozenset(f"{self.volume}/{host}" for host in self._hosts(plan))

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Volume {self.volume} retiré aux serveurs physiques de {self.room}"

    def inject(self, lab: Site) -> None:
        """Tell the active virtualiser, for each host."""
        lab.levers.masking.take(self.volume, self._hosts(lab.plan))

    def holds(self, lab: Site) -> Felt:
        """The virtualiser withholds it from each of them, and no path there is served with it."""
        hosts, masking = self._hosts(lab.plan), lab.levers.masking
        try:
            withheld = masking.without(self.volume)
        except NodeError:
            withheld = frozenset()
        hidden = [host for host in hosts if host in withheld]
        served = [host for host in hosts if masking.is_served(self.volume, host)]
        return Felt(
            len(hidden) == len(hosts) and not served,
            f"withheld from {len(hidden)} of {len(hosts)} hosts, {len(served)} of them served",
            f"retiré à {len(hidden)} serveurs physiques sur {len(hosts)}, encore servis : {len(served)}",
        )

    def heal(self, lab: Site) -> None:
        """Let them see it again."""
        lab.levers.masking.give([f"{self.volume}@{host}" for host in self._hosts(lab.plan)])
