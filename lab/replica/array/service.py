"""The volumes of an array, served: admission by epoch, requests through the mischief to the media."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from ..nbd.protocol import Kind, Offer, Refusal, RefusedError
from .fence import Fence, parse
from .layout import metadata_length
from .medium import Medium
from .mischief import Mischief, OrderError
from .pool import Pool
from .replication import Replication
from .shelf import Shelf, StartError
from .work import KINDS, Counters, perform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..nbd.protocol import Request
    from ..nbd.server import Link
    from .config import ArrayConfig

_LOG = logging.getLogger("array")


class Writer:
    """A session on one volume; with an epoch it writes, as a host of a stand-alone one, without either it only reads.

    Args:
        array: whose volume it is.
        volume: its name.
        link: the connection.
        epoch: of a virtualiser.
        number: of the session of a host.
    """

    def __init__(
        self, array: Array, volume: str, link: Link, *, epoch: int | None = None, number: int | None = None
    ) -> None:
        self.volume = volume
        self.epoch = epoch
        self.number = number
        self.peer = link.peer
        self.offer = array.offer(volume, epoch, number)
        self._array = array
        self._medium = array.medium(volume)
        self._link = link
        self._is_over = False
        self._late: deque[Request] = deque()

    def request(self, request: Request) -> None:
        """Do it, now or after the time that the array is slowed by."""
        slow = self._array.mischief.slow
        if slow or self._late:
            self._late.append(request)
            asyncio.get_running_loop().call_later(slow, self._do_next)
        else:
            self._do(request)

    def _do_next(self) -> None:
        """Do the oldest that waits: requests are done in order, a flush after all writes before it."""
        self._do(self._late.popleft())

    def cut(self) -> None:
        """End it: nothing of it, not even what already waits, reaches the volume any more."""
        self._is_over = True
        self._link.abort()

    def lost(self) -> None:
        """The client is gone."""
        self._is_over = True
        self._array.left(self)

    def _do(self, request: Request) -> None:
        if self._is_over:
            return
        array = self._array
        error = perform(self._medium, request, array.counters, flushes=array.flushes)
        if error and request.kind is Kind.READ:
            array.mischief.failed_reads += 1
        elif error == errno.ENOSPC:
            array.mischief.refused_writes += 1


class Array:
    """One array at work. Raises StartError.

    Attributes:
        boot: another word at each start, so that a client notices a restart, however short.
    """

    def __init__(self, config: ArrayConfig) -> None:
        self.boot = os.urandom(4).hex()
        self.flushes = "no-flush" not in config.defects
        self.counters = Counters()
        self._config = config
        self._shelf = Shelf(config)
        self._pool = Pool(config.capacity)
        self.media = {
            name: Medium(path, size + metadata_length(size), self._pool, counted=size)
            for name, path in self._shelf.open().items()
            for size in (config.volumes[name].size,)
        }
        if self._pool.used > config.capacity:
            held = ", ".join(f"{name} {medium.used >> 20} MiB" for name, medium in sorted(self.media.items()))
            raise StartError(
                f"array {config.name} is full: its volumes hold {self._pool.used >> 20} MiB ({held}) and it has "
                f"{config.capacity >> 20} MiB; make its capacity larger in the plan, or its volumes' templates smaller."
            )
        self.mischief = Mischief(self.media, self._pool)
        told = config.replication
        self.replication = (
            Replication(config.name, config.folder, self.media, told, config.defects) if told is not None else None
        )
        self._fence: Fence[Writer] = Fence(
            config.name,
            self._shelf.epoch,
            is_open="no-epoch-check" in config.defects,
            hosts_stay="host-not-fenced" in config.defects,
            alone=self._shelf.alone,
        )
        self._readers: set[Writer] = set()

    def names(self) -> Sequence[str]:
        """The volumes; each is served as `VOLUME` to read, as `VOLUME@EPOCH` (`#SESSION` for a host) to write."""
        return sorted(self.media)

    async def describe(self, name: str) -> Offer:
        """What a client would be offered. Raises RefusedError."""
        volume, epoch, number = self._parse(name)
        if epoch is not None:
            self._fence.check(epoch)
        elif number is not None:
            self._fence.check_host(volume, number)
        return self.offer(volume, epoch, number)

    async def admit(self, name: str, link: Link) -> Writer:
        """Open a volume; to write, cut those who must no longer do so. Raises RefusedError."""
        volume, epoch, number = self._parse(name)
        session = Writer(self, volume, link, epoch=epoch, number=number)
        if epoch is not None:
            self._fence.check(epoch)
            taken = {volume: None} if volume in self._fence.alone else {}
            self._remember(max(epoch, self._fence.highest), {**self._fence.alone, **taken})
            over = self._fence.admit(volume, epoch, session)
        elif number is not None:
            self._fence.check_host(volume, number)
            self._remember(self._fence.highest, {**self._fence.alone, volume: number})
            over = self._fence.admit_host(volume, number, session)
        else:
            self._readers.add(session)
            return session
        for older in over:
            _LOG.info("%s of %s is cut by %s", older.volume, older.peer, name)
            older.cut()
        if number is not None:
            self.media[volume].flush()  # what a new host reads first is not taken back by a loss of power
        session.offer = self.offer(volume, epoch, number)
        _LOG.info("%s writes to %s", link.peer, name)
        return session

    def offer(self, volume: str, epoch: int | None, number: int | None = None) -> Offer:
        """The announcement of a volume; a host sees its data only, as from a virtualiser."""
        if number is not None:
            return Offer(self._config.volumes[volume].size, f"array={self._config.name} boot={self.boot}", kinds=KINDS)
        told = f"array={self._config.name} epoch={self._fence.highest} boot={self.boot}"
        return Offer(self.medium(volume).length, told, read_only=epoch is None, kinds=KINDS)

    def medium(self, name: str) -> Medium:
        """A volume, or what a restart test has of one."""
        return self.media[name] if name in self.media else self._tests[name]

    @property
    def _tests(self) -> dict[str, Medium]:
        return self.replication.tests if self.replication else {}

    def left(self, session: Writer) -> None:
        """A client is gone."""
        self._readers.discard(session)
        self._fence.left(session.volume, session)

    def stop(self) -> None:
        """A planned stop: what is cached goes to the files."""
        for medium in self.media.values():
            medium.flush()

    def obey(self, order: str) -> None:
        """Do what the lab says: `replicate …`, `present VOLUME SESSION` or mischief. Raises OrderError."""
        match order.split():
            case ["replicate", *_] if self.replication:
                self.replication.obey(order.partition(" ")[2])
            case ["present", volume, number] if number.isdecimal():
                self._present(volume, int(number))
            case _:
                self.mischief.obey(order)

    def _present(self, volume: str, number: int) -> None:
        try:
            self._fence.present(volume, number)
            self._remember(self._fence.highest, self._fence.alone)
        except RefusedError as refusal:
            raise OrderError(str(refusal)) from None

    def status(self) -> dict[str, Any]:
        """All that the lab wants to know, as JSON."""
        sessions = [one for _, one in (*self._fence.writers.values(), *self._fence.hosts.values())]
        sessions += self._readers
        return {
            "array": self._config.name,
            "boot": self.boot,
            "epoch": self._fence.highest,
            "capacity": self._config.capacity,
            "used": self._pool.used,
            "reads": self.counters.reads,
            "writes": self.counters.writes,
            "flushes": self.counters.flushes,
            "durable_writes": self.counters.durable,
            "flushed": sum(medium.flushed for medium in self.media.values()),
            "dirty": sum(medium.dirty for medium in self.media.values()),
            "sessions": [
                {"volume": one.volume, "epoch": one.epoch, "number": one.number, "peer": one.peer} for one in sessions
            ],
            "alone": self._fence.alone,
            "volumes": {
                name: {"size": self._config.volumes[name].size, "used": medium.used, "dirty": medium.dirty}
                for name, medium in self.media.items()
            },
            "mischief": self.mischief.picture(),
            "replication": self.replication.status() if self.replication else None,
        }

    def _remember(self, epoch: int, alone: dict[str, int | None]) -> None:
        """Keep who may write beyond power loss, before anybody is told that it holds."""
        try:
            self._shelf.record(epoch, alone)
        except OSError as error:
            raise RefusedError(f"{self._config.name} cannot record epoch {epoch}: {error}", Refusal.NOT_NOW) from None

    def _parse(self, name: str) -> tuple[str, int | None, int | None]:
        """Volume, epoch of a virtualiser, session of a host. Raises RefusedError."""
        volume, epoch = parse(name)
        volume, number = parse(volume, "#") if epoch is None else (volume, None)
        if volume not in self.media and (epoch is not None or number is not None or volume not in self._tests):
            known = ", ".join(self.names()) or "none"
            raise RefusedError(f"array {self._config.name} has no volume {volume!r}; known: {known}", Refusal.UNKNOWN)
        return volume, epoch, number
