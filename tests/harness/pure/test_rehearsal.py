"""A dry run says what would be done, and touches nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lab.bench
import lab.enclosure.sweep
from faults import Blackhole, CableCut, Duplication, Every, Loss, PowerLoss, Then
from lab.front.rehearsal import ENDS_BY_ITSELF, UNDO, acts, longest, told
from lab.journal import Harm
from lab.plan import load
from tests.harness.pure.every_fault import composed, simple
from tests.harness.pure.front_lab import conftest

if TYPE_CHECKING:
    from pathlib import Path

    from lab.faulting import Fault

pytest_plugins = ["pytester"]
TINY = load("tiny")
SCENARIOS = """
import pytest
from faults import CableCut, PowerLoss


@pytest.mark.scenario("Z1")
def test_room(lab, room):
    \"\"\"A room burns.\"\"\"
    service = lab.service("dopasoins")
    with service.observed(), lab.fault(PowerLoss(room)):
        raise AssertionError("a dry run held a fault")


@pytest.mark.scenario("Z2")
def test_active(lab):
    \"\"\"The active host burns.\"\"\"
    with lab.fault(PowerLoss(lab.plan.host_of(lab.service("dopasoins").active()))):
        raise AssertionError("a dry run held a fault")


@pytest.mark.scenario("Z3")
def test_asks(lab):
    \"\"\"Asks first.\"\"\"
    lab.fault(CableCut(lab.storage.weakest()))
"""


def test_every_harm_has_its_undoing() -> None:
    assert set(UNDO) == set(Harm)
    assert set(Harm) > ENDS_BY_ITSELF


def test_a_dry_run_says_targets_undo_and_longest_and_builds_no_lab(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(conftest())
    pytester.makepyfile(SCENARIOS)
    result = pytester.runpytest_inprocess(
        "--plan", "tiny", "--dry-run", "-W", "ignore::pytest.PytestAssertRewriteWarning"
    )
    result.assert_outcomes(skipped=5)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "Z1-salle-1  A room burns.",
            "  takes      salle-1",
            "  predicted  class ? for dopasoins; objective: a room",
            "  does       node off: baie-1, esx-11, etcd-1, svc-1",
            "  undo       power on; it boots",
            "  does       switch off: sw-management-1, sw-servers-1, sw-storage-1",
            "  longest    * s until it is healed, then 160 s to be whole",
            "Z2  The active host burns.",
            "  (the active member is taken to be dopasoins-1; *",
            "  does       node off: esx-11",
            "  asks the running lab for `storage` before its fault: *",
        ]
    )
    assert (pytester.path / "built.txt").read_text() == "[]"
    assert not (pytester.path / "runs").exists()


def test_wires_are_named_as_the_hospital_names_them() -> None:
    (act,) = acts(TINY, CableCut("rocade-1"))
    assert act.targets == (
        "rocade-1/servers at sw-servers-1",
        "rocade-1/servers at sw-soins-a",
        "rocade-1/servers at sw-servers-1",
        "rocade-1/servers at sw-soins-b",
    )
    (act,) = acts(TINY, Loss("esx-11/sw-storage-1", 5, towards="esx-11"))
    assert act.targets == ("esx-11/sw-storage-1 out",)
    assert act.undo == "delete the firewall's table; ends by itself after 300 s"


def test_what_cannot_be_played_is_said() -> None:
    lines = list(told(TINY, "dopasoins", Duplication("fibre-a", 5)))
    assert lines[-1].startswith("not available: this machine's kernel has no netem")


def test_what_composes_lasts_longer() -> None:
    cut = CableCut("fibre-a")
    second = timedelta(seconds=1)
    alone = longest(TINY, cut)
    assert longest(TINY, Then(cut, Blackhole("fibre-b"))) == alone + 10
    assert longest(TINY, Every(cut, each=2 * second, lasts=second, deadline=60 * second)) == alone + 60


@settings(max_examples=60, deadline=None)
@given(fault=st.one_of(simple(TINY), composed(TINY)))
def test_whatever_can_be_asked_for_can_be_rehearsed(fault: Fault) -> None:
    assert len(list(told(TINY, "dopasoins", fault))) >= 4


def test_a_dry_run_never_reaches_for_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Planted: a rehearsal that built a lab would fail here."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a dry run built a lab")

    monkeypatch.setattr(lab.bench.Lab, "up", refuse)
    monkeypatch.setattr(lab.enclosure.sweep, "STATE_ROOT", tmp_path / "none")
    assert acts(TINY, PowerLoss("salle-1"))
    assert not list(tmp_path.iterdir())
