"""A virtualisation node: its lease, its volumes, and who may use them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .lease import Lease
from .store import CHARGE, OWNER, REFUSED, STANDBY, UNKNOWN, WITHHELD
from .volume import Phase, Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from .geometry import Geometry, Settings
    from .store import Entry, Store
    from .work import Host, HostLink, Outside

# Seconds. A standby tells that it lives more often than the owner asks, so that two questions see it move.
_STANDBY_TELLS, _OWNER_ASKS = 0.8, 1.0
_MASKS_READ = 1.0  # between two looks at which hosts may see what
_UNREACHED = 1.0  # an owner that reaches no copy of anything lets the other node try
_PAUSE = 5.0
# Seconds for which the other room's node serves on after the preferred room's is back and all copies are in sync. The
# way back is late on purpose: a node that comes and goes must not move the volumes each time.
_HOME = 2.0
# Questions to the arbiters in which an order of a human may end, of 0.4 s or less: with a room goes one of them, maybe
# their leader, and the next is chosen in one to two seconds.
_TRIES = 15


@dataclass(frozen=True)
class Refused:
    """A host is not let in.

    Args:
        sentence: why.
        stale: for good: a newer session of the volume exists.
        gone: for good: the volume was taken away from the host.
    """

    sentence: str
    stale: bool = False
    gone: bool = False


Verdict: TypeAlias = "Callable[[Host | Refused, float], None]"


class Node:
    """One virtualisation node.

    Args:
        name: its own.
        preferred: whether it stands in the preferred room.
        volumes: what it serves when it is active.
        arrays: those that may hold a copy, each with whether it is near.
        begins: by volume, the arrays that hold a copy when nothing is on record.
        alone: by stand-alone volume, the array that serves it until it is taken in.
        outside: by volume, opens sessions on arrays.
        store: the arbiters.
        settings: what may be tuned.
        room: where it stands, if only the room in charge may serve; "" where either may.

    Attributes:
        withheld: by volume, the hosts that may not see it, as last read.
    """

    def __init__(  # noqa: PLR0913 - the parts of its world, each named
        self,
        name: str,
        *,
        preferred: bool,
        volumes: Iterable[Geometry],
        arrays: Mapping[str, bool],
        begins: Mapping[str, Collection[str]],
        alone: Mapping[str, str] | None = None,
        outside: Callable[[str], Outside],
        store: Store,
        settings: Settings,
        room: str = "",
    ) -> None:
        self.name = name
        self._room = room
        self._store = store
        self.lease = Lease(name, preferred=preferred, store=store, taken=self._taken, dropped=self._dropped, room=room)
        self.volumes = {
            geometry.volume: Volume(
                geometry,
                arrays.items(),
                begins=begins[geometry.volume],
                alone=(alone or {}).get(geometry.volume, ""),
                outside=outside(geometry.volume),
                store=store,
                lease=self.lease,
                settings=settings,
            )
            for geometry in volumes
        }
        self.said = ""  # why it is not active any more
        self.withheld: dict[str, frozenset[str]] = {}
        self._masks_read = float("-inf")
        self._told = self._asked = float("-inf")
        self._preferred = preferred
        self.reaches = frozenset(arrays)  # of the arrays, as far as the program knows; a standby tells it
        self._standby: int | None = None
        self._standby_reaches: frozenset[str] = frozenset()
        self._whole_since: float | None = None

    def tick(self, now: float) -> None:
        """Look after time: every 0.1 s or so."""
        self.lease.tick(now)
        if not self.lease.epoch:
            if self.lease.willing(now) and self.lease.in_charge and self.reaches and now >= self._told + _STANDBY_TELLS:
                self._told = now
                self._store.swap({}, {STANDBY: json.dumps(sorted(self.reaches))}, lambda _outcome, _now: None)
            return
        for volume in self.volumes.values():
            if now >= self.lease.until:
                volume.cut()
            volume.tick(now)
        if now >= self._masks_read + _MASKS_READ:
            self._masks_read = now
            self._store.read((WITHHELD,), self._masked)
        self._consider(now)

    def stop(self, now: float) -> None:
        """A planned stop: the other node may take over at once."""
        self.lease.release(now, "stopped", pause=float("inf"))

    def _taken(self, epoch: int, now: float) -> None:
        self.said = ""
        self._masks_read = float("-inf")
        for volume in self.volumes.values():
            volume.open(epoch, now)

    def _dropped(self, reason: str, now: float) -> None:
        self.said = reason
        for volume in self.volumes.values():
            volume.close(now)

    def _consider(self, now: float) -> None:
        """Let the other node serve, if it lives, and could better, or should."""
        reason, needed = self._why_leave(now)
        if not reason:
            self._standby, self._standby_reaches = None, frozenset()
        elif self._standby_reaches >= needed and self._standby_reaches:
            self._standby, self._standby_reaches = None, frozenset()
            self.lease.release(now, reason, pause=_PAUSE)
        elif now >= self._asked + _OWNER_ASKS:
            self._asked = now
            self._store.read((STANDBY,), self._standby_seen)

    def _why_leave(self, now: float) -> tuple[str, frozenset[str]]:
        """Why the other node should serve, "" if it need not; and which arrays it must reach for that."""
        ours = [volume for volume in self.volumes.values() if volume.phase is not Phase.OUTSIDE]
        mirrored = [volume for volume in ours if volume.copies]
        since = [volume.unreached_since for volume in mirrored if volume.unreached_since is not None]
        if mirrored and len(since) == len(mirrored) and now - max(since) >= _UNREACHED:
            return "no copy of any volume is reached", frozenset()
        whole = not self._preferred and all(volume.is_whole for volume in self.volumes.values())
        self._whole_since = (now if self._whole_since is None else self._whole_since) if whole else None
        if self._whole_since is not None and now - self._whole_since >= _HOME:
            held = {copy.array for volume in mirrored for copy in volume.copies}
            return "the preferred room is back", frozenset(held)
        return "", frozenset()

    def _standby_seen(self, found: Mapping[str, Entry] | None, _now: float) -> None:
        if found is None:
            return
        entry = found[STANDBY]
        if self._standby is not None and self._standby != entry.revision:  # it moved: the other node lives
            self._standby_reaches = frozenset(json.loads(entry.value))
        self._standby = entry.revision

    def welcome(self, name: str, number: int | None, link: HostLink, then: Verdict, now: float) -> None:
        """Somebody asks for a volume: a host with the number of its session, or None for one who only reads."""
        volume = self.volumes[name]
        refused = self._unready(volume, now)
        if refused is not None:
            then(refused, now)
        elif number is None:
            then(volume.hosts.admit_reader(link), now)
        else:
            # Asked for now, and not earlier: no host that another node let in before this epoch can be newer.
            # As fresh as that: whether its host may see the volume.
            key = f"sessions/{name}"
            epoch = volume.epoch

            def checked(found: Mapping[str, Entry] | None, now: float) -> None:
                refused = self._unready(volume, now)
                if refused is None and (found is None or epoch != volume.epoch):
                    refused = Refused(f"{self.name}: no arbiter says whose {name} is")
                if refused is None and found is not None:
                    self._masked(found, now)
                    refused = _unlike(volume, number, found[key]) or self._hidden(volume, found[key])
                then(refused or volume.hosts.admit(link, number, now), now)

            self._store.read((key, WITHHELD), checked)

    # Charge

    def take_charge(self, then: Callable[[str], None]) -> None:
        """A human says that this node's room serves from now on, from its own copies; `then` hears "", or why not.

        In one swap, so that no other node can serve after it: the room, whose the lease is, and from which copies. The
        sessions end with it: these copies may be older than what a host has seen, and nothing that it still holds may
        be written to them.
        """
        volumes = [volume for volume in self.volumes.values() if volume.known]
        records = [key for volume in volumes for key in (volume.record.key, f"sessions/{volume.name}")]
        left, unconfirmed = _TRIES, "the arbiters did not confirm it"

        def again(reason: str) -> None:
            nonlocal left
            left -= 1
            if left:
                self._store.read((CHARGE, OWNER, *records), read)
            else:
                then(f"{self.name}: {reason}")

        def read(found: Mapping[str, Entry] | None, _now: float) -> None:
            if found is None:
                again("no arbiter answers")
                return
            put = {CHARGE: self._room, OWNER: json.dumps({"node": self.name})}
            for volume in volumes:
                entry, session = found[volume.record.key], found[f"sessions/{volume.name}"]
                generation = int(json.loads(entry.value)["generation"]) if entry.revision else 0
                names = [copy.array for copy in volume.known]
                told = {"in_sync": names, "copies": names, "blank": [], "retiring": [], "generation": generation}
                put[volume.record.key] = json.dumps(told)
                if session.revision:
                    number = int(json.loads(session.value)["number"]) + 1
                    put[f"sessions/{volume.name}"] = json.dumps({"host": "", "number": number})
            expect = {key: entry.revision for key, entry in found.items()}
            self._store.swap(expect, put, written)

        def written(outcome: int, _now: float) -> None:
            if outcome == UNKNOWN:  # once more does no harm: it says the same
                again(unconfirmed)
            else:
                then(f"{self.name}: {unconfirmed}" if outcome == REFUSED else "")

        if not self._room:
            then(f"{self.name}: the rooms are mirrored, whoever has the lease serves")
        else:
            self._store.read((CHARGE, OWNER, *records), read)

    # Masking

    def mask(self, name: str, host: str, then: Callable[[str], None], *, withheld: bool) -> None:
        """Take a volume away from a host, or give it back; `then` hears "", or why it was not done.

        A host that has it open is cut, and hears why when it asks again.
        """

        def read(found: Mapping[str, Entry] | None, _now: float) -> None:
            if found is None:
                then(f"{self.name}: no arbiter answers")
                return
            masks = _masks(found[WITHHELD])
            hosts = masks.get(name, frozenset())
            masks[name] = hosts | {host} if withheld else hosts - {host}
            told = json.dumps({volume: sorted(names) for volume, names in masks.items() if names})

            def written(outcome: int, _now: float) -> None:
                if outcome in {REFUSED, UNKNOWN}:
                    then(f"{self.name}: the arbiters did not confirm it")
                    return
                self.withheld = masks
                if withheld and self.volumes[name].hosts.host == host:
                    self.volumes[name].hosts.cut()
                then("")

            self._store.swap({WITHHELD: found[WITHHELD].revision}, {WITHHELD: told}, written)

        self._store.read((WITHHELD,), read)

    def _masked(self, found: Mapping[str, Entry] | None, _now: float) -> None:
        if found is not None:
            self.withheld = _masks(found[WITHHELD])

    def _hidden(self, volume: Volume, entry: Entry) -> Refused | None:
        """Why the host of the session on record may not see the volume."""
        host = json.loads(entry.value).get("host", "") if entry.revision else ""
        volume.hosts.host = host
        if host in self.withheld.get(volume.name, ()):
            return Refused(f"{volume.name} was taken away from {host}", gone=True)
        return None

    def _unready(self, volume: Volume, now: float) -> Refused | None:
        if not self.lease.epoch:
            return Refused(f"{self.name} is standby{f' ({self.said})' if self.said else ''}")
        if now >= self.lease.until:
            return Refused(f"{self.name}: the lease has run out")
        if volume.phase is not Phase.SERVING:
            return Refused(f"{self.name}: {volume.trouble or f'{volume.name} is {volume.phase.value}'}")
        return None


def _unlike(volume: Volume, number: int, entry: Entry) -> Refused | None:
    """Why a session with this number is not the one on record."""
    known = max(int(json.loads(entry.value)["number"]) if entry.revision else 0, volume.hosts.session)
    if number < known:
        return Refused(f"{volume.name}: session {number} is over, the newest is {known}", stale=True)
    if number > known:
        return Refused(f"{volume.name}: session {number} is not known yet, the newest is {known}")
    return None


def _masks(entry: Entry) -> dict[str, frozenset[str]]:
    found = json.loads(entry.value) if entry.revision else {}
    return {volume: frozenset(hosts) for volume, hosts in found.items()}
