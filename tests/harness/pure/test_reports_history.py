"""Many runs: what is kept of the earlier ones, what is told as a regression, what is due, and the page over all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import reports
from lab.front.cli import main
from lab.measure import Outcome
from reports import earlier, past, trend
from reports.compared import Figures, Trend, compared
from reports.compared import trend as compare
from reports.coverage import coverage, later
from reports.earlier import Played, gathered
from reports.language import speak
from reports.load import load
from reports.model import Campaign, Known
from tests.harness.pure.reports_folder import MET, NOT_MET, UNSEEN, write_json, write_run

if TYPE_CHECKING:
    from pathlib import Path

FRENCH = speak("fr")
BEFORE = Figures(
    Outcome.MET, accepted=False, observed="B", interruption=timedelta(), freeze=timedelta(seconds=2), harmed=0
)


def run_on(root: Path, day: int, *stories: Any, **campaign: Any) -> Path:  # noqa: ANN401 - stories, and any JSON
    when = f"2026-11-{day:02}"
    name = f"202611{day:02}T020000Z-zero"
    return write_run(root, *stories, name=name, started=f"{when}T02:00:00Z", ended=f"{when}T02:05:00Z", **campaign)


def worsen(run: Path, scenario: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON
    path = run / scenario / "verdict.json"
    write_json(path, json.loads(path.read_text()) | fields)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Trend.STABLE),
        ({"outcome": Outcome.NOT_MET}, Trend.REGRESSION),
        ({"outcome": Outcome.INCONCLUSIVE}, Trend.UNKNOWN),
        ({"interruption": timedelta(seconds=0.2)}, Trend.REGRESSION),
        ({"interruption": timedelta(seconds=0.05)}, Trend.STABLE),
        ({"harmed": 1}, Trend.REGRESSION),
        ({"observed": "C"}, Trend.REGRESSION),
        ({"observed": "A"}, Trend.STABLE),
        ({"freeze": timedelta(seconds=2.9)}, Trend.STABLE),
        ({"freeze": timedelta(seconds=3.1)}, Trend.SLOWER),
        ({"freeze": timedelta(seconds=0.4)}, Trend.BETTER),
    ],
)
def test_what_became_worse_is_a_regression(changes: dict[str, Any], expected: Trend) -> None:
    assert compare(BEFORE._replace(**changes), BEFORE) is expected


def test_class_b_after_a_is_no_regression_but_c_is() -> None:
    assert compare(BEFORE, BEFORE._replace(observed="A")) is Trend.STABLE
    assert compare(BEFORE._replace(observed="C"), BEFORE._replace(observed="A")) is Trend.REGRESSION
    assert compare(BEFORE, None) is Trend.NEW


def test_a_regression_is_told_in_words_on_the_first_page(tmp_path: Path) -> None:
    run_on(tmp_path, 1, MET, UNSEEN)
    worsen(run_on(tmp_path, 2, MET, UNSEEN), MET.id, verdict="inconclusive")
    run = run_on(tmp_path, 3, MET, UNSEEN)
    worsen(run, MET.id, verdict="not-met", interruption_s=12.5, observed="C")

    html = reports.write(run).read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    synthesis = html.split('<section id="objectifs"')[0]

    assert f"{MET.id} : régression (objectif tenu auparavant, non tenu cette fois ; interruption 12,5 s" in synthesis
    reference = next(row.reference for row in compared(load(run), FRENCH) if row.id == MET.id)
    assert reference is not None
    assert reference.at.day == 1, "the run in between met nothing"


def test_a_run_keeps_what_came_before_it_for_ever(tmp_path: Path) -> None:
    run_on(tmp_path, 1, MET)
    run = run_on(tmp_path, 2, MET)
    first = reports.write(run).read_bytes()
    run_on(tmp_path, 3, MET)
    for name in ("20261101T020000Z-zero", "20261103T020000Z-zero"):
        (tmp_path / name).rename(tmp_path.parent / f"moved-{name}")

    assert reports.write(run).read_bytes() == first
    assert "earlier.json" in (run / "MANIFEST.sha256").read_text()


def test_only_earlier_runs_on_the_same_plan_are_looked_at(tmp_path: Path) -> None:
    run_on(tmp_path, 1, MET)
    run_on(tmp_path, 2, NOT_MET, plan="tiny")
    run = run_on(tmp_path, 3, MET)
    run_on(tmp_path, 4, UNSEEN)
    (tmp_path / "no-run").mkdir()
    (tmp_path / "a-file").write_text("x")

    found = past.before(run)

    assert (found.runs, list(found.scenarios)) == (1, [MET.id])


def test_what_is_kept_survives_its_file(tmp_path: Path) -> None:
    run = run_on(tmp_path, 1, MET, NOT_MET)
    line = past.run_line(run)
    assert line is not None
    kept = gathered(line.plays)
    (tmp_path / earlier.EARLIER).write_text(earlier.to_json(kept))

    assert earlier.read(tmp_path) == (kept, ())
    assert kept.scenarios[NOT_MET.id].conforming is None


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 9}', '{"version": 1, "runs": "many"}'])
def test_a_damaged_memory_is_told_and_left_out(tmp_path: Path, content: str) -> None:
    run = run_on(tmp_path, 1, MET)
    (run / earlier.EARLIER).write_text(content)

    assert {gap.file for gap in load(run).gaps} == {earlier.EARLIER}
    reports.write(run)


def test_the_catalogue_over_the_programme_and_what_is_due() -> None:
    started = datetime(2026, 11, 28, tzinfo=UTC)

    def played(day: int, family: str, outcome: Outcome = Outcome.MET) -> Played:
        return Played(f"{family}-x", family, f"run-{day}", datetime(2026, 11, day, tzinfo=UTC), "", outcome)

    plays = [played(1, "H1"), played(1, "H1", Outcome.NOT_MET), played(2, "H1"), played(3, "H10")]
    known = tuple(Known(family, family, family) for family in ("H1", "H2", "H10"))
    campaign = Campaign("zero", started, started, (), catalogue=known, earlier=gathered(plays))

    table = coverage(campaign)

    assert [line.family for line in table.lines] == ["H1", "H2", "H10"]
    assert [day.day for day in table.days] == [1, 2, 3]
    first = table.lines[0]
    assert first.cells[0] is not None
    assert (first.cells[0].outcome, first.cells[0].plays, first.plays) == (Outcome.NOT_MET, 2, 3)
    assert (first.due, table.lines[1].due) == (date(2027, 11, 2), None)
    assert [line.family for line in table.never] == ["H2"]
    assert table.next == date(2027, 11, 2)
    assert coverage(replace(campaign, started=datetime(2030, 1, 1, tzinfo=UTC))).days == (), "older than the programme"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 11, 28), -36, date(2023, 11, 28)),
    ],
)
def test_months_end_when_they_end(day: date, months: int, expected: date) -> None:
    assert later(day, months) == expected


def test_the_page_over_many_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(1, 5):
        run_on(tmp_path, day, MET, UNSEEN, change=f"CHG <{day}>")
    worsen(tmp_path / "20261104T020000Z-zero", UNSEEN.id, freeze_s=4.0)
    (tmp_path / "20261102T020000Z-zero" / MET.id / "verdict.json").write_text("{")

    assert main(["history", str(tmp_path)]) == 0
    said, page = capsys.readouterr().out, (tmp_path / "historique.html").read_text("utf-8")

    assert "20261102T020000Z-zero: 1 met, 0 not met, 1 inconclusive (CHG <2>)" in said
    assert f"{UNSEEN.id}: slower, objective still met" in said
    assert f"{UNSEEN.id}\N{NO-BREAK SPACE}: plus lent, objectif toujours tenu" in page
    assert page.count('<svg role="img"') == page.count("<desc") == 2
    assert "<script" not in page
    assert trend.write(tmp_path).read_text("utf-8") == page


@pytest.mark.parametrize(("folder", "sentence"), [("nowhere", "is not a folder"), (".", "holds no run")])
def test_a_folder_without_runs_is_one_sentence(
    tmp_path: Path, folder: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", str(tmp_path / folder)]) == 4
    assert sentence in capsys.readouterr().err
