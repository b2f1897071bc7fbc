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
from .mischief import Mischief
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
    """A session on one volume; with an epoch it writes, without it only reads."""

    def __init__(self, array: Array, volume: str, epoch: int | None, link: Link) -> None:
        self.volume = volume
        self.epoch = epoch
        self.peer = link.peer
        self.offer = array.offer(volume, epoch)
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
        self.replication = told and Replication(config.name, config.folder, self.media, told, config.defects)
        self._fence: Fence[Writer] = Fence(config.name, self._shelf.epoch, is_open="no-epoch-check" in config.defects)
        self._readers: set[Writer] = set()

    def names(self) -> Sequence[str]:
        """The volumes; each is served as `VOLUME` to read, as `VOLUME@EPOCH` to write."""
        return sorted(self.media)

    async def describe(self, name: str) -> Offer:
        """What a client would be offered. Raises RefusedError."""
        volume, epoch = self._parse(name)
        if epoch is not None:
            self._fence.check(epoch)
        return self.offer(volume, epoch)

    async def admit(self, name: str, link: Link) -> Writer:
        """Open a volume; with an epoch, cut those who must no longer write. Raises RefusedError."""
        volume, epoch = self._parse(name)
        session = Writer(self, volume, epoch, link)
        if epoch is None:
            self._readers.add(session)
            return session
        self._remember(epoch)
        for older in self._fence.admit(volume, epoch, session):
            _LOG.info("%s@%s of %s is cut by epoch %d", older.volume, older.epoch, older.peer, epoch)
            older.cut()
        session.offer = self.offer(volume, epoch)
        _LOG.info("%s writes to %s", link.peer, name)
        return session

    def offer(self, volume: str, epoch: int | None) -> Offer:
        """The announcement of a volume."""
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
        """Do what the lab says: `replicate …` or mischief. Raises OrderError."""
        word, _, rest = order.partition(" ")
        if word == "replicate" and self.replication:
            self.replication.obey(rest)
        else:
            self.mischief.obey(order)

    def status(self) -> dict[str, Any]:
        """All that the lab wants to know, as JSON."""
        sessions = [writer for _, writer in self._fence.writers.values()] + list(self._readers)
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
            "sessions": [{"volume": one.volume, "epoch": one.epoch, "peer": one.peer} for one in sessions],
            "volumes": {
                name: {"size": self._config.volumes[name].size, "used": medium.used, "dirty": medium.dirty}
                for name, medium in self.media.items()
            },
            "mischief": self.mischief.picture(),
            "replication": self.replication.status() if self.replication else None,
        }

    def _remember(self, epoch: int) -> None:
        """Keep a higher epoch beyond power loss, before anybody is told that it holds."""
        self._fence.check(epoch)
        if epoch > self._shelf.epoch:
            try:
                self._shelf.record(epoch)
            except OSError as error:
                raise RefusedError(
                    f"{self._config.name} cannot record epoch {epoch}: {error}", Refusal.NOT_NOW
                ) from None

    def _parse(self, name: str) -> tuple[str, int | None]:
        volume, epoch = parse(name)
        if volume not in self.media and (epoch is not None or volume not in self._tests):
            known = ", ".join(self.names()) or "none"
            raise RefusedError(f"array {self._config.name} has no volume {volume!r}; known: {known}", Refusal.UNKNOWN)
        return volume, epoch
