"""Whether the local database can serve: asked all the time by one thread, answered at once to everybody."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import TextClause
    from sqlalchemy.engine import Connection, Engine

_EVERY = 0.2  # seconds between two questions
STATUS = text(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_status', "
    "'wsrep_local_state', 'wsrep_cluster_size')"
)
LIVES = text("SELECT 'lives', 'yes'")
"""A question for a database that is in no group."""
_SYNCED = "4"  # wsrep_local_state: 2 donor, 3 joined, 4 synced


@dataclass(frozen=True)
class State:
    """What the local database can do now; `reason` says why it cannot serve, and is empty when it can.

    `group_size` counts the members of its group, the arbitrator included; `elsewhere` says that the reason is not the
    database but that another room serves.
    """

    synced: bool
    reason: str = ""
    group_size: int = 0
    elsewhere: bool = False

    @property
    def serves(self) -> bool:
        """Whether a transaction may be tried."""
        return not self.reason

    @property
    def fit(self) -> bool:
        """Whether it could serve, if it were asked."""
        return self.serves or self.elsewhere


class Watch(Protocol):
    """Knows the state of the local database without asking it."""

    @property
    def state(self) -> State:
        """The latest state known."""
        ...


def judge(status: dict[str, str]) -> State:
    """The state that these Galera status variables tell."""
    if status.get("wsrep_cluster_status") != "Primary":
        return State(synced=False, reason="the local database is outside the primary component")
    if status.get("wsrep_ready") != "ON":
        return State(synced=False, reason="the local database is not ready")
    size = int(status.get("wsrep_cluster_size", "0"))
    return State(synced=status.get("wsrep_local_state") == _SYNCED, group_size=size)


def judge_alone(_status: dict[str, str]) -> State:
    """The state of a database that is in no group: it answered, so it serves, and nobody can be ahead of it."""
    return State(synced=True, group_size=1)


@dataclass(frozen=True)
class Elsewhere:
    """A watch that knows besides whether another room serves.

    Args:
        watch: of the local database.
        reason: why this member may not serve; empty when it may.
    """

    watch: Watch
    reason: Callable[[], str]

    @property
    def state(self) -> State:
        """The database's state, unless another room serves."""
        state, reason = self.watch.state, self.reason()
        return replace(state, reason=reason, elsewhere=True) if reason and state.serves else state


class DatabaseWatch:
    """Asks the database which belongs to this engine, on a thread and a connection of its own.

    Args:
        watched: engine used for nothing else, so that a question never waits behind the requests.
        serving: engine of the requests; its idle connections are dropped when the database goes away.
        tells: the state that an answer means: `judge` in a pair, `judge_alone` without one.
        question: what is asked: rows of names and values.
    """

    def __init__(
        self, watched: Engine, serving: Engine, tells: Callable[[dict[str, str]], State], question: TextClause = STATUS
    ) -> None:
        self._question = question
        self.state = State(synced=False, reason="the local database has not answered yet")
        self._watched = watched
        self._serving = serving
        self._tells = tells
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more, and forget the connections."""
        self._stop.set()
        self._thread.join()
        self._watched.dispose()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._watched.connect() as connection:
                    self._follow(connection)
            except DBAPIError:
                self._became(State(synced=False, reason="the local database does not answer"))
            self._stop.wait(_EVERY)

    def _follow(self, connection: Connection) -> None:
        while not self._stop.wait(_EVERY):
            self._became(self._tells({row[0]: row[1] for row in connection.execute(self._question)}))
            connection.rollback()

    def _became(self, state: State) -> None:
        if self.state.serves and not state.serves:
            self._serving.dispose()
        self.state = state
