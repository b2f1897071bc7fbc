"""An application pair: two database members, their arbitrator, one address that follows a usable member."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from lab.expectation.prediction import Cause, Prediction, carried, in_time, listed, stopped, together, transparent
from lab.expectation.standstill import standstill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.expectation.reach import Reach
    from lab.expectation.storage import Storage
    from lab.plan import Plan, Service


def expect_pair(plan: Plan, service: Service, reach: Reach, stored: Storage) -> Prediction:
    """Derive the class of a pair."""
    pair = Pair(service, reach, stored)
    if not pair.usable:
        return stopped(service.name, pair.why_stopped())
    causes = list(pair.hits())
    still = standstill(plan, service, stored, pair.working)
    if still and still.noticed:
        causes.append(still.cause)
    if causes:
        return carried(service.name, causes, pair.usable)
    return in_time(service.name, still.cause) if still else transparent(service.name)


class Pair:
    """The state of a pair after a loss.

    The database needs a majority of its three voters (two members, one arbitrator), and relays through any of
    them. A member is usable when it is in that majority and every ward reaches it directly: the service has one
    address, which can be in one place only. A member on a frozen volume neither serves nor votes: it is evicted.
    """

    def __init__(self, service: Service, reach: Reach, stored: Storage) -> None:
        self._reach = reach
        self._stored = stored
        self._frozen = [why for member, why in stored.frozen.items() if member in service.runs_on]
        self._hosts = {member: reach.host_of(member) for member in service.runs_on}
        self._wards = reach.wards
        self._arbitrator = str(service.arbitrator)  # a plan with a pair and no arbitrator is refused
        self.working = [m for m in self._hosts if reach.member_alive(m) and m not in stored.frozen]

    @cached_property
    def usable(self) -> list[str]:
        """The members that can carry the service."""
        return [m for m in self.working if self._hosts[m] in self._majority and not self._cut_off(m)]

    @property
    def writing(self) -> list[str]:
        """The members in that majority, whether the wards reach them or not."""
        return [m for m in self.working if self._hosts[m] in self._majority]

    @cached_property
    def _majority(self) -> frozenset[str]:
        """Those nodes that hold the database's majority; none when there is no majority."""
        voters = [*(self._hosts[member] for member in self.working), self._arbitrator]
        half = (len(self._hosts) + 1) / 2
        return next((group for group in self._reach.components(voters) if len(group) > half), frozenset())

    def _cut_off(self, member: str) -> list[str]:
        """Give the wards that do not reach a member."""
        return [ward for ward in self._wards if not self._reach.talk(ward, self._hosts[member])]

    def why_stopped(self) -> Cause:
        """Say why no member is usable."""
        if not self.working:
            return self._why_none_works()
        if not self._majority:
            alone = Cause("no two voters of the database can talk", "la base de données n'a plus de majorité")
            return together([*self._frozen, alone])
        for ward in self._wards:
            if not self._reach.alive(ward):
                return Cause(f"{ward} itself is lost", f"{ward} est lui-même perdu")
        return Cause(
            "no member of the database's majority is within reach of every ward",
            "aucun membre de la majorité n'est joignable par tous les services de soins",
        )

    def _why_none_works(self) -> Cause:
        both = list(self._hosts)
        if not self._frozen:
            return Cause(f"{listed(both)} are both lost", f"{listed(both, 'et')} sont perdus tous les deux")
        return together([*self._lost(), *([self._stored.cause] if self._stored.active is None else self._frozen)])

    def _lost(self) -> Iterator[Cause]:
        yield from (self._reach.why_gone(member) for member in self._hosts if not self._reach.member_alive(member))

    def hits(self) -> Iterator[Cause]:
        """Give what a surviving pair has lost; nothing means that clients notice nothing."""
        names = {**{host: member for member, host in self._hosts.items()}, self._arbitrator: self._arbitrator}
        there: list[str] = []
        yield from self._lost()
        yield from self._frozen
        for node, name in names.items():
            if name in self._hosts and name not in self.working:
                continue
            if not self._reach.alive(node):
                yield Cause(f"the arbitrator {name} is lost", f"l'arbitre {name} est perdu")
            elif not any(self._reach.talk(node, other) for other in names if other != node):
                yield Cause(f"{name} is cut off", f"{name} est isolé")
            else:
                there.append(node)
        for host in (node for node in there if node != self._arbitrator):
            if cut_off := ", ".join(self._cut_off(names[host])):
                yield Cause(f"{cut_off} cannot reach {names[host]}", f"{cut_off} : {names[host]} est hors d'atteinte")
        for a, b in combinations(there, 2):
            if not self._reach.talk(a, b):
                a_b = f"{names[a]} and {names[b]} no longer talk", f"{names[a]} et {names[b]} ne se parlent plus"
                yield Cause(*a_b)
