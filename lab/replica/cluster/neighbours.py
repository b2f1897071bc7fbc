"""What a host has heard of the others: beats over the management network, and what the storage says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .beat import Beat, Released
    from .settings import Settings

NEVER = float("-inf")


class Neighbours:
    """The other hosts, as heard here.

    Args:
        host: the one that listens.
        hosts: all of the cluster.
        settings: the timers.
    """

    def __init__(self, host: str, hosts: Iterable[str], settings: Settings) -> None:
        self._host = host
        self._settings = settings
        self.others = tuple(sorted(set(hosts) - {host}))
        self.beats: dict[str, Beat] = {}
        self._heard: dict[str, float] = {}
        self._stored: dict[str, float] = {}
        self._boots: dict[str, int] = {}
        self._left_in_storage: dict[str, tuple[int, Mapping[str, Released]]] = {}
        self._since = NEVER
        self.withheld: Mapping[str, frozenset[str]] = {}  # by server, hosts that may not see its volume
        self.answered = NEVER  # when the storage network last answered at all

    def begin(self, now: float) -> None:
        """Silence counts from here."""
        if self._since == NEVER:
            self._since = now

    def heard(self, beat: Beat, now: float) -> None:
        """A beat; one that is late or comes twice says nothing."""
        last = self.beats.get(beat.host)
        if beat.host not in self.others or (last and (beat.boot, beat.seq) <= (last.boot, last.seq)):
            return
        self.beats[beat.host] = beat
        self._heard[beat.host] = now
        self._boots[beat.host] = max(beat.boot, self._boots.get(beat.host, 0))

    def stored(self, ages: Mapping[str, tuple[float, int, Mapping[str, Released]]], now: float) -> None:
        """The storage network's answer: when it last heard each host."""
        self.answered = now
        for host, (age, boot, released) in ages.items():
            if host in self.others:
                self._stored[host] = max(now - age, self._stored.get(host, NEVER))
                self._boots[host] = max(boot, self._boots.get(host, 0))
                self._left_in_storage[host] = (boot, released)

    def forgive(self, seconds: float, now: float) -> None:
        """This host was deaf for so long: nobody else's silence."""
        for times in (self._heard, self._stored):
            for host in times:
                times[host] = min(times[host] + seconds, now)
        self._since += seconds
        self.answered = min(self.answered + seconds, now)

    def silence(self, host: str, now: float) -> float:
        """Seconds without a beat over the management network."""
        return now - max(self._heard.get(host, NEVER), self._since)

    def alone(self, now: float) -> float:
        """Seconds without a beat from anybody."""
        return min((self.silence(host, now) for host in self.others), default=0.0)

    def fresh(self, now: float) -> list[str]:
        """The others that are there now."""
        return [host for host in self.others if host in self._heard and now - self._heard[host] < self._settings.fresh]

    def is_dead(self, host: str, now: float) -> bool:
        """Neither network nor storage has heard of it for too long."""
        limit = self._settings.host_dead_with_storage if host in self._stored else self._settings.host_dead
        return self.silence(host, now) >= limit and now - max(self._stored.get(host, NEVER), self._since) >= limit

    def see_storage(self, now: float) -> frozenset[str]:
        """The others that are there, and say that they see the storage."""
        return frozenset(host for host in self.fresh(now) if self.beats[host].sees_storage)

    def released(self, host: str) -> dict[str, Released]:
        """What it gave up, by whatever way it told that in its present life."""
        boot, left = self._left_in_storage.get(host, (0, {}))
        newest = self._boots.get(host, 0)
        found = dict(left) if boot == newest else {}
        beat = self.beats.get(host)
        if beat is not None and beat.boot == newest:
            for server, one in beat.released.items():
                if server not in found or found[server].number < one.number:
                    found[server] = one
        return found
