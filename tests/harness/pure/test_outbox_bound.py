"""No wait for room three lasts longer than the feed says, whoever is silent: a stand-in for psycopg2's connection."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.replica.outbox import bound

if TYPE_CHECKING:
    from collections.abc import Callable

OK, READ, WRITE = 0, 1, 2


class SilentError(Exception):
    """psycopg2's OperationalError."""


class Connection:
    """Polls as psycopg2's does: it has a socket, and says what it waits for."""

    def __init__(self, states: list[int]) -> None:
        self.mine, self.theirs = socket.socketpair()
        self._states = states

    def fileno(self) -> int:
        return self.mine.fileno()

    def poll(self) -> int:
        return self._states.pop(0)

    def close(self) -> None:
        self.mine.close()
        self.theirs.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Callable[[Connection], None]:
    """What psycopg2 is told to wait with, for 50 ms at most."""
    kept: list[Any] = []
    extensions = SimpleNamespace(POLL_OK=OK, POLL_READ=READ, POLL_WRITE=WRITE, set_wait_callback=kept.append)
    stand_in = SimpleNamespace(OperationalError=SilentError, extensions=extensions)
    monkeypatch.setitem(sys.modules, "psycopg2", stand_in)
    bound.waits(0.05)
    found: Callable[[Connection], None] = kept[0]
    return found


def test_an_answer_that_comes_is_waited_for(waits: Callable[[Connection], None]) -> None:
    with closing(Connection([WRITE, READ, OK])) as connection:
        connection.theirs.send(b"answer")
        waits(connection)


def test_silence_ends_the_wait(waits: Callable[[Connection], None]) -> None:
    begun = time.monotonic()
    with closing(Connection([READ, OK])) as connection, pytest.raises(SilentError, match=r"not go on within 0\.05 s"):
        waits(connection)
    assert time.monotonic() - begun >= 0.05


def test_a_writer_waits_no_longer_than_he_may_and_others_do(waits: Callable[[Connection], None]) -> None:
    late = bound.until(time.monotonic() - 1)
    with closing(Connection([READ, OK])) as connection, pytest.raises(SilentError, match=r"not go on within 0 s"), late:
        waits(connection)
    with closing(Connection([READ, OK])) as connection, pytest.raises(SilentError, match=r"not go on within 0\.05 s"):
        waits(connection)
