"""When the twin must leave the group because it is too slow, and not silent: then Galera waits for it without end.

A message counts once every member has confirmed it. Galera leaves out who says nothing for 1.3 s; a member at 1 % of a
processor says something twice a second, and each act of care then takes as long, twice (freezes of 6.5 and 9.9 s). So
whoever is well asks how long the group takes to confirm, and if it is long while the twin says that it is late, or does
not even say so although its kernel answers, votes it out (`evs.evict`): the group goes on at once, and the twin joins
again when it is well.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..emr.store import code

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from .bootstrap import Standing

_EVERY = 0.1  # seconds between two questions to the group
_QUICK = 0.1  # seconds for an answer that is none to complain of; a millisecond is usual
WINDOW = 2.5  # seconds that are looked at
_LONG = 1.5  # seconds of them spent waiting. Galera's own way with whoever falls silent takes up to 1.7 s
_LATE = 2  # looks in a row at a twin that is late; each takes up to half a second
_OWN = 0.2  # seconds that this member may be late itself; on a machine that is busy with everything, both are
_TOO_LATE = 2013  # what MariaDB's client says when no answer came in time
# In step with the group (`wsrep_sync_wait`), so that it goes round all members; it needs no table and no disk.
_QUESTION = text("SELECT 1")


class Waits:
    """Adds up how long the group made somebody wait of late."""

    def __init__(self) -> None:
        self._waits: deque[tuple[float, float]] = deque()
        self._asked: float | None = None

    def ask(self, now: float) -> None:
        """A question goes out; one that was given up still waits."""
        self._asked = now if self._asked is None else self._asked

    def answer(self, now: float) -> None:
        """It was answered."""
        if self._asked is not None and now - self._asked >= _QUICK:
            self._waits.append((self._asked, now))
        self._asked = None

    def forget(self) -> None:
        """There is no group, or a new one: nobody made anybody wait."""
        self._waits.clear()
        self._asked = None

    def waited(self, now: float) -> float:
        """Seconds of the last `WINDOW` that went by without an answer."""
        while self._waits and self._waits[0][1] < now - WINDOW:
            self._waits.popleft()
        since = now - WINDOW
        waits = [*self._waits] if self._asked is None else [*self._waits, (self._asked, now)]
        return sum(end - max(begin, since) for begin, end in waits)


class GroupWatch:
    """Asks the group, all the time, from a thread which may wait as long as the group makes it.

    Args:
        engine: used for nothing else, with a bound on how long an answer is waited for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waits = Waits()
        self._turn = threading.Lock()

    def start(self) -> None:
        """Begin to ask."""
        threading.Thread(target=self._run, name="group", daemon=True).start()

    def waited(self) -> float:
        """Seconds of the last `WINDOW` that the group made us wait."""
        with self._turn:
            return self._waits.waited(time.monotonic())

    def forget(self) -> None:
        """Begin anew."""
        with self._turn:
            self._waits.forget()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            with self._turn:
                self._waits.ask(time.monotonic())
            try:
                with self._engine.connect() as connection:
                    connection.execute(_QUESTION)
            except DBAPIError as error:
                if code(error) != _TOO_LATE:  # no database, or one outside of the group
                    self.forget()
            else:
                with self._turn:
                    self._waits.answer(time.monotonic())
            pause.wait(_EVERY)


class Suspicion:
    """Whether it is the twin that makes the group wait."""

    def __init__(self) -> None:
        self._late = 0
        self._own = float("-inf")

    def looked(self, twin: Standing | None, *, reached: bool) -> None:
        """One more look at the twin.

        Args:
            twin: how it stands, from its own mouth; None if it does not answer in time.
            reached: whether its kernel answers each time. If never, it is dead or parted, and Galera's to leave out or
                to go round; if now and then, a cable loses frames, and each member would vote out the other (V15c).
        """
        is_late = reached if twin is None else twin.late
        self._late = self._late + 1 if is_late else 0

    def took_turn(self, now: float, lag: float) -> None:
        """This program had its turn, so many seconds later than it wanted: if many, it may be the one, and deaf."""
        if lag > _OWN:
            self._own = now

    def accuses(self, now: float, waited: float, *, well: bool) -> bool:
        """Whether to vote the twin out.

        Args:
            now: seconds.
            waited: seconds of the last `WINDOW` that the group made this member wait.
            well: whether this member could serve in the other's place.
        """
        return well and now - self._own > WINDOW and waited > _LONG and self._late >= _LATE
