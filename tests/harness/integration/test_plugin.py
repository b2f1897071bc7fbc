"""The plugin in a folder that holds nothing but a scenario of its own, on a real `tiny` lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

SCENARIO = '''
import pytest

from faults import CableCut


@pytest.mark.scenario("ours", fr="Notre câble")
@pytest.mark.service("dopasoins")
def test_our_cable(lab, service):
    """Care goes on when our cable is cut."""
    with service.observed() as history, lab.fault(CableCut("fibre-a")):
        lab.hold()

    service.judge(history).require()
'''


def test_a_repository_with_one_scenario_plays_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SCENARIO)
    result = pytester.runpytest_subprocess("--plan", "tiny", "--alluredir", "allure", "--junitxml", "junit.xml")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  met * ours", "*Bascule*", "time: build*", "report: *rapport.html"])
    (run,) = (pytester.path / "runs").iterdir()
    assert json.loads((run / "ours" / "verdict.json").read_text())["verdict"] == "met"
    (stored,) = (pytester.path / "allure").glob("*-result.json")
    steps = [step["name"].partition(":")[0].partition(",")[0] for step in json.loads(stored.read_text())["steps"]]
    assert steps == ["observe", "inject", "proof", "hold", "proof", "heal", "proof", "return"]
    assert 'name="sentence"' in (pytester.path / "junit.xml").read_text()
