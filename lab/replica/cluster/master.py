"""What the master decides: from the record and the facts, the next record. It forgets nothing that the record needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .corrections import Corrections
from .orders import obey
from .placement import Wanted, place, shares_used
from .record import AT_ONCE, Assignment, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .catalogue import Catalogue
    from .facts import Facts
    from .settings import Settings


class Master:
    """The decisions of one mastership.

    Args:
        catalogue: what the plan says.
        settings: the timers.
        event: told what explains a decision, once.
        now: when it began.
    """

    def __init__(self, catalogue: Catalogue, settings: Settings, event: Callable[[str, str], None], now: float) -> None:
        self._plan = self._catalogue = catalogue
        self._settings = settings
        self._event = event
        self._since = now
        self._said: set[str] = set()
        self._due: dict[str, tuple[int, float]] = {}  # server: the session that failed, and when the next may begin
        self._corrections = Corrections(catalogue, settings)

    def decide(self, record: Record, facts: Facts) -> Record:
        """The next record; the same one when nothing is to be changed."""
        record = obey(record, self._plan, self._event)
        self._catalogue = self._plan.sent(record.rooms)
        record = self._count_failures(self._without_vain_moves(record, facts), facts)
        wanted = self._wanted(record, facts)
        placed = self._place(record, wanted, facts) if wanted else record
        moves = self._corrections.moves(placed, facts, quiet=placed is record)
        return replace(placed, moves={**placed.moves, **moves}) if moves else placed

    def say(self, kind: str, detail: str) -> None:
        """An event, once in a mastership."""
        if detail not in self._said:
            self._said.add(detail)
            self._event(kind, detail)

    @staticmethod
    def _without_vain_moves(record: Record, facts: Facts) -> Record:
        """Nothing moves away from a dead host: its servers are restarted like the others."""
        left = {name: host for name, host in record.moves.items() if record.servers[name].host not in facts.dead}
        return record if len(left) == len(record.moves) else replace(record, moves=left)

    # Attempts

    def _count_failures(self, record: Record, facts: Facts) -> Record:
        """A server that fails wherever it is started is given up in the end; one that serves has all attempts again."""
        changed: dict[str, Assignment] = {}
        for name, one in record.servers.items():
            if one.attempt and not one.given_up and facts.is_healthy(name, one.host):
                changed[name] = replace(one, attempt=0)
            elif not one.given_up and self._failed(name, one, facts) and self._due.get(name, (0, 0))[0] != one.number:
                times, attempt = self._settings.attempts, one.attempt + 1
                if attempt < len(times):
                    self._due[name] = one.number, facts.now + times[attempt] - times[attempt - 1]
                else:
                    self._event("given up", f"{name} failed {attempt} times, the last time on {one.host}")
                    changed[name] = replace(one, given_up=True)
        if not changed:
            return record
        moves = {name: host for name, host in record.moves.items() if name not in changed}
        return replace(record, servers={**record.servers, **changed}, moves=moves)

    def _failed(self, name: str, one: Assignment, facts: Facts) -> bool:
        return self._gave_up(name, one, facts) == "failed"

    @staticmethod
    def _gave_up(name: str, one: Assignment, facts: Facts) -> str:
        """Why its host gave it up in this session, "" if it did not."""
        released = facts.released.get(one.host, {}).get(name)
        return released.reason if released is not None and released.number == one.number else ""

    # Who needs a host

    def _wanted(self, record: Record, facts: Facts) -> list[Wanted]:
        if "ha-off" in self._settings.defects:
            facts = replace(facts, dead=frozenset())
        able = facts.fresh - record.maintenance
        seeing = able & facts.see_storage
        found = []
        for name, spec in self._catalogue.servers.items():
            one = record.servers.get(name, Assignment())
            if not one.given_up and self._needs_host(name, one, facts):
                may = seeing - facts.withheld.get(name, frozenset()) if spec.volume else able
                may = self._first(name, may, facts) if not one.host else may
                avoid = one.host if self._gave_up(name, one, facts) in {"failed", "pdl"} else ""
                found.append(Wanted(name, may, likes=record.moves.get(name, ""), avoid=avoid))
        return found

    def _needs_host(self, name: str, one: Assignment, facts: Facts) -> bool:
        if not one.host or one.host in facts.dead or one.host not in self._catalogue.hosts:
            return True
        released = facts.released.get(one.host, {}).get(name)
        if released is None or released.number != one.number:
            return False
        failed, due = self._due.get(name, (0, 0.0))
        return failed != one.number or facts.now >= due

    def _first(self, name: str, may: frozenset[str], facts: Facts) -> frozenset[str]:
        """Before its first start a server waits for the host that the plan names, or for all of them."""
        if facts.now - self._since >= self._settings.host_dead:
            return may
        first = self._catalogue.servers[name].first
        if first in facts.dead:
            return may
        if first:
            return may & {first}
        return may if facts.fresh | facts.dead >= self._catalogue.hosts.keys() else frozenset()

    # Giving hosts

    def _place(self, record: Record, wanted: list[Wanted], facts: Facts) -> Record:
        hosts, servers = self._catalogue.hosts, self._catalogue.servers
        if "over-capacity" in self._settings.defects:
            hosts = {name: replace(host, cpu=float("inf"), memory=float("inf")) for name, host in hosts.items()}
        assigned = {name: one.host for name, one in record.servers.items() if one.host}
        placed = place(hosts, servers, assigned, self._admitted(record, wanted))
        self._note_waiting(record, wanted, placed, facts)
        chosen = sorted(placed, key=lambda name: (servers[name].priority, name))[:AT_ONCE]
        if not chosen:
            return record
        changed = {name: self._given(name, record.servers.get(name, Assignment()), placed[name]) for name in chosen}
        moves = {name: host for name, host in record.moves.items() if name not in changed}
        return replace(record, servers={**record.servers, **changed}, moves=moves)

    def _given(self, name: str, one: Assignment, host: str) -> Assignment:
        number = one.number if "no-fence" in self._settings.defects and one.number else one.number + 1
        failed = self._due.pop(name, (0, 0.0))[0] == one.number and one.number > 0
        return Assignment(host, number, one.attempt + failed)

    def _admitted(self, record: Record, wanted: list[Wanted]) -> list[Wanted]:
        """Admission control: first starts leave a share of the cluster free. Restarts are never refused by it."""
        servers = self._catalogue.servers
        started = [name for name, one in record.servers.items() if one.host and name in servers]
        admitted = []
        for one in sorted(wanted, key=lambda one: (servers[one.server].priority, one.server)):
            first = one.server not in record.servers or not record.servers[one.server].host
            refused = self._refused([*started, one.server]) if first else ""
            if refused:
                self.say("refused", f"{one.server}: admission control keeps {refused} free")
                continue
            admitted.append(one)
            started += [one.server] if first else []
        return admitted

    def _refused(self, started: list[str]) -> str:
        """What would not stay free if these servers were started; empty when all may."""
        used = shares_used(self._catalogue.hosts, self._catalogue.servers, started)
        kept = {"cores": self._settings.admission_cpu, "memory": self._settings.admission_memory}
        short = [
            (what, free) for share, (what, free) in zip(used, kept.items(), strict=True) if free and share > 1 - free
        ]
        return " and ".join(f"{free:.0%} of the {what}" for what, free in short)

    def _note_waiting(self, record: Record, wanted: list[Wanted], placed: Mapping[str, str], facts: Facts) -> None:
        for one in wanted:
            if one.server not in placed and record.servers.get(one.server, Assignment()).host and one.may:
                self.say("wait", f"{one.server} fits on no host that is there ({', '.join(sorted(facts.fresh))})")
