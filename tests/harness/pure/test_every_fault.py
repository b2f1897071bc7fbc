"""Laws of every fault, over a lab in memory: all that is done is in the journal, and healing leaves no trace."""

from __future__ import annotations

import random  # noqa: TC003 - Hypothesis reads the annotation
import tempfile
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults import CableCut, During, DuringResync, Every, Loss, Then, VolumeTakenIn, resync
from faults.wires import ways
from lab.errors import NotAvailableError
from lab.expectation import Class, expect
from lab.faulting import FaultNotFeltError, Felt, Stepwise
from lab.journal import Harm, Journal
from lab.memory import MemorySite
from lab.nodes import NodeError
from lab.plan import PlanError, load, loads
from tests.harness.pure.every_fault import composed, missing, of, simple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.faulting import Fault

ZERO, TINY = load("zero"), load("tiny")
MS = timedelta(milliseconds=1)


@contextmanager
def fresh() -> Iterator[MemorySite]:
    """A lab that nothing has happened to; one for each example, or a failure would spoil the next."""
    with tempfile.TemporaryDirectory() as folder:
        yield MemorySite(ZERO, Path(folder))


@pytest.fixture
def site() -> Iterator[MemorySite]:
    with fresh() as site:
        yield site


def injected(fault: Fault, site: MemorySite) -> bool:
    """Whether it could be played; some are aimed at what an earlier one took the power from."""
    with suppress(NotAvailableError, NodeError):
        fault.inject(site)
        return True
    return False


def test_every_fault_of_the_package_is_drawn() -> None:
    assert missing() == set()


@settings(max_examples=300, deadline=None)
@given(faults=st.lists(simple(ZERO), min_size=1, max_size=4), order=st.randoms())
def test_inject_then_heal_leaves_the_lab_as_it_was(faults: list[Fault], order: random.Random) -> None:
    with fresh() as site:
        before = site.state()
        for fault in faults:
            injected(fault, site)
        healed = list(faults)
        order.shuffle(healed)
        for fault in healed:
            fault.heal(site)
            fault.heal(site)
        assert site.state() == before


@settings(max_examples=200, deadline=None)
@given(faults=st.lists(simple(ZERO), min_size=1, max_size=4))
def test_whoever_broke_it_the_journal_on_disk_mends_it(faults: list[Fault]) -> None:
    with fresh() as site:
        before = site.state()
        for fault in faults:
            injected(fault, site)
        assert Journal.read(site.enclosure.state / "journal.jsonl").items() == site.levers.journal.items()
        site.levers.mend_all()
        assert site.state() == before


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_changes_the_lab_is_in_the_journal_first(data: st.DataObject) -> None:
    with fresh() as site:
        before = site.state()
        fault = data.draw(simple(ZERO))
        if injected(fault, site) and {**site.state(), "journal": 0} != {**before, "journal": 0}:
            assert not site.levers.journal.is_clear
        site.levers.mend_all()


@pytest.mark.parametrize("name", sorted(of(ZERO)))
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_it_speaks_french_has_a_scope_and_a_prediction(name: str, data: st.DataObject) -> None:
    fault = data.draw(of(ZERO)[name])
    assert fault.french[0].isupper() or fault.french.split()[0] in ZERO.nodes or fault.french[0].isdigit()
    assert fault.scope(ZERO)
    assert expect(ZERO, "dopasoins", fault.lost(ZERO)).klass in Class


@given(fault=composed(ZERO))
@settings(max_examples=100, deadline=None)
def test_composed_faults_lose_the_union_of_their_steps(fault: Fault) -> None:
    assert isinstance(fault, Stepwise)
    assert frozenset().union(*fault.steps(ZERO)) == fault.lost(ZERO)
    assert fault.scope(ZERO)
    assert fault.french


class Spoken:
    """A fault that says what is done to it."""

    def __init__(self, name: str, said: list[str], *, felt: bool = True) -> None:
        self.name, self.said, self.felt, self.on = name, said, felt, False

    def lost(self, plan: object) -> frozenset[str]:  # noqa: ARG002 - the protocol's shape
        return frozenset([self.name])

    scope = partial(Loss.scope, Loss("fibre-a", 1))
    french = "Parole"

    def inject(self, lab: object) -> None:  # noqa: ARG002 - as above
        self.on = True
        self.said.append(f"{self.name} begins")

    def holds(self, lab: object) -> Felt:  # noqa: ARG002 - as above
        return Felt(self.on and self.felt, self.name, self.name)

    def heal(self, lab: object) -> None:  # noqa: ARG002 - as above
        if self.on:
            self.said.append(f"{self.name} ends")
        self.on = False


def test_one_fault_during_another(site: MemorySite) -> None:
    said: list[str] = []
    short = During(Spoken("outer", said), Spoken("inner", said), after=MS, lasts=MS)
    short.inject(site)
    assert said == ["outer begins", "inner begins", "inner ends"]
    assert short.holds(site).holds
    short.heal(site)
    assert said[-1] == "outer ends"
    long = During(Spoken("outer", said), Spoken("inner", said))
    long.inject(site)
    assert long.holds(site).holds
    long.inner.heal(site)
    assert not long.holds(site).holds
    long.heal(site)
    assert long.steps(TINY) == (frozenset(["outer"]), frozenset(["inner"]))


def test_a_fault_that_comes_back_ends_each_time_but_the_last(site: MemorySite) -> None:
    said: list[str] = []
    fault = Every(Spoken("it", said), each=2 * MS, lasts=MS, times=3)
    fault.inject(site)
    assert said == ["it begins", "it ends", "it begins", "it ends", "it begins"]
    assert fault.holds(site).holds
    fault.heal(site)
    assert not fault.holds(site).holds


def behind_by(left: int, *, in_sync: bool = False) -> dict[str, object]:
    copy = {"in_sync": in_sync}
    volume = {"resync": {"of": "baie-1", "left": left} if left else None, "copies": {"baie-1": copy}}
    return {"active": True, "volumes": {"v": volume}, "resync_mib_per_second": 1}


def test_a_fault_during_a_resync_strikes_when_there_is_one(site: MemorySite, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    told = iter([behind_by(0, in_sync=True), behind_by(16), behind_by(17)])
    monkeypatch.setattr(resync, "_volumes", lambda _: next(told, behind_by(0))["volumes"])
    fault = DuringResync("baie-1", Spoken("inner", said), away=MS)
    object.__setattr__(fault, "slow", Spoken("slow", said))
    loss = Spoken("baie-1", said)
    monkeypatch.setattr(DuringResync, "_loss", property(lambda _: loss))
    fault.inject(site)
    assert said == ["slow begins", "baie-1 begins", "baie-1 ends", "inner begins"]
    assert next(told, None) is None, "it struck before there was enough to copy"
    assert fault.holds(site).holds
    fault.heal(site)
    assert said[-2:] == ["inner ends", "slow ends"]
    assert not fault.holds(site).holds


def test_a_resync_that_is_over_too_soon_makes_it_inconclusive(
    site: MemorySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    loss = Spoken("baie-1", said)
    monkeypatch.setattr(DuringResync, "_loss", property(lambda _: loss))
    monkeypatch.setattr(resync, "_BEGUN_WITHIN", 0.05)
    monkeypatch.setattr(resync, "_volumes", lambda _: behind_by(3)["volumes"])
    fault = DuringResync("baie-1", Spoken("inner", said), away=MS)
    object.__setattr__(fault, "slow", Spoken("slow", said))
    with pytest.raises(FaultNotFeltError, match="baie-1 is not copied to"):
        fault.inject(site)
    assert "inner begins" not in said


def test_a_deadline_that_passes_makes_it_inconclusive(site: MemorySite) -> None:
    said: list[str] = []
    late = Every(Spoken("it", said), each=40 * MS, lasts=20 * MS, times=2, deadline=MS)
    with pytest.raises(FaultNotFeltError, match="the deadline passed before turn 1 of 2 was over"):
        late.inject(site)
    late.heal(site)
    assert said[-1] == "it ends"


def test_a_part_that_stopped_biting_is_noticed(site: MemorySite) -> None:
    said: list[str] = []
    inner = Spoken("inner", said)
    fault = During(Spoken("outer", said), inner, lasts=200 * MS)
    inner.heal = lambda lab: said.append("nothing ends")  # type: ignore[method-assign]  # noqa: ARG005 - as above
    with pytest.raises(FaultNotFeltError, match="was healed and is still felt"):
        Then(fault).inject(site)


def test_impossible_times_and_shares_are_refused() -> None:
    with pytest.raises(PlanError, match="lasts less than from one to the next"):
        Every(CableCut("fibre-a"), each=MS, lasts=MS).lost(TINY)
    with pytest.raises(PlanError, match="a Blackhole loses all"):
        Loss("fibre-a", 100).lost(TINY)
    with pytest.raises(PlanError, match=r"no cable or port is called 'fibre-z'; known: .*esx-11/sw-servers-1"):
        Loss("fibre-z", 1).lost(TINY)
    with pytest.raises(PlanError, match="no end of fibre-a is called 'salle-3'; known: salle-1, salle-2"):
        Loss("fibre-a", 1, towards="salle-3").lost(TINY)


def test_a_stand_alone_volume_is_taken_in_and_goes_back(tmp_path: Path) -> None:
    text = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")
    plan = loads(text.replace("volume: 256 MiB}", "volume: 256 MiB, standalone: baie-2}"))
    lab, fault = MemorySite(plan, tmp_path), VolumeTakenIn("imagerie")
    before = lab.state()
    assert not fault.holds(lab).holds
    fault.inject(lab)
    assert fault.holds(lab).holds
    assert lab.levers.journal.open(Harm.TAKEN_IN) == {"imagerie"}
    fault.heal(lab)
    assert lab.state() == before
    with pytest.raises(NotAvailableError, match=r"--set servers\.dopasoins-1\.standalone=ARRAY"):
        VolumeTakenIn("dopasoins-1").inject(lab)


def test_the_ways_of_a_wire(site: MemorySite) -> None:
    both = ways(site, "fibre-a/management")
    assert [str(way) for way in both] == [f"{both[1].sink}>{both[0].sink}", f"{both[0].sink}>{both[1].sink}"]
    assert ways(site, "fibre-a/management", "salle-2") == both[:1]
    to_node, from_node = ways(site, "esx-11/sw-servers-1a")
    assert to_node.gate == f"{from_node.sink} out"
    assert from_node.gate == f"{from_node.sink} in"
    assert not to_node.in_fabric


def test_a_harm_that_no_lever_undoes_would_be_seen(site: MemorySite) -> None:
    """Planted: a lever that forgets to strike leaves the journal open, and `state` shows it."""
    site.levers.journal.add(Harm.LOSSY, ["c1a in"])
    assert not site.levers.journal.is_clear
    site.levers.mend_all()
    assert site.levers.journal.is_clear
