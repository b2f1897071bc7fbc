"""Who decides when places are parted: as the plan says, and as the page says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.deciders import Deciders
from lab.errors import NotMet
from lab.expectation import cuts, decided
from lab.expectation.deciding import table
from lab.plan import load

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
    holders={"dopasoins": "dopasoins-1"},
)


def test_whoever_decides_as_the_plan_says_is_right() -> None:
    FOUND.require(LAB, CUT)
    replace(FOUND, master="esx-12", holders={"dopasoins": "dopasoins-2"}).require(LAB, CUT)  # as good


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (replace(FOUND, storage="svc-2"), "the storage is served by svc-2, not by svc-1"),
        (replace(FOUND, storage=None), "the storage is served by None, not by svc-1"),
        (replace(FOUND, master="esx-21"), "the cluster's master is esx-21, none of esx-11, esx-12"),
        (replace(FOUND, writers={"dopasoins": frozenset()}), "dopasoins is written on nobody, not dopasoins-1"),
        (replace(FOUND, holders={"dopasoins": None}), "the address of dopasoins is on None, not on dopasoins-1"),
        (
            replace(FOUND, placement={**FOUND.placement, "imagerie": ZERO.host_of("imagerie")}),
            "imagerie was not restarted elsewhere",
        ),
    ],
)
def test_whoever_else_decides_is_named(found: Deciders, sentence: str) -> None:
    with pytest.raises(NotMet, match=f"^cut between {CUT.name}: .*{sentence}"):
        found.require(LAB, CUT)


def test_a_server_that_nobody_had_to_move_may_be_anywhere() -> None:
    cut = BY_NAME["salle-1/salle-2 (management)"]
    at_home = {name: ZERO.host_of(name) for name in ZERO.servers}
    replace(FOUND, placement=at_home).require(LAB, cut)
