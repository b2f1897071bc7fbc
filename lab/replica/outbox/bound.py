"""Bounded waits for room three, whatever TCP thinks of it.

A host without power answers no ARP either, and what cannot be sent does not count as sent again: TCP's own time-out
(`TCP_USER_TIMEOUT`, 1 s) then took 30 s to run out, on a connection to a room three that was long back.
"""

from __future__ import annotations

import contextlib
import math
import select
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT = 1.0  # seconds for room three to go on with anything: three times what a clinician waits

_own = threading.local()


@contextlib.contextmanager
def until(deadline: float) -> Iterator[None]:
    """Let no wait of this thread last beyond this monotonic instant either."""
    _own.deadline = deadline
    try:
        yield
    finally:
        del _own.deadline


def waits(seconds: float = WAIT) -> None:
    """Let no wait of this process for PostgreSQL last longer, connecting included.

    A wait that runs out ends its connection with psycopg2's OperationalError.
    """
    from psycopg2 import OperationalError, extensions  # noqa: PLC0415 - on the nodes only

    def wait(connection: Any) -> None:  # noqa: ANN401 - psycopg2 is published without types
        while (state := connection.poll()) != extensions.POLL_OK:
            ready = {extensions.POLL_READ: ([connection], []), extensions.POLL_WRITE: ([], [connection])}[state]
            left = min(seconds, getattr(_own, "deadline", math.inf) - time.monotonic())
            if not any(select.select(*ready, [], max(left, 0))):
                raise OperationalError(f"room three did not go on within {max(left, 0):.2g} s")

    extensions.set_wait_callback(wait)
