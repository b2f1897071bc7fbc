"""A fork server for guests: servers of which the plan says nothing but their size. Hundreds start in seconds.

`python3 -m replica.hypervisor.guests`, orders on standard input: `NAME NAMESPACE HEARTBEAT SECONDS`; for each a line
`NAME PID` once it stands in its namespace, or `NAME 0`. A guest says once on the network that it is here, so that
switches learn where it stands, and then beats. It outlives the fork server.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from ..heartbeat import write

_CLONE_NEWNET = 0x40000000
_EVERY = 1.0  # seconds between two heartbeats
# Heard by every switch and by no other guest (`wiring`): hundreds that all hear each other cost seconds of processor.
_SWITCHES, _DISCARD, _INTERFACE = "224.0.0.1", 9, b"eth0"
_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace: str) -> None:
    """Move this process into a network namespace.

    Raises:
        OSError: there is none of that name.
    """
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(descriptor)


def arrive(name: str, namespace: str) -> None:
    """Move into the namespace, say so, and let the fork server's pipes go.

    Raises:
        OSError: there is no such namespace.
    """
    os.setsid()
    try:
        enter(namespace)
    except OSError:
        print(name, 0, flush=True)  # noqa: T201 - the answer
        raise
    print(name, os.getpid(), flush=True)  # noqa: T201 - the answer
    with Path(os.devnull).open("r+b", buffering=0) as nothing:  # or nobody would see that the fork server has ended
        for pipe in (sys.stdin, sys.stdout):
            os.dup2(nothing.fileno(), pipe.fileno())


def live(heartbeat: Path, boot: float) -> None:
    """Boot, then live until killed."""
    pause = threading.Event()
    pause.wait(boot)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire, contextlib.suppress(OSError):
        # No carrier yet: nobody asks for it either. By its interface, as a guest has no route to everybody.
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _INTERFACE)
        wire.sendto(b"here", (_SWITCHES, _DISCARD))
    while True:
        write(heartbeat, healthy=True)
        pause.wait(_EVERY)


def main() -> None:
    """Fork a guest for each order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        name, namespace, heartbeat, boot = line.split()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                arrive(name, namespace)
                live(Path(heartbeat), float(boot))
            finally:
                os._exit(1)


if __name__ == "__main__":
    main()
