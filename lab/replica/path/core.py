"""What the path keeps, sends and sends again. No sockets, no clock.

Every write since the last completed flush is kept, acknowledged or not: whatever arrays or nodes forget of what was not
flushed, the path brings back. It holds for ever and answers no error of its own, until its session is over.

Towards its host it is a disk with a write cache: a write is answered as soon as it is kept, and goes out with the flush
or the read that follows it, or when `push` is called. What the host has not flushed is lost with the host, as with any
such disk; a flush is answered when all that was written before it is durable on the arrays. One commit of a database is
a write and a flush: they go out together, as one write that is durable when it is answered (FUA).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Protocol

from ..nbd.protocol import Kind

if TYPE_CHECKING:
    from ..mirror.work import Asked
    from ..nbd.protocol import Data

_READ, _FLUSH = Kind.READ, Kind.FLUSH
# Bytes kept at which the path flushes by itself, and answers writes no sooner than a node does: a host that never
# flushes must not fill the memory.
KEPT = 32 << 20
# Bytes that wait for the flush at most: more is better under way.
_HELD = 256 << 10


class NodeLink(Protocol):
    """The session on a node. Each request ends in `Path.done`, unless the session is lost before."""

    def submit(self, job: Job) -> None:
        """Send a request."""

    def abort(self) -> None:
        """End it with RST: what was not sent will never be. Nothing is told of it any more."""


class Job:
    """One request on its way to a node.

    Attributes:
        asked: the host's request, None for a flush of the path's own.
        answered: whether the host has its answer.
        covers: of a flush: the writes that it makes durable.
    """

    __slots__ = ("answered", "asked", "covers", "data", "fua", "kind", "length", "offset")

    def __init__(self, asked: Asked | None) -> None:
        self.asked = asked
        self.kind = _FLUSH if asked is None else asked.kind
        self.offset = self.length = 0
        self.data: Data = b""
        self.fua = False
        if asked is not None:
            self.offset, self.length, self.data, self.fua = asked.offset, asked.length, asked.data, asked.fua
        self.answered = False
        self.covers: list[Job] = []

    def answer(self, error: int, data: Data = b"") -> None:
        """Answer the host, once."""
        if not self.answered:
            self.answered = True
            if self.asked is not None:
                self.asked.reply(error, data)


class Path:
    """The path of one host to one volume.

    Attributes:
        link: the session that is used.
        node: the name of its node, "" for none.
        epoch: the highest that a node ever named; one with a lower epoch was deposed.
        kept_bytes: data of the writes since the last completed flush.
        waiting: requests of the host without an answer, with the time of asking, oldest first.
        stale: the sentence that ended it: a newer session of the volume exists, or the volume is gone.
        replayed: how many writes were sent again.
        refusals: how often a node could not do again what it had done before.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._limit = kept
        self._most_held = min(_HELD, kept // 8)
        self.link: NodeLink | None = None
        self.node = ""
        self.epoch = 0
        self.kept_bytes = 0
        self.waiting: dict[Job, float] = {}
        self.stale = ""
        self.replayed = 0
        self.refusals = 0
        self._kept: dict[Job, None] = {}
        self._unsent: list[Job] = []  # writes that wait for what follows them
        self._held = 0  # their bytes
        self._uncovered: list[Job] = []  # writes sent on this connection, and covered by no flush yet
        self._sent: list[Job] = []  # flushes on this connection, in order
        self._commits: dict[Job, Job] = {}  # by the durable write that stands for it on this connection, the flush
        self._replaying: set[Job] = set()  # writes that the host counts as done, and this connection has not done yet
        self._reads: dict[Job, None] = {}
        self._flushes: dict[Job, None] = {}
        self._own: Job | None = None

    def request(self, asked: Asked, now: float) -> None:
        """The host asks for something."""
        if self.stale:
            asked.reply(errno.EIO, b"")
            return
        job = Job(asked)
        if job.kind is _READ:
            self.waiting[job] = now
            self._reads[job] = None
            if self.link is not None:
                self.push()
                self.link.submit(job)
        elif job.kind is _FLUSH:
            self.waiting[job] = now
            self._flushes[job] = None
            self._flush(job)
        else:
            self._write(job, now)

    def _write(self, job: Job, now: float) -> None:
        """Keep a write; answer it at once, unless it must be durable, nobody serves, or too much is kept already."""
        self._kept[job] = None
        self.kept_bytes += len(job.data)
        early = self.link is not None and not (job.fua or self._replaying or self.kept_bytes > self._limit)
        if early:
            job.answer(0)
        else:
            self.waiting[job] = now
        if self.link is not None:
            self._unsent.append(job)
            self._held += len(job.data)
            if not early or self._held > self._most_held:
                self.push()

    def push(self) -> None:
        """Send the writes that wait for what follows them: call it when nothing has followed for a while."""
        unsent, self._unsent, self._held = self._unsent, [], 0
        if self.link is not None:
            self._uncovered += unsent
            for job in unsent:
                self.link.submit(job)

    @property
    def holds_back(self) -> bool:
        """Whether there are such writes."""
        return bool(self._unsent)

    def _flush(self, job: Job) -> None:
        """Send a flush behind the writes before it, all of which a node counts; after a replay, when that is done.

        For a single write that is all there is to flush, it is that write which must be durable.
        """
        if self.link is not None and not self._replaying:
            if len(self._kept) == 1 and self._unsent:
                write = self._unsent[0]
                write.fua = True
                self._commits[write] = job
                self.push()
                return
            self.push()
            job.covers, self._uncovered = self._uncovered, []
            self._sent.append(job)
            self.link.submit(job)

    def offered(self, link: NodeLink, node: str, epoch: int) -> bool:
        """A node lets the host in; whether it is taken: not one that was deposed."""
        if epoch < self.epoch or self.stale:
            link.abort()
            return False
        if self.link is not None:
            self.link.abort()
        self.link, self.node, self.epoch = link, node, epoch
        self._unsent, self._held, self._sent, self._commits = [], 0, [], {}
        self._uncovered = list(self._kept)
        for job in self._kept:
            link.submit(job)
        self.replayed += len(self._kept)
        for job in self._reads:
            link.submit(job)
        self._replaying = {job for job in self._kept if job.answered}
        self._flush_all()
        return True

    def _flush_all(self) -> None:
        for job in self._flushes:
            self._flush(job)

    def lost(self, link: NodeLink) -> None:
        """The session ended; nothing is lost by that."""
        if link is self.link:
            self.link, self.node = None, ""
            self._unsent, self._held = [], 0  # kept, as all

    def done(self, link: NodeLink, job: Job, error: int, data: Data) -> None:
        """The node answered."""
        if link is not self.link:
            return
        if job.kind is _READ:
            del self._reads[job]
            self._answer(job, error, data)
        elif job.kind is _FLUSH:
            self._flushed(job, error)
        else:
            self._written(link, job, error)

    def _written(self, link: NodeLink, job: Job, error: int) -> None:
        if error and job.answered:
            # The host counts on it: to give it up would be to lose it. An array that is full may have room again later.
            self.refusals += 1
            self.lost(link)
            link.abort()
            return
        if error:
            self._drop(job)
        self._answer(job, error)
        if job in self._commits:
            self._committed(job)
        if job in self._replaying:
            self._replaying.remove(job)
            if not self._replaying:
                self._flush_all()
        if self.kept_bytes > self._limit and self._own is None:
            self._own = Job(None)
            self._flushes[self._own] = None
            self._flush(self._own)

    def _committed(self, write: Job) -> None:
        """The write that stands for a flush is durable: nothing older is kept, or a flush behind it covers that too."""
        flush = self._commits.pop(write)
        self._drop(write)
        if write in self._uncovered:
            self._uncovered.remove(write)
        del self._flushes[flush]
        self._answer(flush, 0)

    def _flushed(self, job: Job, error: int) -> None:
        del self._flushes[job]
        if job is self._own:
            self._own = None
        at = self._sent.index(job)
        if error:
            self._uncovered = job.covers + self._uncovered
        else:
            # What flushes before it cover is durable too. Dropping a write and keeping an older one that it overlaps
            # would bring back the older one at the next replay.
            for flush in self._sent[: at + 1]:
                for covered in flush.covers:
                    self._drop(covered)
                flush.covers = []
        del self._sent[at]
        self._answer(job, error)

    def _drop(self, job: Job) -> None:
        if job in self._kept:
            del self._kept[job]
            self.kept_bytes -= len(job.data)

    def _answer(self, job: Job, error: int, data: Data = b"") -> None:
        self.waiting.pop(job, None)
        job.answer(error, data)

    def oldest(self) -> float | None:
        """When the request was made that has waited for longest."""
        return next(iter(self.waiting.values()), None)

    def end(self, sentence: str) -> None:
        """A newer session of the volume exists, or the volume is gone: fail everything, for good."""
        self.stale = sentence
        if self.link is not None:
            self.link.abort()
        self.link, self.node = None, ""
        for job in [*self.waiting]:
            self._answer(job, errno.EIO)
        self._kept.clear()
        self._unsent.clear()
        self._replaying.clear()
        self._commits.clear()
        self._reads.clear()
        self._flushes.clear()
        self.kept_bytes = 0
