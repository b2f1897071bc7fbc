"""A node's control groups: freeze it, end it, see whether anything of it lives. cgroup v2 and v1."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def _folder(group: str) -> Path:
    for root in (ROOT, ROOT / "unified"):
        if (root / group / "cgroup.kill").exists():
            return root / group
    return ROOT / "freezer" / group


class ControlGroup:
    """Opened once, when the node starts: a power loss then costs two writes, and no look-up."""

    def __init__(self, group: str) -> None:
        self._folder = _folder(group)
        self._modern = (self._folder / "cgroup.kill").exists()
        name = "cgroup.freeze" if self._modern else "freezer.state"
        self._freezer = os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC)
        self._killer = os.open(self._folder / "cgroup.kill", os.O_WRONLY | os.O_CLOEXEC) if self._modern else None
        # A pid may be used again by a stranger; a pidfd cannot.
        self._processes = [] if self._modern else [os.pidfd_open(pid) for pid in self.pids()[:1]]

    def pids(self) -> list[int]:
        """What lives in it, as the machine counts."""
        try:
            return [int(line) for line in (self._folder / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def freeze(self) -> None:
        """From the return of this call nothing in it runs; a node that is dead already has nothing to freeze."""
        with contextlib.suppress(OSError):  # ENODEV, as below
            os.write(self._freezer, b"1" if self._modern else b"FROZEN")

    def is_frozen(self) -> bool:
        """Whether it was frozen, or is about to be; what is gone is not."""
        try:
            return os.pread(self._freezer, 16, 0).strip() in {b"1", b"FROZEN", b"FREEZING"}
        except OSError:  # ENODEV, as below
            return False

    def thaw(self) -> None:
        """Let it run (or, once killed, die)."""
        with contextlib.suppress(OSError):  # ENODEV: the group is gone with its last process
            os.write(self._freezer, b"0" if self._modern else b"THAWED")

    def kill(self) -> None:
        """SIGKILL to all of it; the death of the first process of a PID namespace takes the others along."""
        with contextlib.suppress(OSError):
            if self._killer is not None:
                os.write(self._killer, b"1")
            for process in self._processes:
                signal.pidfd_send_signal(process, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the open files."""
        for descriptor in (self._freezer, self._killer, *self._processes):
            if descriptor is not None:
                os.close(descriptor)
        self._processes = []


_NO_LIMIT = 1 << 62  # version 1 rounds "no limit" to its largest number of pages
_PERIOD = 100_000  # microseconds
_SMALLEST = 1_000  # the kernel's own smallest share of a period


class Processor:
    """How much of a processor a control group may use, and how often it wanted more. cgroup v2 and v1."""

    def __init__(self, group: str) -> None:
        self._folder = ROOT / group if (ROOT / "cgroup.controllers").exists() else ROOT / "cpu" / group
        self._modern = (self._folder / "cpu.max").exists()

    def allow(self, share: float | None) -> None:
        """Allow so much of one processor (0.01 is 1 %), or all again.

        Raises:
            OSError: this kernel limits no group's processor, or the group is gone.
        """
        quota = None if share is None else max(_SMALLEST, round(share * _PERIOD))
        if self._modern:
            (self._folder / "cpu.max").write_text(f"{'max' if quota is None else quota} {_PERIOD}")
            return
        (self._folder / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (self._folder / "cpu.cfs_quota_us").write_text(str(-1 if quota is None else quota))

    def allowed(self) -> float | None:
        """The share of one processor that it may use; None is all."""
        try:
            if self._modern:
                quota, period = (self._folder / "cpu.max").read_text().split()
            else:
                quota, period = ((self._folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:  # it is gone
            return None
        return None if quota.strip() in {"max", "-1"} else int(quota) / int(period)

    def held_back(self) -> int:
        """Periods in which it wanted more than it was allowed."""
        try:
            words = (self._folder / "cpu.stat").read_text().split()
        except OSError:
            return 0
        return int(words[words.index("nr_throttled") + 1]) if "nr_throttled" in words else 0


_SERVES_DISKS = {"nbdfuse", "replica.path", "replica.array.local"}


class Memory:
    """How much memory a node's control group may use, and how often it wanted more. cgroup v2 and v1.

    Version 2 has `memory.high`: whoever wants more waits. In version 1 whoever wants more has the kernel look for
    pages to give back, and the most greedy is killed. There what serves the node's disks counts with the lab while the
    node has a limit: to get a page of memory it would wait until a page of the very disk that it serves is written, for
    ever, and no signal ends that (seen within seconds under load). Version 1 can be told to kill nobody, and then
    refuses memory to the kernel itself: a node's first process died of it.
    """

    def __init__(self, group: str) -> None:
        self._folder = ROOT / group if (ROOT / "cgroup.controllers").exists() else ROOT / "memory" / group
        self._modern = (self._folder / "memory.high").exists()
        self._limit = self._folder / ("memory.high" if self._modern else "memory.limit_in_bytes")

    def used(self) -> int:
        """Bytes that it uses.

        Raises:
            OSError: the group is gone, or this kernel counts no group's memory.
        """
        return int((self._folder / ("memory.current" if self._modern else "memory.usage_in_bytes")).read_text())

    def allow(self, length: int | None) -> None:
        """Allow so many bytes, or all again.

        Raises:
            OSError: the group is gone, or cannot do with so few.
        """
        if not self._modern and length is not None:
            self._count_storage(self._folder.parent)
        self._limit.write_text(("max" if self._modern else "-1") if length is None else str(length))
        if not self._modern and length is None:
            self._count_storage(self._folder)

    def _count_storage(self, group: Path) -> None:
        """Count what serves the node's disks in this group, its own or the lab's; what it has stays where it is."""
        node = f"/{self._folder.name}\n"
        for now in {self._folder, self._folder.parent} - {group}:
            for pid in (now / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):  # it has ended meanwhile
                    process = Path("/proc") / pid
                    if _SERVES_DISKS.intersection(_words(process)) and node in (process / "cgroup").read_text():
                        (group / "cgroup.procs").write_text(pid)

    def allowed(self) -> int | None:
        """Bytes that it may use; None is all."""
        try:
            told = self._limit.read_text().strip()
        except OSError:  # it is gone
            return None
        return int(told) if told.isdecimal() and int(told) < _NO_LIMIT else None

    def refused(self) -> int:
        """How often it reached its limit, in its whole life."""
        with contextlib.suppress(OSError):
            if not self._modern:
                return int((self._folder / "memory.failcnt").read_text())
            words = (self._folder / "memory.events").read_text().split()
            return int(words[words.index("high") + 1])
        return 0

    def end(self, *command: str) -> None:
        """Kill whatever runs this command in it: from outside, since in it nothing may be able to start."""
        with contextlib.suppress(OSError):
            for pid in (self._folder / "cgroup.procs").read_text().split():
                if _words(Path("/proc") / pid) == list(command):
                    os.kill(int(pid), signal.SIGKILL)


def _words(process: Path) -> list[str]:
    try:
        return [os.fsdecode(word) for word in (process / "cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:  # it has ended
        return []
