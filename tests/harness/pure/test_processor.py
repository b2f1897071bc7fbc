"""A node's share of processor and memory, in both versions of control groups; over folders like the kernel's."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.nodes import cgroup
from lab.nodes.cgroup import Memory, Processor

if TYPE_CHECKING:
    from pathlib import Path


def modern(root: Path) -> Path:
    (root / "lab" / "node").mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory")
    (root / "lab" / "node" / "cpu.max").write_text("max 100000\n")
    return root / "lab" / "node"


def old(root: Path) -> Path:
    (root / "cpu" / "lab" / "node").mkdir(parents=True)
    (root / "cpu" / "lab" / "node" / "cpu.cfs_quota_us").write_text("-1\n")
    (root / "cpu" / "lab" / "node" / "cpu.cfs_period_us").write_text("100000\n")
    return root / "cpu" / "lab" / "node"


@pytest.mark.parametrize("version", [modern, old])
def test_a_share_is_allowed_and_lifted(version: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(version)
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    folder = version(tmp_path)
    processor = Processor("lab/node")
    assert processor.allowed() is None
    assert processor.held_back() == 0
    processor.allow(0.01)
    assert processor.allowed() == 0.01
    processor.allow(1e-6)
    assert processor.allowed() == 0.01, "the kernel refuses less than a millisecond"
    (folder / "cpu.stat").write_text("nr_periods 10\nnr_throttled 7\nthrottled_time 5\n")
    assert processor.held_back() == 7
    processor.allow(None)
    assert processor.allowed() is None


def test_a_group_that_is_gone_is_not_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    gone = Processor("lab/node")
    assert gone.allowed() is None
    assert gone.held_back() == 0
    with pytest.raises(OSError, match="No such file"):
        gone.allow(0.5)


def modern_memory(root: Path) -> Path:
    folder = modern(root)
    (folder / "memory.high").write_text("max\n")
    (folder / "memory.current").write_text("1000\n")
    (folder / "memory.events").write_text("low 0\nhigh 7\nmax 0\noom 0\noom_kill 0\n")
    return folder / "memory.high"


def old_memory(root: Path) -> Path:
    folder = root / "memory" / "lab" / "node"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (folder / "memory.usage_in_bytes").write_text("1000\n")
    (folder / "cgroup.procs").write_text("")
    (folder.parent / "cgroup.procs").write_text("")
    (folder / "memory.failcnt").write_text("7\n")
    return folder / "memory.limit_in_bytes"


@pytest.mark.parametrize("version", [modern_memory, old_memory])
def test_memory_is_limited_and_given_back(version: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(version)
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    limit = version(tmp_path)
    memory = Memory("lab/node")
    assert memory.allowed() is None
    assert memory.used() == 1000
    memory.allow(500)
    assert limit.read_text() == "500"
    assert memory.allowed() == 500
    assert memory.refused() == 7
    memory.allow(None)
    assert memory.allowed() is None
    assert limit.read_text() in {"max", "-1"}


@pytest.mark.parametrize("version", [modern_memory, old_memory])
def test_only_the_command_that_is_named_is_ended(
    version: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(version)
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    folder = version(tmp_path).parent
    with subprocess.Popen(["sleep", "60"]) as named, subprocess.Popen(["sleep", "61"]) as other:
        (folder / "cgroup.procs").write_text(f"{named.pid}\n{other.pid}\n4194304\n")
        Memory("lab/node").end("sleep", "60")
        assert named.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def test_the_memory_of_a_group_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    gone = Memory("lab/node")
    assert gone.allowed() is None
    assert gone.refused() == 0
    with pytest.raises(OSError, match="No such file"):
        gone.used()
