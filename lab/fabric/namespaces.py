"""A thread that lives in another network namespace."""

from __future__ import annotations

import contextlib
import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_URGENT = 30
_LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace: int) -> None:
    """Move the calling thread into a network namespace, given by an open descriptor.

    Raises:
        OSError: the kernel refused.
    """
    if _LIBC.setns(namespace, _CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """Run the body in another namespace, on this thread, and come back."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    away = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(away)
        yield
    finally:
        enter(home)
        os.close(home)
        os.close(away)


class Resident:
    """One thread that stays in a namespace. Netlink sockets belong to the thread that opened them, so all go here."""

    def __init__(self, namespace: Path) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fabric", initializer=self._settle, initargs=(namespace,))

    @staticmethod
    def _settle(namespace: Path) -> None:
        away = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(away)
        finally:
            os.close(away)
        # Above the switches' monitors: forty ports that go dark wake all of them, and the forty-first must not wait.
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_URGENT))

    def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a piece of work there and return what it returns, or raise what it raises."""
        return self._pool.submit(work, *args, **kwargs).result()

    def close(self) -> None:
        """Let the thread end."""
        self._pool.shutdown()
