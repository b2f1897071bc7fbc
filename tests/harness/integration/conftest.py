"""One `tiny` lab for all integration tests of a worker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.bench import Lab
from lab.plan import load

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
_up: list[Lab] = []


@pytest.fixture(scope="session")
def tiny() -> Iterator[Lab]:
    """The smallest complete lab, up and whole, until the last test of this folder."""
    _up.append(Lab.up(load("tiny"), name=f"integration-{os.getpid()}"))
    yield _up[0]
    _end()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """An idle lab takes half of one core from the tests that need none."""
    if nextitem is None or HERE not in nextitem.path.parents:
        _end()


def _end() -> None:
    while _up:
        _up.pop().down()


@pytest.fixture
def whole(tiny: Lab) -> Iterator[Lab]:
    """The same, found whole and left whole: what the test before broke for a moment may still be on its way back."""
    tiny.wait_whole()
    tiny.go_home()
    yield tiny
    tiny.levers.mend_all()
    tiny.wait_whole()
