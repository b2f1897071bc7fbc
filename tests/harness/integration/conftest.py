"""One `tiny` lab for all integration tests of a worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lab.bench import Lab
from lab.plan import load

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def tiny() -> Iterator[Lab]:
    """The smallest complete lab, up and whole."""
    with Lab.up(load("tiny"), name=f"integration-{os.getpid()}") as lab:
        yield lab


@pytest.fixture
def whole(tiny: Lab) -> Iterator[Lab]:
    """The same, found whole and left whole: what the test before broke for a moment may still be on its way back."""
    tiny.wait_whole()
    yield tiny
    tiny.levers.mend_all()
    tiny.wait_whole()
