"""Who decides when rooms part, for every cut of a plan; derived from the plan, held against the lab by a scenario.

Who serves the storage, who may be master of the cluster, which servers are restarted elsewhere, which members of a pair
write, and which of them may have its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from lab.expectation.pair import Pair
from lab.expectation.reach import MANAGEMENT, STORAGE, Reach
from lab.expectation.storage import Storage, storage
from lab.plan import NETWORKS, Continuity, NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.plan import Plan


@dataclass(frozen=True)
class Cut:
    """What parts two places: every cable between them, or one network of each."""

    one: str
    other: str
    network: str | None
    lost: frozenset[str]

    @property
    def name(self) -> str:
        """Its name in a table and in a test."""
        return f"{self.one}/{self.other}{f' ({self.network})' if self.network else ''}"


@dataclass(frozen=True)
class Decided:
    """Who wins once a cut has held for long enough that all timers have run out.

    Args:
        storage: who serves, from which copies, what is frozen.
        masters: hosts one of which decides for the cluster: they reach a majority of the arbiters, and the storage.
        moves: servers that are restarted elsewhere: their host lives and is heard no more, or their volume is frozen.
        writers: by pair, members in its primary component.
        holders: by pair, members that may have the address.
    """

    storage: Storage
    masters: tuple[str, ...]
    moves: tuple[str, ...]
    writers: dict[str, tuple[str, ...]]
    holders: dict[str, tuple[str, ...]]


def cuts(plan: Plan) -> Iterator[Cut]:
    """Every cut between two places of a plan that cables join: all cables, then each network alone."""
    for one, other in combinations(plan.places, 2):
        cables = plan.cables_between(one, other)
        carried = [network for network in NETWORKS if any(network in cable.carries for cable in cables)]
        if cables:
            yield Cut(one, other, None, frozenset(cable.name for cable in cables))
        for network in carried if len(carried) > 1 else ():
            parts = frozenset(f"{cable.name}/{network}" for cable in cables if network in cable.carries)
            yield Cut(one, other, network, parts)


def decided(plan: Plan, cut: Cut, placement: Mapping[str, str] | None = None) -> Decided:
    """Derive who wins, with servers where they start, or where they are now."""
    reach, stored = Reach(plan, cut.lost, placement), storage(plan, cut.lost, placement=placement)
    masters = able_to_decide(plan, reach, stored)
    pairs = {
        service.name: Pair(service, reach, stored)
        for service in plan.services.values()
        if plan.servers[service.runs_on[0]].continuity is Continuity.PAIR
    }
    return Decided(
        stored,
        masters,
        tuple(name for name in plan.servers if name in stored.frozen or _is_unheard(plan, reach, masters, name)),
        {name: tuple(pair.writing) for name, pair in pairs.items()},
        {name: tuple(pair.usable) for name, pair in pairs.items()},
    )


def able_to_decide(plan: Plan, reach: Reach, stored: Storage) -> tuple[str, ...]:
    """The hosts that may be master: those that reach the arbiters, and of these those that see the storage."""
    hosts = [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]
    heard = [host for host in hosts if not reach.cut_off(host)]
    deciding = [host for host in heard if any(reach.talk(host, voter, MANAGEMENT) for voter in stored.majority)]
    seeing = [host for host in deciding if stored.active and reach.talk(host, stored.active, STORAGE)]
    return tuple(seeing or deciding)


def _is_unheard(plan: Plan, reach: Reach, masters: tuple[str, ...], server: str) -> bool:
    """Whether neither its heartbeats over management nor those over storage come to any master."""
    host = reach.host_of(server)
    relays = [node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]

    def heard(master: str) -> bool:
        if reach.talk(host, master, MANAGEMENT):
            return True
        return any(reach.talk(host, relay, STORAGE) and reach.talk(master, relay, STORAGE) for relay in relays)

    return bool(masters) and not any(heard(master) for master in masters)


def table(plan: Plan) -> str:
    """Say all of it, as a table in Markdown."""
    lines = [
        "| cut between | storage served by | from | HA decided in | restarted elsewhere | database writes | address |",
        "|---|---|---|---|---|---|---|",
    ]
    for cut in cuts(plan):
        found = decided(plan, cut)
        rooms = dict.fromkeys(plan.nodes[host].place for host in found.masters)
        cells = (
            cut.name,
            found.storage.active or "nobody",
            ", ".join(found.storage.in_sync) or "nothing",
            _named(rooms, " or "),
            ", ".join(found.moves) or "nothing",
            _named([name for names in found.writers.values() for name in names]),
            _named([name for names in found.holders.values() for name in names], " or "),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _named(names: Iterable[str], between: str = ", ") -> str:
    return between.join(names) or "nobody"
