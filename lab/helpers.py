"""Programs that help a fault along beside the lab, in its enclosure: whoever holds the lab finds and ends them.

Found by the name of their configuration file in the command line: no list of pids could survive a harness that dies
between the start of one and the writing down.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from lab.enclosure import Process
from lab.nodes import REPLICA
from lab.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from lab.enclosure import Enclosure

_READY_WITHIN = 5.0


class Helpers:
    """Each has a name, which is its configuration's too."""

    def __init__(self, enclosure: Enclosure) -> None:
        self._enclosure = enclosure

    def start(self, name: str, module: str, config: dict[str, Any]) -> None:
        """Start one in the fabric's network and wait until it works; one of that name ends first.

        Raises:
            WaitedInVainError: it did not begin to work.
        """
        self.stop(name)
        ready = self._path(name).with_suffix(".ready")
        self._path(name).write_text(json.dumps({**config, "ready": str(ready)}))
        program = f"import sys; sys.path.insert(0, {str(REPLICA.parent)!r}); from replica.{module} import main; main()"
        self._enclosure.spawn(sys.executable, "-I", "-c", program, str(self._path(name)), log=f"{name}.log")
        wait_until(ready.exists, within=_READY_WITHIN, because=f"{module} does not begin to work")

    def stop(self, name: str) -> None:
        """End one, if it runs. Its configuration is there before it is, and goes after it."""
        if not self._path(name).exists():
            return
        for process in self._running(name):
            process.signal(signal.SIGKILL)
            process.wait(5)
        self._path(name).with_suffix(".ready").unlink(missing_ok=True)
        self._path(name).unlink(missing_ok=True)

    def runs(self, name: str) -> bool:
        """Whether it is alive."""
        return bool(self._running(name))

    def _running(self, name: str) -> list[Process]:
        mark = str(self._path(name)).encode()
        found = []
        for entry in self._enclosure.proc(1).parent.iterdir():
            with contextlib.suppress(OSError):  # it ended under our eyes
                if entry.name.isdecimal() and mark in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(Process(self._enclosure, int(entry.name)))
        return found

    def _path(self, name: str) -> Path:
        return self._enclosure.state / f"helper-{name}.json"
