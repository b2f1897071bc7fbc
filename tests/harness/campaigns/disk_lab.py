"""A lab of one node with two local disks under load: no network, no services."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lab.enclosure import TAG, Enclosure, is_alive, loops
from lab.nodes import CAPABILITIES, REPLICA
from lab.nodes.cgroup import ControlGroup
from lab.waiting import wait_until
from tests.harness.campaigns.machine import connection_of

if TYPE_CHECKING:
    from docker.models.containers import Container

KINDS = ("flushed", "unflushed")
_HERE = Path(__file__).parent
_SIZE = 64 << 20


@dataclass(frozen=True)
class Found:
    """What a disk's load found after a life ended: it had noted between `lowest` and `highest`."""

    lowest: int
    highest: int
    found: int

    @property
    def has_lost(self) -> bool:
        """Whether something that was flushed is gone."""
        return self.found < self.lowest

    @property
    def has_forgotten(self) -> bool:
        """Whether something that was written and not flushed is gone."""
        return self.found < self.highest


class DiskLab:
    """The node, which is started, killed and started again; its disks' files and the notes outlive it in memory."""

    def __init__(self, name: str, store: Path, image: Path) -> None:
        self.name = name
        self._store = store
        self._image = image
        self._memory = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.folder = Path(self._memory.name)
        self.enclosure: Enclosure | None = None
        self._container: Container | None = None
        self._group: ControlGroup | None = None
        self._configure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._memory.cleanup()

    def _configure(self) -> None:
        for kind in KINDS:
            local = {"socket": f"/run/{kind}.sock", "file": f"/memory/{kind}.disk", "size": _SIZE, "template": "/image"}
            load = ["python3", "/campaign/disk_load.py", kind, f"/srv/{kind}", "/memory"]
            disk = {
                "name": kind,
                "socket": local["socket"],
                "mount": f"/srv/{kind}",
                "loops": list(loops.numbers(self.name)),
                "program": load,
                "backing": ["python3", "-m", "replica.array.local", f"/memory/{kind}.local.json"],
            }
            self._write(f"{kind}.local.json", local)
            self._write(f"{kind}.json", disk)

    def _write(self, name: str, content: dict[str, Any]) -> None:
        (self.folder / name).write_text(json.dumps(content))

    # -- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start what is not running, and return once both loads run."""
        for kind in KINDS:
            (self.folder / f"{kind}.found").unlink(missing_ok=True)
        if self.enclosure is None:
            self.enclosure = Enclosure.start(self.name, store=self._store)
            self._container = self._create(self.enclosure)
        container = self._container
        assert container is not None
        wait_until(lambda: _is_off(container), within=30, because="the engine does not notice the node's end")
        container.start()
        container.reload()
        self._group = ControlGroup(f"{self.enclosure.cgroup.strip('/')}/{container.id}")
        wait_until(self._is_loaded, within=30, because=lambda: container.logs(tail=5).decode(errors="replace"))

    def _create(self, enclosure: Enclosure) -> Container:
        carriers = " & ".join(f"python3 -m replica.disk.carrier /memory/{kind}.json" for kind in KINDS)
        mounts = {REPLICA: "/opt/bascule/replica", self._image: "/image", _HERE: "/campaign"}
        return enclosure.engine.containers.create(
            TAG,
            ["tini", "-g", "--", "sh", "-c", f"{carriers} & wait"],
            name="node",
            network_mode="none",
            cap_add=CAPABILITIES,
            security_opt=["apparmor=unconfined", "seccomp=unconfined"],
            environment={"PYTHONPATH": "/opt/bascule", "PYTHONDONTWRITEBYTECODE": "1"},
            device_cgroup_rules=loops.rules(self.name),
            tmpfs={"/run": "", "/tmp": ""},  # noqa: S108 - the node's own
            volumes={str(path): {"bind": bind, "mode": "ro"} for path, bind in mounts.items()}
            | {str(self.folder): {"bind": "/memory", "mode": "rw"}},
        )

    def _is_loaded(self) -> bool:
        return all((self.folder / f"{kind}.found").exists() for kind in KINDS)

    def found(self) -> dict[str, Found]:
        """What each load found when it started."""
        told = {kind: json.loads((self.folder / f"{kind}.found").read_text()) for kind in KINDS}
        return {kind: Found(raw["noted"][0], raw["noted"][1], raw["found"]) for kind, raw in told.items()}

    def minors(self) -> set[int]:
        """The FUSE connections behind the disks."""
        assert self._group is not None
        seen = {
            connection_of(Path(f"/proc/{pid}/root/run/disks/{kind}"))
            for pid in self._group.pids()[:1]
            for kind in KINDS
        }
        return {minor for minor in seen if minor is not None}

    # -- death --------------------------------------------------------------------------------------------------

    def kill_node(self) -> None:
        """A power loss of the node: freeze, kill, thaw."""
        assert self._group is not None
        self._group.freeze()
        self._group.kill()
        self._group.thaw()

    def kill_enclosure(self) -> None:
        """What the kernel does when a harness dies: the first process goes, and all others with it."""
        assert self.enclosure is not None
        os.kill(self.enclosure.pid, signal.SIGKILL)

    def is_dead(self) -> bool:
        """Whether no process of the node is left."""
        return self._group is None or not self._group.pids()

    def bury(self) -> None:
        """Forget the dead: after `kill_enclosure` the whole enclosure, else the node's life."""
        if self._group is not None:
            self._group.close()
            self._group = None
        if self.enclosure is not None and not is_alive(self.name):
            self.end()

    def end(self) -> None:
        """End the enclosure."""
        if self.enclosure is not None:
            self.enclosure.close()
            self.enclosure = None
        loops.remove(loops.existing(self.name))


def _is_off(container: Container) -> bool:
    container.reload()
    return bool(container.status != "running")
