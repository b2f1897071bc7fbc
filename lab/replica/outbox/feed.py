"""What a writer calls before it answers, and the thread that delivers what no writer could."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..emr.access import now as wall
from ..emr.store import UnavailableError
from . import bound, carrying
from .core import BATCH, Deliver, Forget, Outbox, Read, Rest
from .room_three import InChargeError, RoomThree
from .tables import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from ..emr.watch import State
    from .core import Action, Row

_BEAT = 0.25  # seconds between two signs of life
_STALE = 1.0  # seconds after which a row that still stands in the table is somebody else's to deliver
_ASK = 3.0  # seconds for which a member that starts waits to hear whether room three serves
ASKING = "asking room three whether it serves"
ELSEWHERE = "room three serves this record"

log = logging.getLogger(__name__)


class Feed:
    """Delivers one application's outbox to room three, and keeps it from serving while room three does.

    Args:
        local: engine on the member's own database, used by this thread alone.
        room: room three; used by whoever has the line to it, be it the thread or a writer.
        state: what the local database can do.
        told: file that says `free` or `taken`, for who holds the service's address.
        defects: planted defects, by name.
    """

    def __init__(
        self, local: Engine, room: RoomThree, state: Callable[[], State], told: Path, defects: frozenset[str]
    ) -> None:
        self._local = local
        self._room = room
        self._state = state
        self._told = told
        self._core = Outbox(defects)
        self._turn = threading.Condition()
        self._line = threading.Lock()
        self._born = time.monotonic()
        self._standing: Standing | None = None
        self._heard = False
        self._beat_at = 0.0
        self._swept_at = 0.0
        self._writes = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more."""
        with self._turn:
            self._stopped = True
            self._turn.notify_all()
        self._thread.join()

    @property
    def reason(self) -> str:
        """Why this member may not serve; empty when it may."""
        if self._standing is None:
            return "" if time.monotonic() > self._born + _ASK else ASKING
        return "" if self._standing is Standing.BY else ELSEWHERE

    def status(self) -> dict[str, Any]:
        """What the member says of room three."""
        with self._turn:
            since = self._core.unprotected_since()
            return {
                "answers": self._heard,
                "complete": not self._core.is_open and since is None,
                "lacking": self._core.lacking,
                "unprotected_s": 0.0 if since is None else round(time.monotonic() - since, 3),
            }

    def deliver(self, row: Row) -> None:
        """Return when room three has this committed row, or when nobody waits for that any longer.

        Raises:
            UnavailableError: room three serves: the clinician is to ask there.
        """
        with self._turn:
            deadline = self._core.committed(row, time.monotonic())
            self._writes += 1
        if deadline is None or not self._send(deadline):
            with self._turn:
                self._turn.notify_all()
        if deadline is not None:
            self._wait(row, deadline)
        if self._standing not in {None, Standing.BY}:
            raise UnavailableError(ELSEWHERE)

    def _send(self, deadline: float) -> bool:
        """Deliver what waits, if nobody else has the line: to leave it to the thread takes twice as long."""
        if not self._line.acquire(blocking=False):
            return False
        try:
            with self._turn:
                rows = self._core.fresh(time.monotonic())
            if rows:
                with bound.until(deadline):
                    self._deliver(rows, fresh=True)
            return bool(rows)
        finally:
            self._line.release()

    def _wait(self, row: Row, deadline: float) -> None:
        with self._turn:
            while not self._core.is_delivered(row.seq):
                left = deadline - time.monotonic()
                if left <= 0:
                    self._core.expired(row.seq)
                    self._turn.notify_all()
                    log.warning("room three did not take row %s in time: care goes on without it", row.seq)
                else:
                    self._turn.wait(left)

    # -- the thread

    def _run(self) -> None:
        while not self._stopped:
            try:
                with self._line:
                    self._beat()
                if self._standing not in {None, Standing.BY}:
                    self._take_back()
                else:
                    self._step()
            except SQLAlchemyError:
                log.exception("the feed stumbled")
                self._rest(time.monotonic() + _BEAT)
            self._tell()

    def _tell(self) -> None:
        word = "taken" if self.reason else "free"
        with contextlib.suppress(FileNotFoundError):
            if self._told.read_text(encoding="ascii") == word:
                return
        self._told.write_text(word, encoding="ascii")

    def _beat(self) -> None:
        if time.monotonic() < self._beat_at:
            return
        with self._turn:
            complete = not self._core.is_open and not self._core.lacking
            lacking, periods = self._core.lacking, list(self._core.periods)
        try:
            heard = self._room.hear(complete=complete and self._swept(), lacking=lacking)
            if periods:
                self._room.tell((_wall(one.since), _wall(one.until), one.rows) for one in periods)
                with self._turn:
                    del self._core.periods[: len(periods)]
        except DBAPIError as error:
            self._silent(error)
        else:
            self._heard = True
            if heard is not self._standing:
                log.warning("room three: %s", heard)
                with self._turn:
                    self._core.resume()
            self._standing = heard
        self._beat_at = time.monotonic() + _BEAT

    def _swept(self) -> bool:
        """Whether nothing of anybody stands in the table for long; what does is to be read."""
        now = time.monotonic()
        if now < self._swept_at + _STALE:
            return True
        try:
            with self._local.begin() as connection:
                rows = carrying.oldest(connection, 1, wall())
        except DBAPIError:
            return False
        self._swept_at = now
        if rows and rows[0].age > _STALE:
            with self._turn:
                self._core.stale()
            return False
        return True

    def _silent(self, error: DBAPIError) -> None:
        if self._heard:
            log.warning("room three does not answer: %s", str(error.orig).strip())
        self._heard = False
        self._room.engine.dispose()
        with self._turn:
            self._core.failed(time.monotonic())
            self._turn.notify_all()

    def _step(self) -> None:
        with self._line:  # from here to the delivery: what a writer delivers meanwhile would be delivered twice
            with self._turn:
                seen = self._writes
                action: Action | None = self._core.next(time.monotonic())
            fresh = not isinstance(action, Read)
            if isinstance(action, Read):
                action = self._read()
            if isinstance(action, Deliver):
                self._deliver(action.rows, fresh=fresh)
        if isinstance(action, Forget):
            self._forget(action.seqs)
        if isinstance(action, Rest):
            self._rest(action.until, seen)

    def _read(self) -> Action | None:
        try:
            claimed = self._room.claim()
        except DBAPIError as error:
            self._silent(error)
            return None
        if not claimed:
            self._stalled()
            return None
        try:
            with self._local.begin() as connection:
                rows = carrying.oldest(connection, BATCH, wall())
                if rows:
                    carrying.settle(connection)
        except DBAPIError:
            self._stalled()
            self._let_go()
            return None
        with self._turn:
            found = self._core.read(rows, time.monotonic())
        if found is None:
            self._let_go()
        return found

    def _let_go(self) -> None:
        try:
            self._room.release()
        except DBAPIError as error:
            self._silent(error)

    def _forget(self, seqs: Sequence[int]) -> None:
        try:
            with self._local.begin() as connection:
                carrying.forget(connection, seqs)
        except DBAPIError:
            self._stalled()

    def _stalled(self) -> None:
        with self._turn:
            self._core.stalled(time.monotonic())

    def _deliver(self, rows: tuple[Row, ...], *, fresh: bool) -> None:
        try:
            self._room.deliver(rows, fresh=fresh)
        except InChargeError:
            self._standing = Standing.SERVES
            with self._turn:
                self._core.failed(time.monotonic())
                self._turn.notify_all()
        except DBAPIError as error:
            self._silent(error)
        else:
            with self._turn:
                self._core.delivered(rows, time.monotonic())
                self._turn.notify_all()

    def _take_back(self) -> None:
        """Bring what room three recorded into this member's database, if that can serve."""
        taken = 0
        if self._state().serves:
            with self._line:
                try:
                    taken = self._room.take_back(self._keep, BATCH)
                except DBAPIError as error:
                    log.warning("taking back from room three stumbled: %s", str(error.orig).strip())
                    self._room.engine.dispose()
                    self._local.dispose()
        if not taken:
            self._rest(time.monotonic() + _BEAT)

    def _keep(self, rows: Sequence[Row]) -> None:
        with self._local.begin() as connection:
            carrying.fetch(connection, rows)

    def _rest(self, until: float, seen: int | None = None) -> None:
        """Wait for a writer who came after `seen`, at most until then or the next beat."""
        with self._turn:
            left = min(until, self._beat_at) - time.monotonic()
            if left > 0 and not self._stopped and seen in {None, self._writes}:
                self._turn.wait(left)


def _wall(instant: float) -> dt.datetime:
    """A monotonic instant as the tables store it."""
    return wall() - dt.timedelta(seconds=time.monotonic() - instant)
