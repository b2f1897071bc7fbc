"""How long a fault is held: until the slowest timer that it may start has run out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from faults import CableCut, Isolation, NetworkCut, PortLoss, PowerLoss, SwitchLoss
from lab.bench import Lab
from lab.plan import IsolationResponse, load

if TYPE_CHECKING:
    from lab.faulting import Fault
    from lab.plan import Plan

TINY = load("tiny")
STOPPING = TINY.ha.model_copy(update={"isolation_response": IsolationResponse.STOP})
PLANS = {"leave on": TINY, "stop": TINY.model_copy(update={"ha": STOPPING})}
SLOWEST = 2.6  # seconds: of the replica's own failovers


def held(plan: Plan, fault: Fault, master: str = "esx-11") -> tuple[float, bool]:
    lab: Any = SimpleNamespace(
        plan=plan,
        scenario=SimpleNamespace(steps=(fault.lost(plan),), recovery=None),
        cluster=SimpleNamespace(hosts=["esx-11", "esx-21"]),
        _master=master,
    )
    return Lab._timers(lab)  # noqa: SLF001 - what `hold` waits for


@pytest.mark.parametrize(
    ("response", "fault", "seconds", "restarts"),
    [
        ("leave on", CableCut("fibre-a"), SLOWEST, False),
        ("leave on", SwitchLoss("sw-servers-1"), SLOWEST, False),
        ("leave on", PowerLoss("esx-21"), 19 / 3, True),  # declared dead, and one heartbeat more
        ("leave on", PowerLoss("esx-11"), 36 / 3, True),  # it was master: the next one restarts later
        ("leave on", NetworkCut("management", "salle-1", "salle-2"), 19 / 3, True),
        ("leave on", NetworkCut("storage", "salle-1", "salle-2"), 321 / 3, True),
        ("leave on", PortLoss("esx-21", "storage"), 321 / 3, True),
        ("leave on", PortLoss("esx-21", "management"), 19 / 3, True),
        ("stop", PortLoss("esx-21", "management"), 61 / 3, True),
        ("stop", Isolation("salle-2"), 19 / 3, True),  # its host reaches the virtualiser beside it
        ("stop", PowerLoss("esx-21"), 19 / 3, True),
    ],
    ids=str,
)
def test_until_the_slowest_timer_has_run_out(response: str, fault: Fault, seconds: float, *, restarts: bool) -> None:
    least, restarted = held(PLANS[response], fault)
    assert least == pytest.approx(seconds)
    assert restarted is restarts


@pytest.mark.parametrize(
    ("fault", "master", "seconds"),
    [
        (CableCut("fibre-a", "fibre-b"), "esx-11", 19 / 3),
        (CableCut("fibre-a", "fibre-b"), "esx-21", 36 / 3),  # it sees no storage, resigns, and the next one decides
        (Isolation("esx-11"), "esx-11", 36 / 3),
        (PowerLoss("esx-21"), "esx-11", 19 / 3),
        (PortLoss("esx-21", "storage"), "esx-21", 321 / 3),
    ],
    ids=str,
)
def test_a_master_that_may_not_stay_is_replaced_first(fault: Fault, master: str, seconds: float) -> None:
    assert held(TINY, fault, master)[0] == pytest.approx(seconds)
