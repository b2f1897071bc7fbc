"""What a host may see, and what must be left in the end."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from .storage_array import ATOM

_VERSION = struct.Struct(">QQ")
_SESSION = 1_000_000  # more writes than a session can have


class ViolationError(AssertionError):
    """The world did what storage must not do; the text says what."""


@dataclass
class Write:
    """One write: numbers grow in the order in which the writes of it may take effect, session by session."""

    number: int
    session: int
    atoms: range
    acknowledged: bool = False


@dataclass
class Atom:
    """What is known of one atom of the volume.

    Args:
        versions: the writes of it, by number, oldest first, with the session; 0 is the image that it was made from.
        durable: the newest version that a completed flush covers.
        floor: no older version may be read in this session any more.
        base: the version found by the first read of this session, of what older sessions left; None before.
    """

    versions: dict[int, int] = field(default_factory=lambda: {0: 0})
    durable: int = 0
    floor: int = 0
    base: int | None = None


class Oracle:
    """Judges what hosts are told."""

    def __init__(self, atoms: int) -> None:
        self.atoms = [Atom() for _ in range(atoms)]
        self.session = 0
        self.acknowledged: dict[int, list[Write]] = {}
        self.speakers: dict[int, str] = {}
        self.count = 0
        self.done = {"reads": 0, "writes": 0, "flushes": 0}

    def begin(self, session: int) -> None:
        """A new host: what the older one did not flush may be there or not."""
        self.session = session
        self.acknowledged[session] = []
        for atom in self.atoms:
            atom.floor, atom.base = atom.durable, None

    def write(self, session: int, atoms: range) -> tuple[Write, bytes]:
        """A host writes."""
        self.count += 1
        write = Write(session * _SESSION + self.count, session, atoms)
        for number in atoms:
            self.atoms[number].versions[write.number] = session
        return write, b"".join(_VERSION.pack(write.number, number) for number in atoms)

    def written(self, write: Write) -> None:
        """A host's write was acknowledged."""
        self.done["writes"] += 1
        write.acknowledged = True
        self.acknowledged[write.session].append(write)
        if write.session == self.session:
            for number in write.atoms:
                self.atoms[number].floor = max(self.atoms[number].floor, write.number)

    def flushing(self, session: int) -> list[Write]:
        """A host flushes: what it covers."""
        covered, self.acknowledged[session] = self.acknowledged[session], []
        return covered

    def flushed(self, covered: list[Write]) -> None:
        """A host's flush was acknowledged, in whatever session."""
        self.done["flushes"] += 1
        for write in covered:
            for number in write.atoms:
                atom = self.atoms[number]
                atom.durable = max(atom.durable, write.number)

    def reading(self, atoms: range) -> list[int]:
        """A host reads: the oldest versions that it may see."""
        return [self.atoms[number].floor for number in atoms]

    def read(self, session: int, atoms: range, floors: list[int], data: bytes) -> None:
        """A host's read was answered."""
        if session != self.session:
            return
        self.done["reads"] += 1
        for at, number in enumerate(atoms):
            self._check(number, floors[at], data[at * ATOM : (at + 1) * ATOM])

    def _check(self, number: int, floor: int, data: bytes) -> None:
        version, where = _VERSION.unpack(data)
        atom = self.atoms[number]
        if version not in atom.versions or (version and where != number):
            raise ViolationError(f"atom {number}: read what was never written there: {data.hex()}")
        if atom.versions[version] == self.session:
            pass
        elif atom.base is None:
            atom.base = version
        elif atom.base != version:
            raise ViolationError(
                f"atom {number}: version {version} of an older host, after version {atom.base} was read"
            )
        if version < floor:
            raise ViolationError(f"atom {number}: read version {version} after version {floor}")
        atom.floor = max(atom.floor, version)

    def spoke(self, epoch: int, node: str) -> None:
        """A node acknowledged a write."""
        if self.speakers.setdefault(epoch, node) != node:
            raise ViolationError(f"epoch {epoch}: both {self.speakers[epoch]} and {node} acknowledge")
