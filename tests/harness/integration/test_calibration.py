"""The calibration's rig on this machine: known outages are seen, and nothing of it is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.calibration import SHORT, Course, play


def namespaces() -> set[int]:
    """Network namespaces that some process of ours stands in."""
    found = set()
    for task in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(task.stat().st_ino)
        except OSError:
            continue
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_known_outages_are_all_seen_and_the_rig_is_gone() -> None:
    before = namespaces()
    found = play(SHORT)

    assert namespaces() <= before
    if not found.conclusive:
        pytest.skip(found.words.en)  # a busy machine; what must then be said was said
    assert all(one.found for one in found.outages), found.rows()


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_a_known_freeze_is_seen_by_the_journeys() -> None:
    (seen,) = play(Course((), ((1.0, 1),))).freezes

    assert seen.found
    assert seen.true_s >= 1
