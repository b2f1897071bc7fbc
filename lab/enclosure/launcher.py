"""Starts an enclosure, outlives whoever asked for it by a moment, and sweeps what the kernel leaves.

`python -m lab.enclosure.launcher STATE CGROUP DATA [STORE] [--keep] [--lasts SECONDS]`. Standard input is a pipe held
by the harness: when the harness dies, however it dies, the pipe closes and the launcher ends the enclosure. The chain
below it holds by parent-death signals, so killing the launcher ends the enclosure too; only empty folders stay, which
`bascule doctor` names and the next start sweeps.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from lab.enclosure.sweep import sweep

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _buried() -> bool:
    """Whether every child is dead, process 1 of the enclosure among them: the kernel ends it after all the others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def main() -> int:
    """Run until the enclosure ends, the pipe closes (unless --keep), its time is over, or SIGTERM comes; then sweep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("state", type=Path)
    parser.add_argument("cgroup")
    parser.add_argument("data")
    parser.add_argument("store", nargs="?")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--lasts", type=float, help="seconds after which the enclosure ends")
    options = parser.parse_args()
    init = [
        sys.executable,
        "-I",
        str(Path(__file__).with_name("init.py")),
        str(options.state),
        options.cgroup,
        options.data,
    ]
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # process 1 becomes ours to bury when `unshare` dies
    child = subprocess.Popen(
        [
            *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--net", "--mount-proc", "--"),
            *init,
            *([options.store] if options.store else []),
        ],
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        stdin=subprocess.DEVNULL,
    )
    stop_read, stop_write = os.pipe()
    os.set_blocking(stop_write, False)
    signal.set_wakeup_fd(stop_write)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    watched = [stop_read] if options.keep else [stop_read, sys.stdin.fileno()]
    select.select(watched, [], [], options.lasts)
    child.kill()
    child.wait()
    sweep(options.state, options.cgroup, _buried)
    return 0


if __name__ == "__main__":
    sys.exit(main())
