"""Remove the empty folders that outlive an enclosure: its state folder and its control groups."""

from __future__ import annotations

import os
import shutil
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
        wait_until(dead, within=30, because=f"the processes of {state.name} do not die")
        wait_until(groupless, within=30, because=f"tasks of {cgroup} do not die")
        wait_until(loopless, within=30, because=f"loop devices of {state.name} stay bound")
        shutil.rmtree(state)
    except FileNotFoundError:
        return  # another sweep was faster
    except (WaitedInVainError, OSError) as error:  # sweeping is not worth a hang
        sys.stderr.write(f"not swept: {error}\n")
