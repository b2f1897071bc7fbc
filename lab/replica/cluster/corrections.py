"""Moves that nobody's death asks for: rules that are violated when all is quiet, and hosts in maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .placement import Wanted, place, violates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalogue import Catalogue
    from .facts import Facts
    from .record import Record
    from .settings import Settings

LONE_MOVES = 8
"""Servers without a twin that leave a host in maintenance at the same time."""


class Corrections:
    """Finds the next moves; a member of a pair only while its twin serves elsewhere, and one at a time."""

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._quiet: tuple[frozenset[str], float] | None = None  # the hosts that are there, and since when all is quiet

    def moves(self, record: Record, facts: Facts, *, quiet: bool) -> dict[str, str]:
        """Servers to move, with their targets."""
        found = self._evacuate(record, facts)
        if found or record.moves or not quiet or not self._settled(record, facts):
            self._quiet = None
            return found
        if self._quiet is None or self._quiet[0] != facts.fresh:
            self._quiet = facts.fresh, facts.now
        if facts.now - self._quiet[1] < self._settings.corrected_after:
            return {}
        return self._correct(record, facts)

    def _settled(self, record: Record, facts: Facts) -> bool:
        """Every host is there or dead, and nothing boots. A server that waits for a place may wait for long."""
        if facts.fresh | facts.dead < self._catalogue.hosts.keys():
            return False
        for name, one in record.servers.items():
            expected = one.host in facts.fresh and not one.given_up and name not in facts.released.get(one.host, {})
            if expected and facts.states[one.host].get(name, "booting") == "booting":
                return False
        return True

    def _correct(self, record: Record, facts: Facts) -> dict[str, str]:
        hosts, servers = self._catalogue.hosts, self._catalogue.servers
        assigned = {name: one.host for name, one in record.servers.items() if one.host}
        better: list[tuple[int, str, str]] = []  # what is still violated after the move, server, target
        for name, spec in servers.items():
            here = assigned.get(name, "")
            if not spec.twin or here not in hosts or not violates(hosts, servers, assigned, name, here):
                continue
            target = self._better(name, record, facts)
            if target and (self._twin_serves(name, record, facts) or "move-both-twins" in self._settings.defects):
                better.append((violates(hosts, servers, assigned, name, target), name, target))
        # Of two that could part, the one that is away goes: moving the other would leave both in the wrong room.
        better = sorted(better) or self._swap(record, facts)
        if "move-both-twins" not in self._settings.defects:
            better = better[:1]
        return {name: target for _, name, target in better}

    def _swap(self, record: Record, facts: Facts) -> list[tuple[int, str, str]]:
        """Members that stand in each other's room: one goes home beside its twin, which then goes home as well."""
        hosts, servers = self._catalogue.hosts, self._catalogue.servers
        for name, spec in servers.items():
            here, there = record.servers[name].host, record.servers[spec.twin].host if spec.twin else ""
            if here not in hosts or there not in hosts or hosts[here].room == spec.prefers:
                continue
            if hosts[there].room == spec.prefers != servers[spec.twin].prefers and self._twin_serves(
                name, record, facts
            ):
                home = frozenset(host for host, about in hosts.items() if about.room == spec.prefers)
                target = self._target(name, record, facts, {}, home)
                if target:
                    return [(0, name, target)]
        return []

    def _better(self, name: str, record: Record, facts: Facts) -> str:
        """A host where it violates less, "" for none."""
        hosts, servers = self._catalogue.hosts, self._catalogue.servers
        assigned = {name: one.host for name, one in record.servers.items() if one.host}
        target = self._target(name, record, facts, {})
        now = violates(hosts, servers, assigned, name, assigned[name])
        return target if target and violates(hosts, servers, assigned, name, target) < now else ""

    def _target(
        self, name: str, record: Record, facts: Facts, found: Mapping[str, str], among: frozenset[str] | None = None
    ) -> str:
        may = facts.fresh - record.maintenance - {record.servers[name].host}
        may = may if among is None else may & among
        if self._catalogue.servers[name].volume:
            may = (may & facts.see_storage) - facts.withheld.get(name, frozenset())
        moves = {**record.moves, **found}
        assigned = {name: moves.get(name, one.host) for name, one in record.servers.items() if one.host}
        wanted = [Wanted(name, frozenset(may))]
        return place(self._catalogue.hosts, self._catalogue.servers, assigned, wanted).get(name, "")

    def _twin_serves(self, name: str, record: Record, facts: Facts) -> bool:
        twin = self._catalogue.servers[name].twin
        one = record.servers.get(twin)
        return one is not None and twin not in record.moves and facts.is_healthy(twin, one.host)

    def _evacuate(self, record: Record, facts: Facts) -> dict[str, str]:
        """Servers leave a host in maintenance: pairs in turn, the others a few at a time."""
        servers = self._catalogue.servers
        there = [
            name
            for name, one in record.servers.items()
            if one.host in record.maintenance & facts.fresh and name in servers and name not in record.moves
        ]
        found: dict[str, str] = {}
        pairs = any(servers[name].twin for name in record.moves if name in servers)
        in_turn = "move-both-twins" not in self._settings.defects
        for name in sorted(there, key=lambda name: (servers[name].priority, name)):
            paired = bool(servers[name].twin)
            if len(record.moves) + len(found) >= LONE_MOVES:
                break
            if paired and in_turn and (pairs or not self._twin_serves(name, record, facts)):
                continue
            target = "" if record.servers[name].given_up else self._target(name, record, facts, found)
            if target:
                found[name] = target
                pairs = pairs or paired
        return found
