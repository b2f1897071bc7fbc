"""When a write may be acknowledged, what is delivered next, since when room three lacks something. No I/O, no clock.

The outbox is a table: each write leaves a row in the transaction that records it. A row stays until room three has it.

- *Shut* (the usual state): a writer waits for its own row to be delivered, up to `WAIT`.
- *Open*: a wait ran out, or a delivery failed. Nobody waits; rows pile up in the table.
- *Unread*: the table may hold rows that nobody here remembers (a former life, an open breaker, a twin that died). It is
  read in order, and delivered, until a reading finds nothing; only then is the breaker shut again.

A row may be delivered twice (an answer was lost); room three keeps the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WAIT = 0.3  # seconds that a clinician's answer may wait for room three
RETRY = 0.5  # seconds between two attempts while room three does not answer
BATCH = 500  # rows in one delivery
FORGET = 0.25  # seconds for which a delivered row may stay in the table: they are deleted together

ACKNOWLEDGE_FIRST = "outbox-after-the-acknowledgement"
"""Planted defect: the clinician is answered before room three has the act."""
SKIP = "catch-up-that-skips"
"""Planted defect: what piled up while room three was away is thrown away, and only what comes later is delivered."""


class Row(NamedTuple):
    """A row of the outbox: its place in the order, what kind of thing it carries, and the thing as JSON."""

    seq: int
    kind: str
    payload: str
    age: float = 0.0
    """Seconds since it was written, when it was read from the table."""


class Unprotected(NamedTuple):
    """A time during which room three lacked something that a clinician had been told was recorded."""

    since: float
    until: float
    rows: int


@dataclass(frozen=True)
class Deliver:
    """Deliver these rows to room three, in one transaction there."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Read:
    """Read the first rows of the table, in order."""


@dataclass(frozen=True)
class Forget:
    """Delete these rows from the table: room three has them."""

    seqs: tuple[int, ...]


@dataclass(frozen=True)
class Rest:
    """Nothing to do until this instant, unless somebody writes."""

    until: float


Action = Deliver | Read | Forget | Rest


@dataclass
class Outbox:
    """The outbox of one application. Instants are seconds of any one clock that never goes back.

    Args:
        defects: planted defects, by name.
    """

    defects: frozenset[str] = frozenset()
    is_open: bool = False
    periods: list[Unprotected] = field(default_factory=list)
    """Times unprotected that are over, the oldest first; whoever writes them down empties the list."""
    _unread: bool = True
    _written_since_reading: bool = False
    _queue: dict[int, tuple[Row, float]] = field(default_factory=dict)
    _delivered: list[int] = field(default_factory=list)
    _forget_at: float = 0.0
    _retry_at: float = 0.0
    _since: float | None = None
    _missed: int = 0
    _lacking: set[int] = field(default_factory=set)

    # -- the writer's side

    def committed(self, row: Row, now: float) -> float | None:
        """A row was committed: until when its writer waits for `is_delivered`; None to answer at once."""
        if self.is_open:
            self._written_since_reading = True
            self._miss([row.seq], now)
            return None
        self._queue[row.seq] = (row, now)
        return None if ACKNOWLEDGE_FIRST in self.defects else now + WAIT

    def is_delivered(self, seq: int) -> bool:
        """Whether its writer has nothing more to wait for: it was delivered, or nobody waits now."""
        return seq not in self._queue

    def expired(self, seq: int) -> None:
        """The wait of this row's writer ran out: it is answered all the same, and nobody else waits."""
        if seq in self._queue:
            self._open()

    # -- the sender's side

    def next(self, now: float) -> Action:
        """What to do now."""
        if now < self._retry_at:
            return Rest(self._retry_at)
        if self._delivered and (self._unread or now >= self._forget_at or len(self._delivered) >= BATCH):
            forgotten, self._delivered = self._delivered, []
            return Forget(tuple(forgotten))
        if self._unread:
            self._written_since_reading = False
            return Read()
        if rows := self.fresh(now):
            return Deliver(rows)
        return Rest(self._forget_at if self._delivered else now + RETRY)

    def fresh(self, now: float) -> tuple[Row, ...]:
        """What writers wait for, if it may be delivered now: nothing else comes before it."""
        if self._unread or now < self._retry_at:
            return ()
        return tuple(row for row, _ in list(self._queue.values())[:BATCH])

    def read(self, rows: Sequence[Row], now: float) -> Action | None:
        """What the table held, from its beginning: the delivery that it asks for, if any."""
        if SKIP in self.defects and self.is_open:
            self._lacking.difference_update(row.seq for row in rows)
            self._delivered += [row.seq for row in rows]
            rows = ()
        if rows:
            late = [row for row in rows if row.age > WAIT]
            if late:
                self._miss([row.seq for row in late], now - max(row.age for row in late))
            return Deliver(tuple(rows[:BATCH]))
        if not self._written_since_reading:
            self._unread = False
            self._shut(now)
        return None

    def delivered(self, rows: Iterable[Row], now: float) -> None:
        """Room three has them."""
        if not self._delivered:
            self._forget_at = now + FORGET
        for row in rows:
            self._queue.pop(row.seq, None)
            self._delivered.append(row.seq)
            self._lacking.discard(row.seq)

    def failed(self, now: float) -> None:
        """Room three did not answer, or refused."""
        self._retry_at = now + RETRY
        self._open()

    def stalled(self, now: float) -> None:
        """The table could not be read or written: no fault of room three."""
        self._unread = True
        self._retry_at = now + RETRY

    def resume(self) -> None:
        """Room three takes rows again, of which it refused some: writers wait for it from now on."""
        self.is_open = False
        self._unread = True

    def stale(self) -> None:
        """Rows of somebody else stay in the table: read it, again if a reading is under way."""
        self._unread = self._written_since_reading = True

    # -- what is told

    def unprotected_since(self) -> float | None:
        """Since when room three lacks something acknowledged; None while it has all."""
        return self._since

    @property
    def lacking(self) -> int:
        """How many acknowledged rows room three is known to lack."""
        return len(self._lacking)

    def _open(self) -> None:
        """All writers go on: their rows are in the table."""
        self.is_open = self._unread = True
        if self._queue:
            self._written_since_reading = True
            self._miss(list(self._queue), min(at for _, at in self._queue.values()))
            self._queue.clear()

    def _shut(self, now: float) -> None:
        self.is_open = False
        self._lacking.clear()
        if self._since is not None:
            self.periods.append(Unprotected(self._since, now, self._missed))
            self._since = None

    def _miss(self, seqs: Sequence[int], since: float) -> None:
        if self._since is None:
            self._since, self._missed = since, 0
        self._since = min(self._since, since)
        self._missed += len(set(seqs) - self._lacking)
        self._lacking.update(seqs)
