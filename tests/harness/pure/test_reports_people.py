"""The file of those who sign: what is merged, what is left empty, and what a mistake in it costs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

import reports
from reports.actions import BLANK, actions
from reports.load import load
from reports.model import Gap, Problem
from reports.people import Action, People, example, parse, people_of
from tests.harness.pure.reports_folder import MET, NOT_MET, UNFELT, write_run

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = """
reference: GED-2026-014
writer: {name: A. Exemple, function: Ingénieur systèmes, signed: 2026-11-28}
recipients: [Direction, Qualité]
intranet: oui
conclusions: [La perte des deux salles reste à éprouver.]
needs: {dopasoins: {dmia: 4 h, pdma: 0 saisie}}
remarks: [{scenario: R1-salle-1, severity: majeure, cause: délai du tiers de départage}]
actions: [{gap: R1-salle-1, action: Changer le délai, owner: Équipe stockage, due: 2027-03-31, status: ouverte}]
"""


def test_the_shipped_file_has_functions_and_names_nobody() -> None:
    people, gaps = parse(example())

    assert gaps == ()
    assert people.intranet is True
    signing = (people.writer, people.verifier, people.approver)
    assert all([*(one.function for one in signing), *(one.function for one in people.participants)])
    assert not any([*(one.name for one in signing), *(one.name for one in people.participants)])


def test_what_people_wrote_stands_in_the_form(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET, NOT_MET)
    (run / "people.yaml").write_text(WRITTEN)

    html = reports.write(run).read_text("utf-8")

    cover = html.split("</header>", maxsplit=1)[0]
    assert "<td>A. Exemple</td><td>Ingénieur systèmes</td><td>28/11/2026</td><td></td>" in cover
    assert "<td>Direction ; Qualité</td>".replace(" ;", "\N{NO-BREAK SPACE};") in cover
    assert re.search(r"☒</span> oui.*☐</span> non", cover)
    for said in ("GED-2026-014", "La perte des deux salles reste à éprouver.", "4 h", "délai du tiers de départage"):
        assert said in html
    assert "people.yaml" not in (run / "MANIFEST.sha256").read_text()


def test_a_run_without_people_leaves_cells_to_a_pen(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    html = reports.write(run).read_text("utf-8")

    assert load(run).people is None
    assert "les cases sont à remplir à la main" in html
    assert "☒" not in html


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("writer: {nom: X}\nreference: R", Gap("people.yaml", Problem.UNKNOWN_FIELD, "writer.nom")),
        ("intranet: peut-être\nreference: R", Gap("people.yaml", Problem.BAD_VALUE, "intranet")),
        ("actions: [{owner: X}]\nreference: R", Gap("people.yaml", Problem.MISSING_FIELD, "actions.0.action")),
        (f"object: {'x' * 5000}\nreference: R", Gap("people.yaml", Problem.BAD_VALUE, "object")),
    ],
)
def test_a_wrong_field_costs_itself_only(text: str, gap: Gap) -> None:
    people, gaps = parse(text)

    assert gaps == (gap,)
    assert people == People(reference="R")


@pytest.mark.parametrize("text", ["- a list", "reference: [", "\tx", "a: &b 1"])
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, text: str) -> None:
    run = write_run(tmp_path, MET)
    (run / "people.yaml").write_text(text)

    assert {gap.file for gap in load(run).gaps} == {"people.yaml"}
    assert "<code>people.yaml</code>" in reports.write(run).read_text("utf-8")


@pytest.mark.parametrize("text", ["", "# nothing yet\n\n", "reference:\nactions:\nintranet:\n"])
def test_a_form_not_yet_filled_in_is_no_mistake(text: str) -> None:
    assert parse(text) == (People(), ())


def test_octets_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_bytes(b"\xff\xfe")

    assert people_of(tmp_path / "people.yaml")[1] == (Gap("people.yaml", Problem.UNREADABLE),)


def test_each_open_gap_has_a_line_in_the_action_plan(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET, NOT_MET, UNFELT)
    campaign = load(run)
    answered = Action(gap=NOT_MET.id, action="Changer", due=date(2027, 3, 31))

    assert [action.gap for action in actions(campaign)] == [NOT_MET.id, UNFELT.id]
    people = People(actions=(answered,))
    assert actions(replace(campaign, people=people)) == (answered, Action(gap=UNFELT.id, action=""))
    assert len(actions(replace(campaign, scenarios=()))) == BLANK
