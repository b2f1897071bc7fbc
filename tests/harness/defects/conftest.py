"""Scenarios played by hand, so that a defect can be planted in each of their parts."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.bench import Lab
from lab.plan import load
from lab.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.faulting import Fault
    from lab.measure import Verdict
    from lab.service import Observation

    Tamper = Callable[[Lab, Observation], None]


@pytest.fixture(scope="module")
def tiny() -> Iterator[Lab]:
    """A lab without a planted defect, for as long as a module needs it: an idle one takes half of one core."""
    with Lab.up(load("tiny"), name=f"defects-{os.getpid()}") as lab:
        yield lab


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run folder that nobody keeps."""
    return Run(tmp_path_factory.mktemp("runs"), load("tiny"))


@pytest.fixture
def play(run: Run, request: pytest.FixtureRequest) -> Callable[..., Verdict]:
    """Play one scenario: `play(lab, fault, clients=defects of the clients, tamper=what is done before judging)`."""

    def played(
        lab: Lab, fault: Fault, clients: frozenset[str] = frozenset(), tamper: Tamper = lambda *_: None
    ) -> Verdict:
        with begun(lab, run, request.node.name):
            dopasoins = lab.service("dopasoins")
            with dopasoins.observed(clients) as history, lab.fault(fault):
                lab.hold()
            tamper(lab, history)
            return dopasoins.judge(history)

    return played


@contextmanager
def begun(lab: Lab, run: Run, name: str) -> Iterator[None]:
    """A scenario of that name is being played."""
    lab.begin(run.begin(name, "defect", name, name))
    yield
    lab.begin(None)
