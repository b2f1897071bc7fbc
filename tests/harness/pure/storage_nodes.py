"""Simulated virtualisation nodes and hosts: the real decisions, on simulated connections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.replica.mirror.node import Node, Refused
from lab.replica.nbd.protocol import Kind
from lab.replica.path.core import Path

from .storage_array import ATOM
from .storage_network import Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.replica.mirror.copies import Copy
    from lab.replica.mirror.work import Host, Op
    from lab.replica.nbd.protocol import Data
    from lab.replica.path.core import Job

    from .storage_array import Array
    from .storage_network import End
    from .storage_oracle import Write
    from .storage_world import World

FIRST = ("baie-1", "baie-2")  # the arrays that hold a copy when nothing is on record
TICK = 0.1
UNREACHABLE = 0.4


class ArraySession:
    """A node's session on an array."""

    def __init__(self, world: World, node: VirtualisationNode, array: Array, copy: Copy, end: End) -> None:
        self._world = world
        self._node = node
        self._array = array
        self._copy = copy
        self._end = end

    def _send(self, ask: Callable[[Callable[[int, bytes], None]], None], op: Op) -> None:
        volume = self._node.core.volumes[self._world.geometry.volume]
        clock = self._world.clock

        def done(error: int, data: bytes) -> None:
            volume.done(self._copy, op, error, data, clock.now)

        self._world.network.send(self._end, lambda: ask(done))

    def read(self, op: Op, offset: int, length: int) -> None:
        self._send(lambda done: self._array.read(self._end.other, offset, length, done), op)

    def write(self, op: Op, offset: int, data: Data, *, fua: bool) -> None:
        self._send(lambda done: self._array.write(self._end.other, offset, bytes(data), done, fua=fua), op)

    def zero(self, op: Op, offset: int, length: int) -> None:
        self.write(op, offset, bytes(length), fua=False)

    def flush(self, op: Op) -> None:
        self._send(lambda done: self._array.flush(self._end.other, done), op)

    def abort(self) -> None:
        self._world.network.reset(self._end)


class VirtualisationNode(Process):
    """One node; a new life begins with nothing."""

    def __init__(self, world: World, place: str, *, preferred: bool) -> None:
        super().__init__(world.clock, place)
        self._world = world
        self._preferred = preferred
        self._life = 0
        self.ends: list[End] = []
        self.start()

    def start(self) -> None:
        self._life += 1
        self.alive = True
        self._paused = False
        world = self._world
        self.core = Node(
            self.place,
            preferred=self._preferred,
            volumes=[world.geometry],
            arrays={array: world.room(array) == world.room(self.place) for array in world.arrays},
            begins={world.geometry.volume: FIRST},
            alone={world.geometry.volume: world.schedule.alone},
            outside=lambda _volume: self,
            store=world.arbiters.asked_by(Life(self)),
            settings=world.settings,
        )
        self._tick(self._life)

    def _tick(self, life: int) -> None:
        if life == self._life and self.alive:
            self.call(lambda: self.core.tick(self.clock.now))
            self.clock.after(TICK, lambda: self._tick(life))

    def crash(self) -> None:
        self._life += 1
        self.die()
        for end in self.ends:
            self._world.network.gone(end)
        self.ends.clear()

    def connect(self, copy: Copy, export: str, attempt: int) -> None:
        world, clock, life = self._world, self.clock, Life(self)
        array = world.arrays[copy.array]
        volume = self.core.volumes[world.geometry.volume]
        epoch = int(export.split("@")[1])

        def failed(reason: str) -> None:
            life.call(lambda: volume.unreachable(copy, attempt, reason, clock.now))

        def ask() -> None:
            if not array.answers or not world.network.reaches(self.place, array.place):
                clock.after(0.001 if not array.alive else UNREACHABLE, lambda: failed("unreachable"))
                return
            mine, theirs = world.network.connect(life, array)
            self.ends.append(mine)
            if not array.admit(theirs, epoch):
                failed("epoch")
                return
            link = ArraySession(world, self, array, copy, mine)
            # Lost before it was known to be open: the attempt has failed (and is not the current one afterwards).
            mine.lost = lambda reason: (
                volume.unreachable(copy, attempt, reason, clock.now)
                if copy.link is not link
                else volume.lost(copy, link, reason, clock.now)
            )
            world.network.send(theirs, lambda: volume.connected(copy, attempt, link, clock.now))

        clock.after(world.network.delay(), ask)

    def welcome(self, theirs: End, number: int, then: Callable[[Refused | Host, int], None]) -> None:
        """A host asks to be let in, on this end of a connection."""

        class Link:
            abort = staticmethod(lambda: self._world.network.reset(theirs))

        def verdict(host: Host | Refused, _now: float) -> None:
            if not isinstance(host, Refused):
                self.ends.append(theirs)
                theirs.lost = lambda _reason: volume.hosts.gone(host)
                if not theirs.open:
                    volume.hosts.gone(host)
            then(host, self.core.lease.epoch)

        volume = self.core.volumes[self._world.geometry.volume]
        self.core.welcome(volume.name, number, Link(), verdict, self.clock.now)


class Life(Process):
    """One life of a process: what is meant for an earlier life does not reach a later one."""

    def __init__(self, of: VirtualisationNode) -> None:
        super().__init__(of.clock, of.place)
        self._of = of
        self._number = of._life  # noqa: SLF001 - one thing in two classes

    def call(self, do: Callable[[], None]) -> None:
        self._of.call(lambda: do() if self._of._life == self._number else None)  # noqa: SLF001


class Wanted:
    """A request of the workload, as nbdfuse would send it."""

    def __init__(  # noqa: PLR0913 - what an NBD request is made of
        self, kind: Kind, offset: int, data: bytes, length: int, done: Callable[[int, Data], None], *, fua: bool = False
    ) -> None:
        self.kind, self.offset, self.data, self.length, self.fua = kind, offset, data, length, fua
        self._done = done

    def reply(self, error: int, data: Data) -> None:
        self._done(error, data)


class Carried:
    """A request as a node receives it."""

    def __init__(
        self, world: World, node: VirtualisationNode, end: End, job: Job, done: Callable[[int, Data], None]
    ) -> None:
        self.kind, self.offset, self.data, self.length, self.fua = job.kind, job.offset, job.data, job.length, job.fua
        self._world, self._node, self._end, self._done = world, node, end, done

    def reply(self, error: int, data: Data) -> None:
        if self.kind is Kind.WRITE and not error:
            self._world.oracle.spoke(self._node.core.lease.epoch, self._node.place)
        self._world.network.send(self._end, lambda: self._done(error, data))


class NodeSession:
    """A host's session on a node."""

    def __init__(self, world: World, machine: HostMachine, node: VirtualisationNode, mine: End) -> None:
        self._world, self._machine, self._node, self._mine = world, machine, node, mine
        self.host: Host | None = None

    def submit(self, job: Job) -> None:
        def arrive() -> None:
            if self.host is not None:
                asked = Carried(self._world, self._node, self._mine.other, job, done)
                volume = self._node.core.volumes[self._world.geometry.volume]
                volume.flow.request(asked, self.host, self._world.clock.now)

        def done(error: int, data: Data) -> None:
            self._machine.path.done(self, job, error, data)

        self._world.network.send(self._mine, arrive)

    def abort(self) -> None:
        self._world.network.reset(self._mine)


class DirectSession:
    """A host's session on the array of a stand-alone volume."""

    def __init__(self, world: World, machine: HostMachine, array: Array, mine: End) -> None:
        self._world, self._machine, self._array, self._mine = world, machine, array, mine

    def submit(self, job: Job) -> None:
        end, array = self._mine.other, self._array

        def done(error: int, data: Data) -> None:
            self._machine.path.done(self, job, error, data)

        def arrive() -> None:
            if job.kind is Kind.READ:
                array.read(end, job.offset, job.length, done)
            elif job.kind is Kind.FLUSH:
                array.flush(end, done)
            else:
                array.write(end, job.offset, bytes(job.data), done, fua=job.fua)

        self._world.network.send(self._mine, arrive)

    def abort(self) -> None:
        self._world.network.reset(self._mine)


class HostMachine(Process):
    """A host with its path and a workload."""

    def __init__(self, world: World, place: str, session: int) -> None:
        super().__init__(world.clock, place)
        self.world = world
        self.session = session
        self.path = Path(kept=40 * ATOM)
        self.outstanding = 0
        self._served_since = 0.0
        self._trying: dict[str, float] = {}
        self._ends: list[End] = []
        self._tick()

    def crash(self) -> None:
        self.die()
        for end in self._ends:
            self.world.network.gone(end)

    # The path's way to the nodes

    def _tick(self) -> None:
        if not self.alive:
            return
        self.clock.after(TICK, self._tick)
        self.path.push()
        oldest = self.path.oldest()
        stuck = self.clock.now - max(oldest, self._served_since) if oldest is not None else 0.0
        for name, node in self.world.nodes.items():
            if self.path.stale or (self.path.link is not None and stuck < (0.8 if name != self.path.node else 4.0)):
                continue
            if self.clock.now >= self._trying.get(name, 0.0):
                self._trying[name] = self.clock.now + 2 * UNREACHABLE
                self.clock.after(self.world.network.delay(), partial(self._try, node))
        alone = self.world.schedule.alone
        if alone and not self.path.stale and (self.path.link is None or (self.path.node == alone and stuck >= 4.0)):
            self.clock.after(self.world.network.delay(), partial(self._try_array, self.world.arrays[alone]))

    def _try_array(self, array: Array) -> None:
        network = self.world.network
        if not array.answers or not network.reaches(self.place, array.place):
            return
        mine, theirs = network.connect(self, array)
        self._ends.append(mine)
        link = DirectSession(self.world, self, array, mine)
        mine.lost = lambda _reason: self.path.lost(link)
        match array.admit_host(theirs, self.session):
            case True:
                network.send(theirs, lambda: self._accepted(link, array.place, self.path.epoch))
            case False:
                network.send(theirs, lambda: self.path.end("over") if self.alive else None)

    def _try(self, node: VirtualisationNode) -> None:
        network = self.world.network
        if not node.answers or not network.reaches(self.place, node.place):
            return
        life = Life(node)
        mine, theirs = network.connect(self, life)
        self._ends.append(mine)
        link = NodeSession(self.world, self, node, mine)
        mine.lost = lambda _reason: self.path.lost(link)

        def verdict(host: Refused | Host, epoch: int) -> None:
            if isinstance(host, Refused):
                network.send(theirs, lambda: self._refused(node.place, host))
            else:
                link.host = host
                network.send(theirs, lambda: self._accepted(link, node.place, epoch))

        node.welcome(theirs, self.session, verdict)

    def _refused(self, name: str, refused: Refused) -> None:
        self._trying[name] = self.clock.now + TICK
        if refused.stale and self.alive:
            self.path.end(refused.sentence)

    def _accepted(self, link: NodeSession | DirectSession, name: str, epoch: int) -> None:
        self._trying[name] = self.clock.now + TICK
        self._served_since = self.clock.now
        self.path.offered(link, name, epoch)

    # The workload

    def read(self, atoms: range) -> None:
        floors = self.world.oracle.reading(atoms)

        def done(error: int, data: Data) -> None:
            self.outstanding -= 1
            if not error and self.alive:
                self.world.oracle.read(self.session, atoms, floors, bytes(data))

        self._ask(Kind.READ, atoms.start * ATOM, b"", len(atoms) * ATOM, done)

    def write(self, atoms: range, *, fua: bool = False) -> None:
        write, data = self.world.oracle.write(self.session, atoms)

        def done(error: int, _data: Data) -> None:
            self.outstanding -= 1
            if not error and self.alive:
                self.world.oracle.written(write)
                if fua:
                    self.world.oracle.flushed([write])

        self._ask(Kind.WRITE, atoms.start * ATOM, data, len(data), done, fua=fua)

    def flush(self) -> None:
        covered: list[Write] = self.world.oracle.flushing(self.session)

        def done(error: int, _data: Data) -> None:
            self.outstanding -= 1
            if not error and self.alive:
                self.world.oracle.flushed(covered)

        self._ask(Kind.FLUSH, 0, b"", 0, done)

    def _ask(  # noqa: PLR0913 - what an NBD request is made of
        self, kind: Kind, offset: int, data: bytes, length: int, done: Callable[[int, Data], None], *, fua: bool = False
    ) -> None:
        self.outstanding += 1
        self.path.request(Wanted(kind, offset, data, length, done, fua=fua), self.clock.now)
