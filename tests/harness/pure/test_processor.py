"""A node's share of a processor, in both versions of control groups; over folders that look like the kernel's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.nodes import cgroup
from lab.nodes.cgroup import Processor

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
