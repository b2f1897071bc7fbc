"""Test the tester: planned changes made as they must not be. docs/track-record.md lists these defects."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from faults import HostMaintenance, PlannedStop, PowerLoss, Restart, Then
from lab.bench import Lab
from lab.measure import Outcome
from lab.plan import Scope, load, loads
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.faulting import Fault, Site
    from lab.measure import Verdict

    Play = Callable[..., Verdict]

TINY = load("tiny")
MEMBERS = TINY.services["dopasoins"].runs_on
ROOMY = loads(
    (resources.files("lab.plan") / "shipped" / "tiny.yaml")
    .read_text(encoding="utf-8")
    .replace("hosts: [esx-11]", "hosts: [esx-11, esx-12]")
    .replace("hosts: [esx-21]", "hosts: [esx-21, esx-22]")
)


def _at_once(*changes: Fault) -> Fault:
    """What is done in turn otherwise, and owes the same: each changes one component."""
    return Then(*changes, scope=Scope.ONE_COMPONENT)


HURRIED: dict[str, Fault] = {
    "M2, the second controller before the first is back": _at_once(PlannedStop("svc-1"), PlannedStop("svc-2")),
    "M3, the second arbiter before the first is back": _at_once(PowerLoss("etcd-1"), PowerLoss("etcd-2")),
    "M4, the second database before the first is in sync": _at_once(*(Restart(name, "database") for name in MEMBERS)),
}


@pytest.mark.parametrize("fault", HURRIED.values(), ids=HURRIED.keys())
def test_an_upgrade_that_does_not_wait_for_its_turn_is_not_met(fault: Fault, tiny: Lab, play: Play) -> None:
    tiny.wait_whole()
    verdict = play(tiny, fault)
    assert verdict.verdict is Outcome.NOT_MET, verdict.sentence


@dataclass(frozen=True)
class BothMaintained(HostMaintenance):
    """The hosts of both members of the pair are ordered empty at once."""

    other: str = ""

    def inject(self, lab: Site) -> None:
        """Order both, then wait until both are empty."""
        lab.levers.maintain([self.host, self.other])
        wait_until(lambda: self._empty(lab), within=120, because="a host is not empty", every=0.2)

    def heal(self, lab: Site) -> None:
        """Give both back."""
        lab.levers.end_maintenance([self.host, self.other])

    def _empty(self, lab: Site) -> bool:
        return not {self.host, self.other} & set(lab.cluster.placement().values())


@pytest.mark.parametrize(
    ("defects", "outcome"), [((), Outcome.MET), (("move-both-twins",), Outcome.NOT_MET)], ids=["in turn", "at once"]
)
def test_a_cluster_that_empties_both_hosts_of_a_pair_at_once_is_not_met(
    defects: tuple[str, ...], outcome: Outcome, play: Play
) -> None:
    both = BothMaintained(ROOMY.host_of(MEMBERS[0]), ROOMY.host_of(MEMBERS[1]))
    with Lab.up(ROOMY, name=f"maintained-{os.getpid()}", defects=defects) as lab:
        verdict = play(lab, both)
    assert verdict.verdict is outcome, verdict.sentence
