"""What runs on this host, read from the system: the processes of each server, whoever started them.

`python3 -m replica.hypervisor.census SERVER` prints those of one, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .config import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACES = Path("/run/netns")
MARK = "BASCULE_SERVER"
"""Environment variable of every process of a server that was started with a command line."""

_PROC = Path("/proc")
_FOLDER = re.compile(rb"/srv/([^/\0]+)/")


def processes() -> dict[str, list[int]]:
    """The living processes of each server: those in its network namespace, and those which carry its mark."""
    names = _namespaces()
    found: dict[str, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (name := _server_of(entry, names)):
            found.setdefault(name, []).append(int(entry.name))
    return found


def started() -> set[str]:
    """The servers that were powered on here and not off, whether they still live or not."""
    with contextlib.suppress(FileNotFoundError):
        return {path.stem for path in SERVERS.glob("*.number")}
    return set()


def _namespaces() -> dict[int, str]:
    """The server of each network namespace, by its inode."""
    found = {}
    with contextlib.suppress(FileNotFoundError):
        for entry in NAMESPACES.iterdir():
            with contextlib.suppress(OSError):
                found[entry.stat().st_ino] = entry.name
    return found


def _server_of(process: Path, names: dict[int, str]) -> str | None:
    """The server that a process belongs to. A dead one that nobody buried belongs to none."""
    try:
        if _state(process) == "Z":
            return None
        inode = int((process / "ns/net").readlink().name.partition("[")[2].rstrip("]"))
        if inode in names:
            return names[inode]
        # Only what has no namespace of its own is worth reading: paths and disks, which stand in the host's network.
        for word in (process / "environ").read_bytes().split(b"\0"):
            if word.startswith(MARK.encode() + b"="):
                return word.partition(b"=")[2].decode()
    except PermissionError:  # it gave its rights away, as a database does: its files tell whose it is
        return _named(process)
    except (OSError, ValueError):  # it ended meanwhile
        return None
    return None


def _named(process: Path) -> str | None:
    """The server whose folder a command names."""
    with contextlib.suppress(OSError):
        if found := _FOLDER.search((process / "cmdline").read_bytes()):
            return found[1].decode()
    return None


def _state(process: Path) -> str:
    return (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]


def kill(pids: Iterable[int]) -> None:
    """SIGKILL; what has ended meanwhile is passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    print(json.dumps(processes().get(sys.argv[1], [])))  # noqa: T201 - the answer
