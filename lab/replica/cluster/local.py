"""The servers of one host: starts what the record gives it, stops what it does not, gives up what cannot run here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .beat import Released, RunningState, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalogue import Catalogue
    from .outside import Outside
    from .record import Assignment, Record
    from .settings import Settings

QUICK_FAILURES = 3
"""Crashes in a row after which another host may try."""


@dataclass(frozen=True)
class Situation:
    """What this host knows of itself.

    Args:
        certain: the record was read a moment ago: what it says may be started.
        sees_storage: whether the storage answers.
        others_see_storage: whether another host says that it does there.
        isolated: nobody hears this host, for long enough to act upon.
        withheld: servers whose volume this host may not see.
    """

    certain: bool
    sees_storage: bool
    others_see_storage: bool
    isolated: bool
    withheld: frozenset[str] = frozenset()


@dataclass
class _Told:
    """The last order to the hypervisor, until it shows."""

    start: bool
    until: float
    since: float


@dataclass
class _Crashes:
    """How often a server crashed in a row in this session."""

    number: int
    count: int = 0
    started: float = float("-inf")
    due: float | None = None


class Local:
    """What one host does with its servers."""

    def __init__(self, host: str, catalogue: Catalogue, settings: Settings, outside: Outside) -> None:
        self._host = host
        self._catalogue = catalogue
        self._settings = settings
        self._outside = outside
        self.released: dict[str, Released] = {}
        self.running: Mapping[str, RunningState] = {}
        self.looked = False  # whether the hypervisor has said what runs
        self._told: dict[str, _Told] = {}
        self._crashes: dict[str, _Crashes] = {}
        self._without_storage: float | None = None

    @property
    def given_up(self) -> dict[str, Released]:
        """What another host may have now; a guest that was asked to stop is left its time first."""
        return {
            name: one for name, one in self.released.items() if one.reason != "isolated" or name not in self.running
        }

    def tick(self, record: Record, here: Situation, now: float) -> None:
        """Bring what runs here nearer to the record."""
        if not self.looked:
            return
        mine = {name: one for name, one in record.servers.items() if one.host == self._host}
        for name in [
            name for name, one in self.released.items() if name not in mine or mine[name].number != one.number
        ]:
            del self.released[name]
        self._forget_shown(now)
        self._note_storage(here, now)
        for name, state in self.running.items():
            self._look_after(name, state, mine.get(name), here, now, leaving=name in record.moves)
        self._start_missing(mine, record, here, now)

    def _forget_shown(self, now: float) -> None:
        for name, told in list(self._told.items()):
            state = self.running.get(name)
            shown = (state is not None and state.state is not State.FAILED) if told.start else state is None
            if shown or (told.start and now >= told.until):
                del self._told[name]

    def _note_storage(self, here: Situation, now: float) -> None:
        if here.sees_storage:
            self._without_storage = None
        elif self._without_storage is None:
            self._without_storage = now

    # What runs

    def _look_after(  # noqa: PLR0913 - what is known of one server
        self, name: str, state: RunningState, one: Assignment | None, here: Situation, now: float, *, leaving: bool
    ) -> None:
        if one is None or one.number != state.number:
            self._stop(name, "the record has it elsewhere", now, hard=True)
        elif name in self.released:
            self._stop(name, self.released[name].reason, now, hard=self.released[name].reason != "isolated")
        elif state.pdl:
            self._release(name, state.number, "pdl", now, hard=True)
        elif state.state is State.FAILED:
            self._crashed(name, state, now)
        elif self._held_too_long(state, here):
            self._release(name, state.number, "storage", now, hard=True)
        elif here.isolated and self._settings.isolation_policy == "stop":
            self._release(name, state.number, "isolated", now, hard=False)
        elif leaving:
            self._stop(name, "it moves", now, hard=False)
        elif self._is_hung(state):
            self._outside.event("reset", f"{name} gives no sign on {self._host}")
            self._stop(name, "it gives no sign", now, hard=True)

    def _held_too_long(self, state: RunningState, here: Situation) -> bool:
        conservative = self._settings.vmcp_policy == "conservative"
        return conservative and state.held >= self._settings.vmcp and here.others_see_storage

    def _is_hung(self, state: RunningState) -> bool:
        silent = state.silent >= self._settings.guest_silent and state.idle >= self._settings.guest_io_window
        return state.state is State.HUNG and silent

    def _release(self, name: str, number: int, reason: str, now: float, *, hard: bool) -> None:
        """Give it up. It still counts as here until it has stopped."""
        self.released[name] = Released(number, reason)
        self._outside.event("release", f"{self._host} gives up {name}: {reason}")
        if name in self.running:
            self._stop(name, reason, now, hard=hard)

    def _stop(self, name: str, reason: str, now: float, *, hard: bool) -> None:
        told = self._told.get(name)
        since = now if told is None or told.start else told.since
        hard = hard or now - since >= self._settings.guest_shutdown
        if told is None or told.start or now >= told.until:
            self._told[name] = _Told(start=False, until=now + self._settings.patience, since=since)
            self._outside.stop(name, reason, hard=hard)

    def _crashed(self, name: str, state: RunningState, now: float) -> None:
        if name in self._told:
            return
        crashes = self._crashes.get(name)
        if crashes is None or crashes.number != state.number:
            crashes = self._crashes[name] = _Crashes(state.number)
        if crashes.due is None:
            quick = now - crashes.started < self._settings.quick_failure + self._catalogue.servers[name].boot
            crashes.count = crashes.count + 1 if quick else 1
            crashes.due = now + self._settings.heartbeat * 2 ** (crashes.count - 1)
            self._outside.event("crash", f"{name} failed on {self._host} ({crashes.count})")
            if crashes.count >= QUICK_FAILURES:
                self._release(name, state.number, "failed", now, hard=True)

    # What does not run

    def _start_missing(self, mine: Mapping[str, Assignment], record: Record, here: Situation, now: float) -> None:
        if not here.certain or here.isolated:
            return
        missing = [name for name in mine if self._is_missing(name, mine[name], record, here, now)]
        starting = sum(state.state is State.STARTING for state in self.running.values())
        starting += sum(told.start for name, told in self._told.items() if name not in self.running)
        servers = self._catalogue.servers
        missing.sort(key=lambda name: (servers[name].priority, name))
        for name in missing[: max(0, self._settings.power_ons - starting)]:
            if not self._fits(name):
                continue  # what the record has elsewhere by now is still stopping
            number = mine[name].number
            self._told[name] = _Told(start=True, until=now + self._settings.patience, since=now)
            crashes = self._crashes.setdefault(name, _Crashes(number))
            if crashes.number != number:
                crashes = self._crashes[name] = _Crashes(number)
            crashes.started, crashes.due = now, None
            self._outside.event("start", f"{name} on {self._host}, session {number}")
            self._outside.start(name, number)

    def _fits(self, name: str) -> bool:
        """Whether the host has room for it beside what runs or starts, wanted or not."""
        host, servers = self._catalogue.hosts[self._host], self._catalogue.servers
        there = {name for name, state in self.running.items() if state.state is not State.FAILED}
        there |= {name for name, told in self._told.items() if told.start} | {name}
        known = [servers[name] for name in there if name in servers]
        fits = sum(one.cpu for one in known) <= host.cpu and sum(one.memory for one in known) <= host.memory
        return fits or "over-capacity" in self._settings.defects

    def _is_missing(self, name: str, one: Assignment, record: Record, here: Situation, now: float) -> bool:
        state = self.running.get(name)
        if name not in self._catalogue.servers or one.given_up or name in self.released or name in self._told:
            return False
        if state is not None:
            due = self._crashes[name].due if name in self._crashes else None
            if state.state is not State.FAILED or state.number != one.number or due is None or now < due:
                return False
        if name in record.moves:
            self._release(name, one.number, "move", now, hard=False)
            return False
        if name in here.withheld:
            self._release(name, one.number, "pdl", now, hard=True)
            return False
        if self._catalogue.servers[name].volume and not here.sees_storage:
            since = now if self._without_storage is None else self._without_storage
            if now - since >= self._settings.vmcp and here.others_see_storage:
                self._release(name, one.number, "storage", now, hard=True)
            return False
        return True
