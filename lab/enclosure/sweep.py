"""Remove the empty folders that outlive an enclosure: its state folder and its control groups."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.enclosure import loops
from lab.waiting import WaitedInVainError, wait_until

STATE_ROOT = Path("/run/bascule")
CGROUPS = Path("/sys/fs/cgroup")


def cgroup_roots(cgroup: str) -> list[Path]:
    """The folders of a control group: one in each hierarchy of cgroup v1, or the only one of v2."""
    name = cgroup.strip("/")
    return [folder for root in (CGROUPS, *CGROUPS.glob("*/")) if (folder := root / name).is_dir()]


def _remove_groups(root: Path) -> None:
    for folder, _, _ in os.walk(root, topdown=False):
        Path(folder).rmdir()


def sweep(state: Path, cgroup: str) -> None:
    """Remove what is left of a dead enclosure. Control groups empty themselves as the kernel reaps (< 1 s seen)."""

    def gone() -> bool:
        try:
            for root in cgroup_roots(cgroup):
                _remove_groups(root)
        except OSError:  # still a dying task in it
            return False
        return True

    def loopless() -> bool:
        return not loops.remove(loops.existing(state.name))

    try:
        wait_until(gone, within=10, because=f"tasks of {cgroup} do not die")
        wait_until(loopless, within=10, because=f"loop devices of {state.name} stay bound")
    except WaitedInVainError:
        return  # the doctor reports it: sweeping is not worth a hang
    shutil.rmtree(state, ignore_errors=True)
