"""Every night: faults drawn by lot, each at a target drawn by lot; whatever breaks, the plan foresaw what happens.

BASCULE_FAULTS says how many (10). They are drawn from `--seed`: give each night its own, and the same again to replay a
night, or one of its faults with `--scenario`. A defect that is found becomes a scenario of its own.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from faults import Crash, Hang, Isolation, Reboot, Stall
from lab.front.catalogue.aims import AIMS
from lab.front.options import plan_of
from lab.measure import Outcome
from lab.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab import Lab
    from lab.faulting import Fault
    from lab.measure import Verdict
    from lab.plan import Plan

pytestmark = [pytest.mark.nightly, pytest.mark.disaster]


def _hosts(plan: Plan) -> list[str]:
    return [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]


KINDS: dict[str, Callable[[Plan], Iterable[Fault]]] = {
    # Of the rows of the catalogue whose faults are the same, one.
    **{row: AIMS[row] for row in ("H1", "H3", "H5", "H6", "H7", "H10", "H15", "S3", "S4", "S7", "S11")},
    **{row: AIMS[row] for row in ("V1", "V2", "V4", "V5", "V6", "V7", "V8", "V9", "V12", "V16", "U1", "U2")},
    "crash": lambda plan: [*map(Crash, plan.servers), *(Crash(host, "guard") for host in _hosts(plan))],
    "stall": lambda plan: [*map(Stall, plan.servers), *(Stall(host, "agent") for host in _hosts(plan))],
    "hang": lambda plan: map(Hang, _hosts(plan)),
    "reboot": lambda plan: map(Reboot, _hosts(plan)),
    "isolation": lambda plan: map(Isolation, [*_hosts(plan), *plan.rooms]),
}


def draw(plan: Plan, lot: str) -> tuple[str, Fault]:
    """A kind of fault and its target; the same for the same lot."""
    random = Random(lot)  # noqa: S311 - to be played again, not to be secret
    kind = random.choice(tuple(KINDS))
    return kind, random.choice(tuple(KINDS[kind](plan)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Draw the faults."""
    config = metafunc.config
    plan, seed = plan_of(config), config.getoption("--seed")
    numbers = range(1, int(os.environ.get("BASCULE_FAULTS", "10")) + 1)
    drawn = {number: draw(plan, f"{seed} {number}") for number in numbers}
    ids = [f"{number:02}-{kind}" for number, (kind, _) in drawn.items()]
    metafunc.parametrize("drawn_fault", [fault for _, fault in drawn.values()], ids=ids)


def met_or_foreseen(verdict: Verdict) -> None:
    """Insist that the objective is met, or that the plan itself foresees the outage."""
    foreseen = verdict.verdict is Outcome.NOT_MET and verdict.predicted in {"C", "D"} and verdict.as_predicted
    if not foreseen:
        verdict.require()


@pytest.mark.scenario("X1", fr="Panne tirée au sort")
def test_whatever_breaks_was_foreseen(lab: Lab, drawn_fault: Fault) -> None:
    """Whatever breaks, care goes on or stops as the plan foresaw; no server is seen twice, and nothing is left."""
    dopasoins, imagerie = lab.service("dopasoins"), lab.service("imagerie")

    with (
        dopasoins.observed() as history,
        imagerie.observed() as images,
        lab.cluster.watched() as twice,
        lab.fault(drawn_fault),
    ):
        lab.hold()

    met_or_foreseen(dopasoins.judge(history))
    met_or_foreseen(imagerie.judge(images))
    lab.storage.verify().require()
    assert not twice
