"""The way of a host's request through an open volume: order, mark, send to the copies, answer. This is the hot path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..nbd.protocol import Kind
from .gates import Gates
from .marks import Marks
from .requests import HeaderWrite, HostWork, Mirrored, OwnFlush

if TYPE_CHECKING:
    from .copies import Copy
    from .lease import Lease
    from .volume import Volume
    from .work import Asked, Host

_READ, _FLUSH = Kind.READ, Kind.FLUSH


class Flow:
    """What is under way on an open volume.

    Attributes:
        targets: the copies in sync; every one gets every write.
        members: the same as a mask.
        listed: the copies that the arbiters' record may name: nothing is acknowledged before all of these have it, so a
            lost copy holds every acknowledgement until it is recorded as lost.
        every: the copies that there should be, in sync or not.
        reader: the copy that is read.
        busy: by grain, the writes that are under way or wait, in order of arrival.
        active: how many writes, flushes and writes of metadata are under way.
        flushes: how many flushes were begun.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.lease: Lease = volume.lease
        self.every = sum(copy.bit for copy in volume.copies)
        self._grain = volume.geometry.grain or 1
        self._defects = volume.settings.defects
        self.targets: tuple[Copy, ...] = ()
        self.reader: Copy | None = None
        self.members = self.listed = 0
        self.flushes = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything under way."""
        self.busy: dict[int, list[HostWork]] = {}
        self.active = 0
        self.gated: list[Mirrored] = []
        self.unsent: dict[HostWork, None] = {}  # writes that wait for others or for their marks, in order of arrival
        self.held: list[HostWork] = []
        self.marks = Marks(self)
        self.gates = Gates(self)
        self.use(())
        self.listed = 0
        self.labelled = 0
        self._tidied = 0

    def use(self, targets: tuple[Copy, ...]) -> None:
        """Mirror to these copies from now on."""
        self.targets = targets
        self.members = sum(copy.bit for copy in targets)
        self.reader = min(targets, key=lambda copy: not copy.near, default=None)
        skips = "skip-second-copy" in self._defects
        self._written = targets[:1] if skips else targets
        self._assumed = sum(copy.bit for copy in targets[1:]) if skips else 0

    def request(self, asked: Asked, host: Host, now: float) -> None:
        """Take a request of a host."""
        if not host.open:
            return
        if now >= self.lease.until:
            self.volume.cut()
            return
        work = HostWork(self, host, asked)
        if self.gates.shut and (work.kind is not _READ or not host.admitted or self._held_before(work)):
            # A gate holds what changes the volume; before its admission, everything of a host.
            self.held.append(work)
        else:
            self.begin(work, now)

    def _held_before(self, read: HostWork) -> bool:
        """Whether a write is held that a read must see: one sent again by a path, of which the host has the answer."""
        return any(held.kind is not _READ and held.offset < read.end and read.offset < held.end for held in self.held)

    def begin(self, work: HostWork, now: float) -> None:
        """Give it its place behind the writes that it overlaps."""
        kind = work.kind
        if kind is _FLUSH:
            self.flush(work, now)
            return
        offset, end, busy = work.offset, work.end, self.busy
        grains = work.grains = range(offset // self._grain, (end - 1) // self._grain + 1)
        for grain in grains:
            for other in busy.get(grain, ()):
                if other.offset < end and offset < other.end:
                    other.followers.append(work)
                    work.blockers += 1
        if kind is not _READ:
            self.active += 1
            for grain in grains:
                if grain in busy:
                    busy[grain].append(work)
                else:
                    busy[grain] = [work]
        if not work.blockers:
            self.start(work, now)
        elif kind is not _READ:
            self.unsent[work] = None

    def flush(self, work: HostWork, now: float) -> None:
        """Cover every write that came before, answered or not: an array does what it is sent in order."""
        for write in self.unsent:
            write.followers.append(work)
            work.blockers += 1
        if not work.blockers:
            self.start(work, now)

    def start(self, work: HostWork, now: float) -> None:
        """Nothing is before it any more: read, flush, or mark its grains and write."""
        if work.kind is _READ:
            self.read(work, now)
        elif work.kind is _FLUSH:
            self.flushes += 1
            work.number = self.flushes
            self.mirror(work, now)
        elif self.marks.hold(work, now):
            self.send(work, now)
        else:
            self.unsent[work] = None

    def read(self, work: HostWork, now: float) -> None:
        """Read from the copy that is near."""
        copy = self.reader
        if copy is not None and copy.link is not None:
            copy.pending[work] = now
            copy.link.read(work, work.offset, work.length)

    def send(self, work: HostWork, now: float) -> None:
        """Write to all copies: the marks of its grains are durable on them."""
        if self.unsent:
            self.unsent.pop(work, None)
        targets = self._written
        work.waiting = len(targets)
        work.have = self._assumed
        for copy in targets:
            copy.pending[work] = now
            if copy.link is not None:
                copy.link.write(work, work.offset, work.data, fua=work.fua)

    def mirror(self, op: Mirrored, now: float) -> None:
        """Ask the same of every copy in sync."""
        self.active += 1
        op.waiting = len(self.targets)
        op.have = 0
        if not self.every:
            op.complete(now)
        for copy in self.targets:
            copy.pending[op] = now
            if copy.link is not None:
                op.send(copy.link)

    def settle(self, op: Mirrored, now: float) -> None:
        """All who were asked have answered or are lost: it is done once no copy without it is on record as in sync."""
        needed = self.members if "acknowledge-before-record" in self._defects else self.listed
        if needed & ~op.have:
            self.gated.append(op)
        else:
            op.complete(now)

    def recorded(self, now: float) -> None:
        """The record has changed: what waited for it may be done."""
        gated, self.gated = self.gated, []
        for op in gated:
            self.settle(op, now)

    def written(self, work: HostWork, now: float) -> None:
        """A write is done, on all copies that count."""
        if self.unsent:
            self.unsent.pop(work, None)
        busy = self.busy
        for grain in work.grains:
            others = busy[grain]
            if len(others) == 1:
                del busy[grain]
            else:
                others.remove(work)
        if not work.error:
            self.marks.touch(work.grains)
        resync = self.volume.resync
        if resync is not None:
            resync.touch(work.grains)
        self.answer(work, now)
        for follower in work.followers:
            follower.blockers -= 1
            if not follower.blockers:
                self.start(follower, now)
        self.left(now)

    def left(self, now: float) -> None:
        """One thing less is under way."""
        self.active -= 1
        if not self.active and self.gates.shut:
            self.gates.drained(now)

    def answer(self, work: HostWork, now: float, data: bytes | bytearray | memoryview = b"") -> None:
        """Answer a host, if this node may still speak for the volume."""
        if now >= self.lease.until:
            self.volume.cut()
        elif work.host.open:
            work.asked.reply(work.error, data)

    def release(self, now: float) -> None:
        """No gate is shut any more: begin what was held."""
        held, self.held = self.held, []
        for work in held:
            if work.host.open:
                self.begin(work, now)

    def label(self, generation: int, now: float) -> None:
        """Let the headers of the copies in sync say the generation of the record."""
        if self.labelled != generation and not self.gates.shut:
            self.labelled = generation
            self.mirror(HeaderWrite(self, self.volume.geometry.header(generation)), now)

    def tidy(self, now: float) -> None:
        """Flush for hosts that do not, so that marks can be forgotten: when none was begun since the last tick."""
        many = len(self.marks.durable) > self.volume.settings.kept_marks
        if many and self.flushes == self._tidied and self.members == self.every and not self.gates.shut:
            self.mirror(OwnFlush(self, lambda _now: None), now)
        self._tidied = self.flushes
