"""Remove the empty folders that outlive an enclosure: its state folder and its control groups."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lab.enclosure import loops
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

STATE_ROOT = Path("/run/bascule")
CGROUPS = Path("/sys/fs/cgroup")
_USUAL = 3  # seconds in which what was killed has gone (under 1 seen); later, somebody waits for himself
_DISKS = "/run/disks/"  # where a node mounts what its paths serve
# A mount namespace of its own: the machine may have the list of FUSE connections mounted, or not.
_ABORT = """
mountpoint -q /sys/fs/fuse/connections || mount -t fusectl fusectl /sys/fs/fuse/connections || exit 1
for connection; do echo 1 > /sys/fs/fuse/connections/$connection/abort; done
"""


def cgroup_roots(cgroup: str) -> list[Path]:
    """The folders of a control group: one in each hierarchy of cgroup v1, or the only one of v2."""
    name = cgroup.strip("/")
    return [folder for root in (CGROUPS, *CGROUPS.glob("*/")) if (folder := root / name).is_dir()]


def _remove_groups(root: Path) -> None:
    for folder, _, _ in os.walk(root, topdown=False):
        Path(folder).rmdir()


def _thaw(root: Path) -> None:
    """Let frozen nodes run: whoever is frozen does not die of a signal."""
    for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        for switch in root.rglob(name):
            with suppress(OSError):  # its group has gone meanwhile
                switch.write_text(value)


def _abort_fuses(roots: list[Path]) -> None:
    """End the disks that tasks of these groups still have mounted: what waits for one gets an error, and dies.

    A program that serves a disk and waits for a page of this disk to be written waits for itself, in the kernel, and no
    signal ends it. Seen with version 1 of control groups in a group that was short of memory.
    """
    mounts = (line.split() for task in tasks(roots) for line in _lines(Path("/proc") / task / "mountinfo"))
    connections = sorted({words[2].partition(":")[2] for words in mounts if words[4].startswith(_DISKS)})
    if connections:
        command = ["unshare", "--mount", "sh", "-c", _ABORT, "abort", *connections]
        told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
        sys.stderr.write(f"aborted the FUSE connections {', '.join(connections)} {told.stderr}\n")


def tasks(roots: list[Path]) -> set[str]:
    """What lives in these groups, by thread: a process whose first thread has ended, or only waits, tells little."""
    names = ("tasks", "cgroup.threads")
    return {task for root in roots for name in names for file in root.rglob(name) for task in _lines(file)}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return []


def sweep(state: Path, cgroup: str, dead: Callable[[], bool] = lambda: True) -> None:
    """Remove what is left of an enclosure that dies, as soon as it is `dead`.

    A control group empties itself as the kernel reaps (< 1 s seen). What cannot be removed within 30 s stays for the
    doctor to report, with the reason on standard error, which is the launcher's log.
    """

    def groupless() -> bool:
        try:
            for root in cgroup_roots(cgroup):
                _remove_groups(root)
        except OSError:  # still a dying task in it
            return False
        return True

    def loopless() -> bool:
        return not loops.remove(loops.existing(state.name))

    for root in cgroup_roots(cgroup):
        _thaw(root)
    try:
        with suppress(WaitedInVainError):
            wait_until(lambda: dead() and groupless(), within=_USUAL, because=f"{state.name} is slow to die")
        _abort_fuses(cgroup_roots(cgroup))
        wait_until(dead, within=30, because=f"the processes of {state.name} do not die")
        wait_until(groupless, within=30, because=f"tasks of {cgroup} do not die")
        wait_until(loopless, within=30, because=f"loop devices of {state.name} stay bound")
        shutil.rmtree(state)
    except FileNotFoundError:
        return  # another sweep was faster
    except (WaitedInVainError, OSError) as error:  # sweeping is not worth a hang
        sys.stderr.write(f"not swept: {error}\n")
