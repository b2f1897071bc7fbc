"""Who decides when places are parted: as the plan says, and as the page says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.deciders import OF_ITSELF, Deciders, find, settled
from lab.errors import NotMet
from lab.expectation import cuts, decided
from lab.expectation.deciding import table
from lab.nodes import NodeError, Ran
from lab.plan import load

if TYPE_CHECKING:
    from lab.plan import Plan

ZERO = load("zero")
BY_NAME = {cut.name: cut for cut in cuts(ZERO)}


def test_the_page_is_what_the_plan_says() -> None:
    page = Path(__file__).parents[3] / "docs/who-decides.md"
    assert page.read_text(encoding="utf-8").endswith(f"## zero\n\n{table(ZERO)}")


def test_every_pair_of_places_that_cables_join_is_cut_whole_and_by_network() -> None:
    assert "salle-1/salle-2" in BY_NAME
    assert {"salle-1/salle-2 (storage)", "salle-1/salle-2 (management)", "salle-1/salle-2 (servers)"} <= BY_NAME.keys()
    assert "salle-1/services-de-soins (servers)" not in BY_NAME, "its cables carry nothing else"


@pytest.mark.parametrize("name", ["salle-1/salle-2", "salle-1/salle-2 (storage)"])
def test_storage_and_servers_end_up_in_the_preferred_room(name: str) -> None:
    found = decided(ZERO, BY_NAME[name])
    assert found.storage.active == "svc-1"
    assert found.masters == ("esx-11", "esx-12")
    assert found.moves == ("dopasoins-2", "imagerie")
    assert found.holders == {"dopasoins": ("dopasoins-1",)}


def test_a_host_that_only_the_storage_hears_is_left_alone() -> None:
    assert decided(ZERO, BY_NAME["salle-1/salle-2 (management)"]).moves == ()


def test_where_servers_are_now_decides_as_well() -> None:
    moved = {"dopasoins-2": "esx-12", "imagerie": "esx-12"}
    found = decided(ZERO, BY_NAME["salle-1/salle-2"], moved)
    assert found.moves == ()
    assert found.writers == {"dopasoins": ("dopasoins-1", "dopasoins-2")}


@pytest.mark.parametrize("name", BY_NAME)
def test_no_cut_leaves_nobody_to_decide(name: str) -> None:
    found = decided(ZERO, BY_NAME[name])
    assert found.storage.active
    assert found.masters
    assert found.holders["dopasoins"]


# What was found in a lab, held against it

CUT = BY_NAME["salle-1/salle-2"]
LAB: Any = SimpleNamespace(plan=ZERO)
FOUND = Deciders(
    storage="svc-1",
    master="esx-11",
    placement={"dopasoins-1": "esx-11", "dopasoins-2": "esx-12", "imagerie": "esx-12"},
    writers={"dopasoins": frozenset({"dopasoins-1", "dopasoins-2"})},
    holders={"dopasoins": frozenset({"dopasoins-1"})},
)


def test_whoever_decides_as_the_plan_says_is_right() -> None:
    FOUND.require(LAB, CUT)
    replace(FOUND, master="esx-12", holders={"dopasoins": frozenset({"dopasoins-2"})}).require(LAB, CUT)  # as good


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (replace(FOUND, storage="svc-2"), "the storage is served by svc-2, not svc-1"),
        (replace(FOUND, storage=None), "the storage is served by nobody, not svc-1"),
        (replace(FOUND, master="esx-21"), "the cluster's master is esx-21, not esx-11 or esx-12"),
        (replace(FOUND, writers={"dopasoins": frozenset()}), "dopasoins is written on nobody, not dopasoins-1"),
        (replace(FOUND, holders={"dopasoins": frozenset()}), "the address of dopasoins is on nobody, not dopasoins-1"),
        (
            replace(FOUND, placement={**FOUND.placement, "imagerie": ZERO.host_of("imagerie")}),
            "imagerie was not restarted elsewhere",
        ),
    ],
)
def test_whoever_else_decides_is_named(found: Deciders, sentence: str) -> None:
    with pytest.raises(NotMet, match=f"^cut between {CUT.name}: .*{sentence}") as caught:
        found.require(LAB, CUT)
    assert caught.value.fr.startswith(f"coupure entre {CUT.name} : ")


def test_a_server_that_nobody_had_to_move_may_be_anywhere() -> None:
    cut = BY_NAME["salle-1/salle-2 (management)"]
    at_home = {name: ZERO.host_of(name) for name in ZERO.servers}
    replace(FOUND, placement=at_home).require(LAB, cut)


# Who is asked, and for how long


@dataclass
class Asked:
    """A lab that says who decides, each time it is asked; it has no wards through whom anybody could be."""

    masters: list[str]
    plan: Plan = ZERO
    deaf: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = field(default_factory=list)
    placement: dict[str, str] = field(default_factory=lambda: dict(FOUND.placement))

    @property
    def storage(self) -> SimpleNamespace:
        return SimpleNamespace(active="svc-1")

    @property
    def cluster(self) -> SimpleNamespace:
        master = self.masters.pop(0) if len(self.masters) > 1 else self.masters[0]
        return SimpleNamespace(master=master, placement=lambda: self.placement)

    @property
    def nodes(self) -> Asked:
        return self

    def run(self, node: str, *command: str) -> Ran:
        member = command[3]
        self.asked.append((node, member))
        if node in self.deaf:
            raise NodeError(f"node {node} is off: it runs no command")
        assert command[:3] == ("ip", "netns", "exec")
        assert command[-1] == str(ZERO.services["dopasoins"].address)
        return Ran(0, json.dumps({"writes": True, "holds": member == "dopasoins-1"}))


def test_members_are_asked_within_themselves_where_they_run_now() -> None:
    lab: Any = Asked(["esx-11"])
    found = find(lab)

    found.require(lab, CUT)
    assert lab.asked == [("esx-11", "dopasoins-1"), ("esx-12", "dopasoins-2")]


def test_a_member_whose_host_is_dead_or_that_runs_nowhere_neither_writes_nor_holds() -> None:
    at_home = {**FOUND.placement, "dopasoins-1": "esx-11"}
    deaf: Any = Asked(["esx-11"], deaf=frozenset({"esx-12"}))
    assert find(deaf).writers == {"dopasoins": frozenset({"dopasoins-1"})}
    del at_home["dopasoins-1"]
    lab: Any = Asked(["esx-11"], placement=at_home)
    found = find(lab)
    assert (found.writers, found.holders) == ({"dopasoins": frozenset({"dopasoins-2"})}, {"dopasoins": frozenset()})


def test_it_is_asked_again_until_it_is_as_planned() -> None:
    lab: Any = Asked(["esx-21", "esx-21", "esx-21", "esx-11"])
    settled(lab, CUT, within=10).require(lab, CUT)


def test_what_does_not_become_as_planned_is_told() -> None:
    lab: Any = Asked(["esx-21"])
    with pytest.raises(NotMet, match="the cluster's master is esx-21"):
        settled(lab, CUT, within=0).require(lab, CUT)


@pytest.mark.parametrize(("state", "said"), [("served", True), ("silent", False)])
def test_a_member_says_of_itself_whether_it_writes_and_has_the_address(
    state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, said: bool
) -> None:
    """The program that is run in a member, with its application and its `ip` stood in for."""

    class Link:
        def __init__(self, *_: object, **__: object) -> None: ...

        def request(self, *_: object) -> None:
            if state == "silent":
                raise ConnectionRefusedError

        def getresponse(self) -> SimpleNamespace:
            return SimpleNamespace(status=200, read=lambda: b'{"synced": true}')

    listed = f"2: eth0 inet 10.77.4.11/22\\n3: eth0 inet 10.77.4.1{'0/22' if said else '/32'}"
    monkeypatch.setattr("http.client.HTTPConnection", Link)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: SimpleNamespace(stdout=listed))
    monkeypatch.setattr("sys.argv", ["-c", "10.77.4.10"])
    exec(compile(OF_ITSELF, "member", "exec", dont_inherit=True), {})  # noqa: S102 - our own program

    assert json.loads(capsys.readouterr().out) == {"writes": said, "holds": said}
