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

_PROC = "/proc"
_NUMBER = ".number"
_FOLDER = re.compile(rb"/srv/([^/\0]+)/")


def processes() -> dict[str, list[int]]:
    """The living processes of each server: those in its network namespace, and those which carry its mark."""
    names = _namespaces()
    found: dict[str, list[int]] = {}
    for entry in os.listdir(_PROC):  # noqa: PTH208 - as below: read several times a second, of hundreds
        if entry.isdecimal() and (name := _server_of(f"{_PROC}/{entry}", names)):
            found.setdefault(name, []).append(int(entry))
    return found


def started() -> set[str]:
    """The servers that were powered on here and not off, whether they still live or not."""
    with contextlib.suppress(FileNotFoundError):
        return {name.removesuffix(_NUMBER) for name in os.listdir(SERVERS) if name.endswith(_NUMBER)}  # noqa: PTH208
    return set()


def _namespaces() -> dict[str, str]:
    """The server of each network namespace, by the name that its processes show for it."""
    found = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(NAMESPACES) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                # Of the namespace, not of the folder's entry: it is mounted there.
                found[f"net:[{os.stat(entry.path).st_ino}]"] = entry.name  # noqa: PTH116
    return found


def _server_of(process: str, names: dict[str, str]) -> str | None:
    """The server that a process belongs to. A dead one that nobody buried has no namespace, and belongs to none."""
    try:
        namespace = os.readlink(f"{process}/ns/net")  # noqa: PTH115
        if namespace in names:
            return names[namespace]
        # Only what has no namespace of its own is worth reading: paths and disks, which stand in the host's network.
        for word in Path(process, "environ").read_bytes().split(b"\0"):
            if word.startswith(MARK.encode() + b"="):
                return word.partition(b"=")[2].decode()
    except PermissionError:  # it gave its rights away, as a database does: its files tell whose it is
        return _named(Path(process))
    except (OSError, ValueError):  # it ended meanwhile
        return None
    return None


def _named(process: Path) -> str | None:
    """The server whose folder a command names; one that is dead and not buried names nothing."""
    with contextlib.suppress(OSError):
        if found := _FOLDER.search((process / "cmdline").read_bytes()):
            return found[1].decode()
    return None


def kill(pids: Iterable[int]) -> None:
    """SIGKILL; what has ended meanwhile is passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    print(json.dumps(processes().get(sys.argv[1], [])))  # noqa: T201 - the answer
