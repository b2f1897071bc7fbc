"""`bascule scenarios`, `run` and `gate` in a folder of somebody else's, without a lab."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from lab.front.playing import code_of
from lab.front.progress import Freeze, line
from lab.front.summary import lines
from lab.run import Scenario
from tests.harness.pure.front_lab import SCENARIOS, conftest

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]


def bascule(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    return pytester.run(sys.executable, "-m", "lab.front.cli", *words)


@pytest.fixture
def elsewhere(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with scenarios and a fake lab."""
    pytester.makeconftest(conftest())
    pytester.makepyfile(SCENARIOS)
    return pytester


@pytest.mark.parametrize(
    ("ids", "code"),
    [(["Z1"], 0), (["Z1", "Z2"], 1), (["Z9"], 2), (["Z1", "Z3"], 3), (["Z3", "Z4"], 4), (["Z2", "Z4"], 1)],
)
def test_the_exit_code_is_the_worst_result(elsewhere: pytest.Pytester, ids: list[str], code: int) -> None:
    assert bascule(elsewhere, "run", *ids, "--plan", "tiny").ret == code


def test_the_gate_plays_what_is_marked(elsewhere: pytest.Pytester) -> None:
    result = bascule(elsewhere, "gate", "--plan", "tiny", "-k", "salle-1")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "  met           Z1-salle-1",
            "instrument: calibration inconclusive, the rig fell over",
            "*1 passed, 7 deselected*",
        ]
    )
    (written,) = elsewhere.path.glob("runs/*/campaign.json")
    campaign = json.loads(written.read_text())
    assert campaign["calibration"] == {
        "conclusive": False,
        "sentence": "calibration inconclusive, the rig fell over",
    }
    assert campaign["verified"] == {"agrees": True, "said": ["Z1-salle-1: nothing was measured"]}


def test_only_a_gate_opens_with_a_calibration(elsewhere: pytest.Pytester) -> None:
    assert "the rig fell over" not in bascule(elsewhere, "run", "Z1-salle-1", "--plan", "tiny").stdout.str()


def test_a_run_whose_own_script_disagrees_is_not_green(elsewhere: pytest.Pytester) -> None:
    elsewhere.makepyfile(
        """
        import json
        import pytest

        @pytest.mark.scenario("Z6")
        def test_touched(lab):
            lab.judge("met").require()
            path = lab.scenario.folder / "verdict.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), "attempts": 9, "operations": 3}))
        """
    )
    result = bascule(elsewhere, "run", "Z6", "--plan", "tiny")

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*verify.py derives other figures than the verdicts have: run it"])


def test_scenarios_lists_real_targets_and_markers(elsewhere: pytest.Pytester) -> None:
    result = bascule(elsewhere, "scenarios", "--plan", "tiny")
    result.stdout.fnmatch_lines(["Z1-salle-1 *Care goes on. ?gate?", "Z2 *Care stops."])
    result.stdout.no_fnmatch_line("*something_else*")


def test_a_folder_without_scenarios_gets_the_shipped_ones(pytester: pytest.Pytester) -> None:
    result = bascule(pytester, "scenarios", "--plan", "tiny")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["R1-salle-1 *?gate, disaster?"])


def test_misuse_is_said_in_one_sentence(pytester: pytest.Pytester) -> None:
    result = bascule(pytester, "scenarios", "--plan", "nowhere")
    assert result.ret == 2
    assert len(result.errlines) == 1
    assert bascule(pytester, "status", "--nonsense").ret == 2


@pytest.mark.parametrize(
    ("seen", "status", "code"),
    [({"met"}, 0, 0), ({"met"}, 1, 4), (set(), 5, 2), (set(), 4, 2), (set(), 3, 4), (set(), 2, 2)],
)
def test_without_a_bad_result_pytest_decides(seen: set[str], status: int, code: int) -> None:
    assert code_of(seen, status) == code


def test_the_freeze_so_far_counts_the_present_gap(tmp_path: Path) -> None:
    scenario = Scenario("Z", "Z", "t", "t", tmp_path, fault="CableCut('a')", steps=(frozenset({"a"}),))
    rows = [(0, "ok"), (1, "ok"), (3, "failed"), (4, "ok")]
    written = [f'{{"k":"pulse","e":{1_000_000_000 * (at + 1)},"o":"{outcome}"}}' for at, outcome in rows]
    scenario.history.write_text("\n".join([*written, '{"k":"pul']), encoding="utf-8")
    freeze = Freeze(scenario)
    assert freeze.look(5_100_000_000) == pytest.approx(3.0)
    assert freeze.look(10_000_000_000) == pytest.approx(5.0)
    assert line(scenario, 12.2, 5.0, "healing") == "  Z 12 s: CableCut a, freeze so far 5.0 s, healing"


def test_a_line_fits_eighty_columns() -> None:
    told = {"result": "met", "scenario": "H15-sw-management-1", "sentence": "words " * 60}
    assert max(map(len, lines(told, 80))) <= 80


def test_a_gate_plays_one_of_each_kind_and_the_night_the_others(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.gate
        @pytest.mark.scenario("Z1")
        def test_it(esx_host): ...
        """
    )

    def chosen(expression: str) -> set[str]:
        result = pytester.runpytest_inprocess("--plan", "zero", "--collect-only", "-q", "-m", expression)
        return {line.partition("[")[2].rstrip("]") for line in result.outlines if "::test_it[" in line}

    assert chosen("gate and not thorough") == {"esx-11", "esx-21"}
    assert chosen("nightly or thorough") == {"esx-12", "esx-22"}
