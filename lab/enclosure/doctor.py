"""What the machine lacks for a lab, and what labs that died without warning left on it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.enclosure import loops
from lab.enclosure.enclosure import is_alive, launcher_lives
from lab.enclosure.sweep import CGROUPS, STATE_ROOT, cgroup_roots, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROGRAMS = {
    "dockerd": "docker.io",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
_NFTABLES = Path("/usr/lib/python3/dist-packages/nftables/nftables.py")


@dataclass(frozen=True)
class Leftover:
    """The remains of one dead lab."""

    name: str
    state: bool
    groups: int
    loops: int = 0

    def __str__(self) -> str:
        """In a person's words."""
        parts = [f"{STATE_ROOT / self.name}"] if self.state else []
        parts += [f"{self.groups} control groups /bascule-{self.name}"] if self.groups else []
        parts += [f"{self.loops} loop devices"] if self.loops else []
        return f"of the dead lab {self.name}: {', '.join(parts)}"


def needs() -> list[str]:
    """What must be installed or granted, in sentences; empty when a lab can start."""
    missing = [
        f"{program} (Debian package {package})" for program, package in _PROGRAMS.items() if not shutil.which(program)
    ]
    if not _NFTABLES.exists():
        missing.append("nftables for Python (Debian package python3-nftables)")
    if os.geteuid() != 0:
        missing.append("root, for namespaces and control groups: use sudo")
    return missing


def leftovers() -> list[Leftover]:
    """What dead labs left: state folders and control groups. Everything else dies with the enclosure's process 1."""
    names = _names()
    groups = [
        folder.name.removeprefix("bascule-")
        for root in (CGROUPS, *CGROUPS.glob("*/"))
        for folder in root.glob("bascule-*")
    ]
    dead = [name for name in sorted(names | set(groups)) if not is_alive(name) and not launcher_lives(name)]
    left = [Leftover(name, (STATE_ROOT / name).is_dir(), len(cgroup_roots(f"/bascule-{name}"))) for name in dead]
    strays = loops.strays((names | set(groups)) - set(dead))
    return [
        *left,
        *(
            [Leftover(", ".join(dead) or "of a forgotten name", state=False, groups=0, loops=len(strays))]
            if strays
            else []
        ),
    ]


def _names() -> set[str]:
    return {folder.name for folder in STATE_ROOT.glob("*") if folder.is_dir()}


def remove(left: Iterable[Leftover]) -> None:
    """Sweep them."""
    for item in left:
        sweep(STATE_ROOT / item.name, f"/bascule-{item.name}")
    loops.remove(loops.strays(name for name in _names() if is_alive(name)))
