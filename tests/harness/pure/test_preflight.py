"""The initial state: what is placed as the plan wants it, what is not, and what a report makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import reports
from lab.plan import Continuity, load
from lab.plan.elements import HighAvailability
from lab.plan.words import Rule
from lab.preflight import Row, capacity, placed
from tests.harness.pure.reports_folder import MET, write_run

if TYPE_CHECKING:
    from pathlib import Path

ZERO = load("zero")
HOME = {name: ZERO.host_of(name) for name in ZERO.servers}
PAIR = [name for name, server in ZERO.servers.items() if server.continuity is Continuity.PAIR]


def wrong(placement: dict[str, str]) -> list[str]:
    return [row.check for row in (*placed(ZERO, placement), *capacity(ZERO, placement)) if not row.holds]


def test_a_placement_as_planned_holds() -> None:
    assert wrong(HOME) == []


def test_a_server_that_runs_nowhere_is_seen() -> None:
    assert "servers that run" in wrong({name: host for name, host in HOME.items() if name != "imagerie"})


def test_a_pair_in_one_room_is_seen_twice() -> None:
    """Each member has lost its twin's distance, and one of them its room."""
    both = {**HOME, PAIR[0]: HOME[PAIR[1]]}
    assert wrong(both) == ["members apart from their twin", "members in their room"]


def test_a_pair_with_its_rooms_swapped_is_apart_and_not_at_home() -> None:
    assert wrong({**HOME, PAIR[0]: HOME[PAIR[1]], PAIR[1]: HOME[PAIR[0]]}) == ["members in their room"]


def test_memory_that_one_room_could_not_hold_is_seen() -> None:
    greedy = {name: server.model_copy(update={"memory": 2**50}) for name, server in ZERO.servers.items()}
    plan = ZERO.model_copy(update={"servers": greedy})
    rows = [row for row in capacity(plan, HOME) if not row.holds]
    assert len(rows) == 2
    assert re.fullmatch(r"memory reserved, .* without salle-\d: .* and should be ≤ .*", str(rows[0]))


@pytest.mark.parametrize("ha", [{"admission": {"cpu": 0, "memory": 0}}, {"rule": Rule.MUST}])
def test_a_plan_that_admits_everything_or_leaves_no_room_is_asked_for_no_spare_one(ha: dict[str, object]) -> None:
    greedy = {name: server.model_copy(update={"memory": 2**50}) for name, server in ZERO.servers.items()}
    told = HighAvailability.model_validate({**ZERO.ha.model_dump(), **ha})
    plan = ZERO.model_copy(update={"servers": greedy, "ha": told})
    assert not list(capacity(plan, HOME))


@pytest.mark.parametrize(("language", "says"), [("fr", "maîtres de la haute disponibilité"), ("en", "masters")])
def test_the_report_shows_what_was_read(tmp_path: Path, language: str, says: str) -> None:
    row = Row("masters of the cluster", "maîtres de la haute disponibilité", "1", "2", holds=False)
    page = reports.write(write_run(tmp_path, MET, preflight=[vars(row)]), language).read_text("utf-8")
    told = page[page.index(says) :]
    assert re.match(r"[^<]*</th><td>1</td><td>2</td><td>non?</td>", told), told[:200]


def test_a_run_of_an_older_bench_shows_none(tmp_path: Path) -> None:
    assert "État lu avant" not in reports.write(write_run(tmp_path, MET)).read_text("utf-8")
