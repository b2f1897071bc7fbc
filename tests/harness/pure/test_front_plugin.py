"""The plugin in a repository of somebody else's, without a lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from lab.analysis import analyse
from lab.measure import FailedCheck, Outcome
from tests.harness.pure.front_lab import SCENARIOS, conftest

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]
TINY = ("--plan", "tiny")
QUIETLY = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # this process has imported the plugin already


@pytest.fixture
def elsewhere(pytester: pytest.Pytester) -> pytest.Pytester:
    """A repository with scenarios and a fake lab."""
    pytester.makeconftest(conftest())
    pytester.makepyfile(SCENARIOS)
    return pytester


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*TINY, *QUIETLY, *options)


def folder(pytester: pytest.Pytester) -> Path:
    (only,) = (pytester.path / "runs").iterdir()
    return only


def test_targets_are_known_at_collection_and_no_lab_is_built(elsewhere: pytest.Pytester) -> None:
    result = run(elsewhere, "--collect-only", "-q")
    result.stdout.fnmatch_lines(["*test_room?salle-1?", "*test_room?salle-2?", "*test_room?ultime-secours?"])
    assert not (elsewhere.path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--plan", "nowhere"], "*nowhere*no such file*tiny, zero*"),
        (["--time-scale", "400"], "*--time-scale 400*host-dead*less than twice*"),
        (["--set", "ha.rule=may"], "*--set ha.rule=may*may*must*"),
        (["--set", "ha.rule"], "*--set ha.rule: write it as KEY=VALUE*"),
        (["--set", "name.first=x"], "*--set name.first=x: write it as KEY=VALUE*"),
        (["--scenario", "Z9"], "*unknown scenario 'Z9'*known: Z1, Z1-salle-1*"),
    ],
)
def test_misuse_is_one_sentence(elsewhere: pytest.Pytester, options: list[str], words: str) -> None:
    result = run(elsewhere, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([words])


def test_the_time_scale_overrides_the_plan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_scale(plan): assert plan.time_scale == 2.5")
    run(pytester, "--time-scale", "2.5").assert_outcomes(passed=1)


def test_a_variant_of_the_plan_is_played(pytester: pytest.Pytester) -> None:
    told = ("--set", "ha.rule=must", "--set", "ha.admission={cpu: 0 %, memory: 0 %}", "--set", "time_scale=2.5")
    pytester.makepyfile(
        "def test_it(plan): assert (plan.ha.rule, plan.ha.admission.cpu, plan.time_scale) == ('must', 0, 2.5)"
    )
    run(pytester, *told).assert_outcomes(passed=1)


def test_a_scenario_is_chosen_by_identifier_or_family(elsewhere: pytest.Pytester) -> None:
    run(elsewhere, "--scenario", "Z1-salle-1").assert_outcomes(passed=1, deselected=7)
    run(elsewhere, "--scenario", "Z1").assert_outcomes(passed=3, deselected=5)


def test_every_result_has_its_line_and_its_place_in_the_run(elsewhere: pytest.Pytester) -> None:
    result = run(elsewhere)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=4, failed=2, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "  met           Z1-salle-1",
            "    dopasoins: met, in words.",
            "  not-met       Z2",
            "  bench-error   Z4",
            "    the engine is gone",
            "  inconclusive  Z5",
            "    inconclusive: nothing was judged",
            "=* Bascule =*",
            "not-met       Z2: dopasoins: not-met, in words.",
            "report: *rapport.html",
        ]
    )
    campaign: dict[str, Any] = json.loads((folder(elsewhere) / "campaign.json").read_text())
    assert campaign["scenarios"] == ["Z1-salle-1", "Z1-salle-2", "Z1-ultime-secours", "Z2", "Z3", "Z4", "Z5"]
    assert campaign["ended"]
    verdict = json.loads((folder(elsewhere) / "Z4" / "verdict.json").read_text())
    assert verdict["sentence"] == "inconclusive: the engine is gone"


def test_the_run_keeps_the_catalogue_and_who_signs(elsewhere: pytest.Pytester) -> None:
    (elsewhere.path / "who.yaml").write_text("reference: GED-1\n")
    result = run(elsewhere, "--scenario", "Z1-salle-1", "--people", "who.yaml")

    known = json.loads((folder(elsewhere) / "catalogue.json").read_text())
    assert [one["family"] for one in known] == ["Z1", "Z2", "Z3", "Z4", "Z5"], "those not played, too"
    assert (folder(elsewhere) / "people.yaml").read_text() == "reference: GED-1\n"
    result.stdout.fnmatch_lines(["report: *rapport.html", "for the job's page: *resume.md"])
    assert "GED-1" in (folder(elsewhere) / "rapport.html").read_text("utf-8")


def test_a_shipped_plan_brings_functions_and_a_missing_file_is_misuse(elsewhere: pytest.Pytester) -> None:
    assert run(elsewhere, "--scenario", "Z2", "--people", "nowhere.yaml").ret == pytest.ExitCode.USAGE_ERROR
    run(elsewhere, "--scenario", "Z1-salle-1")
    assert "Responsable qualité" in (folder(elsewhere) / "people.yaml").read_text("utf-8")


def test_an_inconclusive_session_is_not_green(elsewhere: pytest.Pytester) -> None:
    result = run(elsewhere, "--scenario", "Z3")
    result.assert_outcomes(skipped=1, deselected=7)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


BESIDES = """
import pytest
from lab.errors import Inconclusive, LabError, NotMet


@pytest.mark.scenario("Y")
def test_it(lab):
    {before}
    {insists}
"""
CHECK = 'raise NotMet("svc-2 decides, not svc-1.", "svc-2 décide, pas svc-1.")'
PLAIN = "assert 1 == 2"
LOST = 'raise LabError("the engine is gone")'
STALE = 'raise Inconclusive("the fault was not felt")'


def besides(pytester: pytest.Pytester, before: str, insists: str, *options: str) -> tuple[str, dict[str, Any]]:
    """What the session says of a scenario that insists on more than its objective, and what is filed."""
    pytester.makeconftest(conftest())
    pytester.makepyfile(BESIDES.format(before=before, insists=insists))
    result = run(pytester, *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    words = [line.split() for line in result.outlines if line.startswith("  ") and line.split()[-1:] == ["Y"]]
    ((told, _),) = words
    return told, json.loads((folder(pytester) / "Y" / "verdict.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("before", "insists", "told", "named"),
    [
        ('lab.judge("met").require()', CHECK, "not-met", "svc-2 decides, not svc-1."),
        ('lab.judge("met").require()', PLAIN, "not-met", "assert 1 == 2"),
        ('lab.judge("met").require()', 'assert 0, "in words"', "not-met", "in words"),
        ('lab.judge("met").require()', LOST, "bench-error", "the engine is gone"),
        ('lab.judge("met").require()', STALE, "inconclusive", "the fault was not felt"),
        ('lab.judge("inconclusive")', CHECK, "not-met", "svc-2 decides, not svc-1."),
        ('lab.judge("not-met")', LOST, "not-met", "the engine is gone"),
        ("", PLAIN, "not-met", "assert 1 == 2"),
    ],
)
def test_a_scenario_that_insists_on_more_is_filed_as_the_session_saw_it(
    pytester: pytest.Pytester, before: str, insists: str, told: str, named: str
) -> None:
    said, verdict = besides(pytester, before, insists, "--junitxml", "j.xml")

    filed = "not-met" if told == "not-met" else "inconclusive"
    assert said == told
    assert verdict["verdict"] == filed
    assert verdict["failed_check"]["sentence"] == named
    assert named.rstrip(".") in verdict["sentence"]
    page = (folder(pytester) / "rapport.html").read_text("utf-8")
    assert "non conforme" in page if filed == "not-met" else "indéterminé" in page
    case = ET.parse(pytester.path / "j.xml").getroot().find(".//testcase")  # noqa: S314 - our own file
    assert case is not None
    assert {one.get("name"): one.get("value") for one in case.iter("property")}["verdict"] == filed
    assert (case.find("failure") is not None) == (filed == "not-met" or told == "bench-error")


def test_a_scenario_that_insists_on_more_says_it_in_french_and_when_it_is_judged_again(
    pytester: pytest.Pytester,
) -> None:
    _, verdict = besides(pytester, 'lab.judge("met").require()', CHECK)
    assert verdict["sentence_fr"] == "En mots. Une vérification du scénario a échoué\xa0: svc-2 décide, pas svc-1."
    assert "svc-2 décide, pas svc-1" in (folder(pytester) / "rapport.html").read_text("utf-8")

    (again,) = analyse(folder(pytester))
    assert again.verdict.verdict == "not-met"
    assert again.verdict.failed_check == FailedCheck(
        "svc-2 decides, not svc-1.", "svc-2 décide, pas svc-1.", Outcome.NOT_MET
    )
    assert not again.differs


def test_a_scenario_that_insists_on_more_is_stopped_before_it_looked(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(conftest())
    pytester.makepyfile(BESIDES.format(before='lab.judge("met").require()', insists="raise KeyboardInterrupt"))
    pytester.runpytest_subprocess(*TINY)  # pytester hands a Ctrl-C on to whoever plays the test

    verdict = json.loads((folder(pytester) / "Y" / "verdict.json").read_text("utf-8"))
    assert verdict["verdict"] == "inconclusive"
    assert verdict["sentence"] == "dopasoins: met, in words. The scenario did not reach its end: it was stopped."


def test_a_scenario_that_insists_on_more_is_failed_in_allure(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(conftest())
    pytester.makepyfile(BESIDES.format(before='lab.judge("met").require()', insists=CHECK))
    pytester.runpytest_subprocess(*TINY, "--alluredir", "allure")
    (stored,) = (pytester.path / "allure").glob("*-result.json")
    result = json.loads(stored.read_text())
    (attached,) = [one["source"] for one in result["attachments"] if one["name"] == "verdict.json"]

    assert result["status"] == "failed"
    assert json.loads((pytester.path / "allure" / attached).read_text("utf-8"))["verdict"] == "not-met"


def test_junit_carries_the_sentence(elsewhere: pytest.Pytester) -> None:
    run(elsewhere, "--scenario", "Z2", "--junitxml", "j.xml")
    case = ET.parse(elsewhere.path / "j.xml").getroot().find(".//testcase")  # noqa: S314 - our own file
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "not met: dopasoins: not-met, in words."
    told = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert told["verdict"] == "not-met"
    assert told["sentence"] == "dopasoins: not-met, in words."


@pytest.mark.parametrize(("scenario", "status"), [("Z2", "failed"), ("Z3", "skipped"), ("Z4", "broken")])
def test_allure_keeps_the_three_apart(elsewhere: pytest.Pytester, scenario: str, status: str) -> None:
    # A process of its own: Allure's listeners are global to one.
    elsewhere.runpytest_subprocess(*TINY, "--scenario", scenario, "--alluredir", "allure")
    (stored,) = (elsewhere.path / "allure").glob("*-result.json")
    result = json.loads(stored.read_text())
    assert result["status"] == status
    assert {one["name"] for one in result["attachments"]} >= {"verdict.json", "evidence.json", "plan.yaml"}
    assert {"name": "epic", "value": "Continuity of care"} in result["labels"]
    assert "plan=tiny" in (elsewhere.path / "allure" / "environment.properties").read_text()


def test_labs_without_defects_are_one_and_defects_have_their_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(conftest())
    scenario = 'import pytest\n{mark}\n@pytest.mark.scenario("Z")\ndef test_it(lab): lab.judge("met")'
    modules = {"test_a": "", "test_c": ""} | {"test_b": 'pytestmark = pytest.mark.lab_defects("audit-row-dropped")'}
    pytester.makepyfile(**{name: scenario.format(mark=mark) for name, mark in modules.items()})
    run(pytester, "--lab-name", "x").assert_outcomes(passed=3)
    assert (pytester.path / "built.txt").read_text() == "[('x', ()), ('x-defects', ('audit-row-dropped',))]"


def test_an_ill_lab_is_rebuilt_once_and_the_next_scenario_tries_again(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(conftest(2))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", [1, 2, 3])
        @pytest.mark.scenario("Z")
        def test_it(lab, n):
            lab.judge("met")
            lab.ill = True
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*the lab is ill (node esx-11 is off): building a new one", "  inconclusive  Z-2"])
    assert (pytester.path / "built.txt").read_text().count("pytest-main") == 3


def test_a_kept_lab_is_named_at_the_end(elsewhere: pytest.Pytester) -> None:
    result = run(elsewhere, "--scenario", "Z1-salle-1", "--keep-lab", "--lab-name", "x")
    result.stdout.fnmatch_lines(["the lab stays up: bascule status --name x, bascule down --name x"])


@pytest.mark.parametrize(
    ("marker", "passed", "words"),
    [
        ('@pytest.mark.service("imagerie")', 1, "*"),
        ('@pytest.mark.service("pacs")', 0, "*no service is called 'pacs'*"),
        ("", 0, "*name the service with @pytest.mark.service(…); plan * has: dopasoins, imagerie*"),
    ],
)
def test_the_service_is_named_unless_it_is_the_only_one(
    pytester: pytest.Pytester, marker: str, passed: int, words: str
) -> None:
    pytester.makeconftest(conftest())
    pytester.makepyfile(
        f"""
        import pytest

        {marker}
        def test_it(service): assert service.name == "imagerie"
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=passed, errors=1 - passed)
    result.stdout.fnmatch_lines([words])


def test_two_workers_leave_one_run_and_one_report(elsewhere: pytest.Pytester) -> None:
    result = elsewhere.runpytest_subprocess(*TINY, "-n", "2", "--scenario", "Z1,Z2", "--change", "CHG-123 firmware")
    result.assert_outcomes(passed=3, failed=1)
    campaign = json.loads((folder(elsewhere) / "campaign.json").read_text())
    assert sorted(campaign["scenarios"]) == ["Z1-salle-1", "Z1-salle-2", "Z1-ultime-secours", "Z2"]
    assert campaign["change"] == "CHG-123 firmware"
    assert (folder(elsewhere) / "rapport.html").exists()
    assert elsewhere.runpytest_subprocess(*TINY, "-n", "2", "--scenario", "Z9").ret == pytest.ExitCode.USAGE_ERROR
