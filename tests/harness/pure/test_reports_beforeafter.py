"""The same scenarios on several plans, side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reports import ReportError
from reports.beforeafter import lines, write
from tests.harness.pure.reports_folder import MET, NOT_MET, write_run

if TYPE_CHECKING:
    from pathlib import Path

TAKEN: dict[str, Any] = {
    "loss": 10_000_000_000,
    "begun": 10_300_000_000,
    "copy": 2_000_000_000,
    "accepted_age_s": 40.0,
    "where": {"en": "salle-2", "fr": "salle-2"},
    "machine_s": 50.0,
    "human_s": 3000.0,
    "derived_s": 2410.0,
    "from_loss_s": 5460.0,
    "from_decision_s": 3660.0,
    "acknowledged": None,
    "missing": [],
}


def two(root: Path) -> list[Path]:
    """A run before, on which people took the room's loss over, and one after."""
    before = write_run(root, MET, NOT_MET, name="20261124T031500Z-pra-2009", plan="pra-2009")
    (before / NOT_MET.id / "recovery.json").write_text(json.dumps(TAKEN), encoding="utf-8")
    return [before, write_run(root, NOT_MET)]


def test_each_plan_has_its_column_and_what_only_one_played_is_left_out(tmp_path: Path) -> None:
    told = [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines(two(tmp_path))]

    assert told[0].startswith("R1  ")
    assert told[1] == (
        "  pra-2009: class C, without service 1 h 31 min (objective 0 s): measured 50 s, declared 50 min, "
        "derived 40 min 10 s, lost 2, begun from a copy 8 s old (objective 40 s)"
    )
    assert told[2].startswith("  zero: class C, without service 21.6 s")
    assert len(told) == 3


def test_what_nobody_took_over_lasts_until_what_is_lost_is_back(tmp_path: Path) -> None:
    runs = two(tmp_path)
    (file,) = runs[1].glob("*/verdict.json")
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "observed": "D"}), encoding="utf-8")
    told = [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines(runs)]

    assert "without service until what is lost is back, which the test gave back after 21.6 s (objective" in told[2]


def test_the_page_is_in_french_beside_the_first_run(tmp_path: Path) -> None:
    page = write(two(tmp_path))
    text = page.read_text("utf-8")

    assert page == tmp_path / "avant-et-apres.html"
    assert "<h1>Avant et après</h1>" in text
    assert "sans dossier 1" in text
    assert "déclaré 50" in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_same_runs_give_the_same_octets(tmp_path: Path, language: str) -> None:
    runs = two(tmp_path)
    first = write(runs, output=tmp_path / "a.html", language=language).read_bytes()

    assert write(runs, output=tmp_path / "b.html", language=language).read_bytes() == first


def test_what_cannot_be_compared_is_refused_in_one_sentence(tmp_path: Path) -> None:
    before, after = two(tmp_path)
    other = write_run(tmp_path, MET, name="20261124T041500Z-zero")
    with pytest.raises(ReportError, match="all on the plan zero: give runs on two plans"):
        write([after, other])
    with pytest.raises(ReportError, match="is no run folder that can be read"):
        write([before, tmp_path])
    only = write_run(tmp_path, MET, name="20261124T051500Z-tiny", plan="tiny")
    with pytest.raises(ReportError, match="no scenario was played on two of the plans tiny, zero"):
        write([only, after])
