"""The catalogue is whole, says where each row is played or why not, and is up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lab.front.catalogue import page as pages
from lab.front.catalogue.aims import AIMS
from lab.front.catalogue.found import last_verdicts, played
from lab.front.catalogue.page import classes, page
from lab.front.catalogue.rows import rows
from lab.front.cli import main
from lab.plan import load, shipped

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "tests" / "scenarios"
PUBLISHED = [
    *(f"H{n}" for n in range(1, 19)),
    *(f"S{n}" for n in range(1, 13)),
    *(f"V{n}" for n in range(1, 17)),
    *(f"{letter}{n}" for letter in "RU" for n in range(1, 4)),
    *(f"P{n}" for n in range(1, 5)),
]


def test_all_fifty_six_published_failures_are_there() -> None:
    assert [row.id for row in rows()] == PUBLISHED
    assert all(row.fault and row.behaviour and row.klass and row.source for row in rows())


def test_the_page_in_the_docs_is_up_to_date() -> None:
    written = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    lines = [line for line in written.splitlines() if not line.startswith("- Last verdict of ")]
    assert lines == page(SCENARIOS).splitlines(), "run: bascule catalogue --runs runs -o docs/scenarios.md"


def test_every_row_is_played_or_says_why_not() -> None:
    by_row = played(SCENARIOS)
    for row in rows():
        assert row.why or any(by_row.get(name) for name in (row.id, *row.same_as)), row.id
    assert "nobody has written a scenario" not in page(SCENARIOS)


def test_every_aim_belongs_to_a_row_and_gives_a_prediction() -> None:
    assert set(AIMS) < set(PUBLISHED)
    for identifier in AIMS:
        assert any(list(classes(identifier, load(name))) for name in shipped()), identifier


def test_a_rows_variants_are_found_with_their_suites(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\npytestmark = [pytest.mark.nightly]\n"
        '@pytest.mark.gate\n@pytest.mark.scenario("V15b", fr="x")\ndef test_it(): ...\n'
        "def test_no_scenario(): ...\n"
    )
    ((name, (one,)),) = played(tmp_path).items()
    assert name == "V15"
    assert (one.family, one.test, one.suites) == ("V15b", "test_x.py::test_it", ("nightly", "gate"))


def test_last_verdicts_come_from_run_folders(tmp_path: Path) -> None:
    for run, verdict in (("20261101T000000Z-zero", "not-met"), ("20261102T000000Z-zero", "met")):
        (tmp_path / run / "H1-esx-11").mkdir(parents=True)
        told = {"scenario": "H1-esx-11", "verdict": verdict}
        (tmp_path / run / "H1-esx-11" / "verdict.json").write_text(json.dumps(told))
    (tmp_path / "20261103T000000Z-zero" / "H1").mkdir(parents=True)
    (tmp_path / "20261103T000000Z-zero" / "H1" / "verdict.json").write_text("{")
    assert last_verdicts(tmp_path) == {"H1": "met (20261102T000000Z-zero)"}
    assert "- Last verdict of H1: met (20261102T000000Z-zero)" in page(SCENARIOS, tmp_path)


def test_a_page_that_is_behind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a scenario that went, and its row has no reason."""
    monkeypatch.setattr(pages, "played", lambda _: {})
    assert "nobody has written a scenario" in page(SCENARIOS)


def test_the_command_writes_the_page_or_says_why_it_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "-o", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page(SCENARIOS)
    assert main(["catalogue", "-o", str(tmp_path)]) == 2
    assert "cannot be written: Is a directory" in capsys.readouterr().err
