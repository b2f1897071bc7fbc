"""Which hosts can take a server over, and why none can."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause
from lab.expectation.reach import MANAGEMENT, STORAGE
from lab.plan import Continuity, NodeKind, Rule

if TYPE_CHECKING:
    from lab.expectation.reach import Reach
    from lab.expectation.storage import Storage
    from lab.plan import Plan, Server


class Takers:
    """The hosts on which HA may start a server again.

    Each condition leaves some of the hosts of the one before: it is alive and reaches a majority of the arbiters,
    which give the server's session away; it does not take itself for isolated; it sees the volume; the rule lets the
    server go there; it has room, beside all others that lost their host; the wards reach it.

    Args:
        plan: The plan.
        server: The server that HA should start again.
        reach: Who can talk to whom.
        stored: The state of the storage.
    """

    def __init__(self, plan: Plan, server: Server, reach: Reach, stored: Storage) -> None:
        self._plan, self._server, self._reach, self._stored = plan, server, reach, stored
        hosts = [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]
        self._alive = [host for host in hosts if reach.alive(host)]
        self._granted = [host for host in self._alive if self._may_ask(host)]
        self._heard = [host for host in self._granted if not reach.cut_off(host)]
        self._seeing = [host for host in self._heard if self._sees_volume(host)]
        self._allowed = [host for host in self._seeing if self._may_go(server, host)]

    @cached_property
    def chosen(self) -> str | None:
        """One of them: in the room that the server prefers, if there is one; None when there is none."""
        if self._server.continuity is Continuity.RESCUE:
            return None
        found = [host for host in self._roomy if all(self._reach.talk(ward, host) for ward in self._reach.wards)]
        return next(iter(sorted(found, key=lambda host: self._plan.nodes[host].place != self._server.prefers)), None)

    def _may_ask(self, host: str) -> bool:
        return any(self._reach.talk(host, voter, MANAGEMENT) for voter in self._stored.majority)

    def _sees_volume(self, host: str) -> bool:
        active = self._stored.active
        if not self._reach.may_see(self._server.name, host):
            return False
        serves = self._plan.volumes[self._server.name].alone or active
        return not self._server.volume or (serves is not None and self._reach.talk(host, serves, STORAGE))

    def _may_go(self, server: Server, host: str) -> bool:
        must = self._plan.ha.rule is Rule.MUST and server.prefers is not None
        return not must or self._plan.nodes[host].place == server.prefers

    @cached_property
    def _roomy(self) -> list[str]:
        """Those with room. The fleet is judged by sums, not by packing: all displaced fit in all that is free."""
        cpu = {host: self._plan.nodes[host].cpu or 0 for host in self._allowed}
        memory = {host: self._plan.nodes[host].memory or 0 for host in self._allowed}
        displaced: list[Server] = []
        for other in self._plan.servers.values():
            host = self._reach.host_of(other.name)
            if not self._reach.member_alive(other.name) or other.name in self._stored.frozen:
                comes = other.continuity is not Continuity.RESCUE and any(self._may_go(other, h) for h in cpu)
                displaced += [other] if comes else []
            elif host in cpu:
                cpu[host] -= other.cpu
                memory[host] -= other.memory
        if sum(s.cpu for s in displaced) > sum(cpu.values()) or sum(s.memory for s in displaced) > sum(memory.values()):
            return []
        return [host for host in cpu if cpu[host] >= self._server.cpu and memory[host] >= self._server.memory]

    def why_none(self) -> Cause:
        """Say which condition left no host."""
        name, prefers = self._server.name, self._server.prefers
        nobody_serves = None if self._stored.active else self._stored.cause
        conditions = (
            (
                self._server.continuity is not Continuity.RESCUE,
                Cause(f"{name} comes back in the rescue room only", f"{name} ne revient qu'en secours"),
            ),
            (self._alive, Cause("no host is left", "il ne reste aucun hôte")),
            (
                self._stored.majority,
                Cause("the arbiters have no majority", "les arbitres n'ont plus de majorité"),
            ),
            (
                self._granted,
                Cause("no host left reaches the arbiters", "aucun hôte restant n'atteint les arbitres"),
            ),
            (
                self._heard,
                Cause("every host left takes itself for isolated", "tout hôte restant se croit isolé"),
            ),
            (
                self._seeing,
                nobody_serves or Cause("no host left sees its volume", "aucun hôte restant ne voit son volume"),
            ),
            (
                self._allowed,
                Cause(f"the rule says that it must stay in {prefers}", f"la règle veut qu'il reste dans {prefers}"),
            ),
            (self._roomy, Cause("no host left has room for it", "aucun hôte restant n'a de place pour lui")),
        )
        unreached = Cause(
            "no host that the wards reach can take it",
            "aucun hôte joignable par les services de soins ne peut le reprendre",
        )
        return next((cause for left, cause in conditions if not left), unreached)
