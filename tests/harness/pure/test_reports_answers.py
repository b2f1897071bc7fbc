"""What a campaign answers: objectives, advice, confidence, what was not tested, and the summary for a CI job."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import reports
from lab.measure import Outcome
from lab.plan import Scope
from reports.answers import Advice, advice, advised, objectives
from reports.confidence import calibration, confidence
from reports.coverage import not_played
from reports.language import speak
from reports.load import load
from reports.markdown import plain, summary
from reports.model import Event, Lane, Segment, Span, State
from reports.segments import segments
from tests.harness.pure.reports_folder import MET, NOT_MET, UNFELT, UNSEEN, Story, write_json, write_run

if TYPE_CHECKING:
    from pathlib import Path

FRENCH = speak("fr")


@pytest.mark.parametrize(
    ("stories", "which"),
    [
        ((MET, UNSEEN), Advice.GO),
        ((MET, NOT_MET), Advice.NO_GO),
        ((MET, UNFELT), Advice.OPEN),
        ((NOT_MET, UNFELT), Advice.NO_GO),
        ((), Advice.OPEN),
    ],
)
def test_only_a_campaign_without_gap_or_doubt_lets_a_change_go(
    tmp_path: Path, stories: tuple[Story, ...], which: Advice
) -> None:
    assert advice(load(write_run(tmp_path, *stories, change="CHG-1"))) is which


def test_a_campaign_cut_short_gives_no_advice(tmp_path: Path) -> None:
    assert advice(load(write_run(tmp_path, MET, ended=None))) is Advice.OPEN


def test_a_gap_that_somebody_signed_for_is_a_reserve(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET, NOT_MET, change="CHG-1")
    verdict = run / NOT_MET.id / "verdict.json"
    write_json(verdict, json.loads(verdict.read_text()) | {"accepted_by": "Mme Exemple"})

    campaign = load(run)

    assert (campaign.outcome, advice(campaign)) == (Outcome.MET, Advice.GO_WITH)
    assert "sauf 1 écart accepté par écrit" in reports.write(run).read_text("utf-8")
    kept = {one.scope: one.outcome for one in objectives(campaign, FRENCH) if one.service == "dopasoins"}
    assert kept[Scope.A_ROOM] is Outcome.NOT_MET, "the objective itself stays not met"


def test_advice_is_about_a_change(tmp_path: Path) -> None:
    campaign = load(write_run(tmp_path, MET))

    assert "Aucune modification n'était à l'essai" in advised(campaign, FRENCH)
    assert "Avis favorable (go)" in advised(replace(campaign, change="CHG-1"), FRENCH)


def test_each_objective_has_a_verdict_in_a_sentence(tmp_path: Path) -> None:
    found = objectives(load(write_run(tmp_path, MET, UNSEEN, NOT_MET, UNFELT)), FRENCH)
    kept = {one.scope: one for one in found if one.service == "dopasoins"}

    assert [kept[scope].outcome for scope in (Scope.ONE_COMPONENT, Scope.A_ROOM, Scope.BOTH_ROOMS)] == [
        Outcome.INCONCLUSIVE,
        Outcome.NOT_MET,
        Outcome.INCONCLUSIVE,
    ]
    assert UNFELT.id in kept[Scope.ONE_COMPONENT].sentence
    assert "interruption 21,6 s (objectif 0 s)" in kept[Scope.A_ROOM].sentence.replace("\N{NO-BREAK SPACE}", " ")
    assert kept[Scope.BOTH_ROOMS].sentence == "Aucun scénario de cette campagne ne l'a éprouvé."


def test_what_the_catalogue_has_and_the_campaign_left_out_is_listed(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    known = [{"family": family, "title": "x", "title_fr": f"titre {family}"} for family in ("H10", "H2", "H1")]
    write_json(run / "catalogue.json", known)

    assert [family for family, _, _ in not_played(load(run))] == ["H2", "H10"]
    html = reports.write(run).read_text("utf-8")
    assert "2 scénarios du catalogue" in html
    assert "Objectif non éprouvé" in html


def test_a_calibration_is_shown_whatever_its_shape(tmp_path: Path) -> None:
    shape = {
        "sentence_fr": "20 vues sur 20",
        "smallest_gap_s": 0.012,
        "rows": [{"length_s": 0.05, "seen": 20}],
        "ok": True,
    }
    run = write_run(tmp_path, MET, calibration=shape)

    rows = dict(calibration(load(run), FRENCH))

    assert rows["Résultat"] == "20 vues sur 20"
    assert rows["Plus courte coupure vue à coup sûr"] == "0,01\N{NO-BREAK SPACE}s"
    assert (rows["rows 1 seen"], rows["ok"]) == ("20", "oui")
    assert load(run).gaps == ()
    assert "20 vues sur 20" in reports.write(run).read_text("utf-8")


def test_repetitions_speak_for_themselves(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    told = {"scenario": "H1", "sentence": "0 in 40", "sentence_fr": "H1 : 0 interruption sur 40", "played": 40}
    write_json(run / "repetition.json", {"version": 1, "seed": 1, "scenarios": [told]})

    assert "H1\N{NO-BREAK SPACE}: 0 interruption sur 40." in list(confidence(load(run), FRENCH))
    assert not any("une fois" in sentence for sentence in confidence(load(run), FRENCH))


def test_segments_come_from_the_log_and_else_from_the_pulse() -> None:
    spans = (Span(-1, 0.2, State.SERVED), Span(0.2, 1.6, State.INTERRUPTED), Span(1.6, 9, State.SERVED))
    late = Span(7, 9, State.INTERRUPTED)
    seen = segments((), (Lane("pulse", "w", spans), Lane("prescribe", None, (late,))), 0.0, 5.0, 8.0)
    marked = segments((Event(0.5, "detect", "", ""), Event(2.0, "boot", "", "")), (), 0.0, 5.0, 8.0)

    assert [(one.name, round(one.length, 3)) for one in seen] == [
        ("noticed", 0.2),
        ("unanswered", 1.4),
        ("redundant", 6.4),
    ]
    assert marked == (Segment("detect", 0.0, 0.5), Segment("boot", 0.5, 1.5))
    assert segments((), (), None, None, None) == ()


def test_the_summary_of_a_job_shows_and_obeys_nothing(tmp_path: Path) -> None:
    bad = "a | b <img src=x> `c`\n# d"
    story = replace(NOT_MET, fault_fr=bad)
    text = summary(load(write_run(tmp_path, MET, story, change="CHG-1")), FRENCH)
    table = [line for line in text.splitlines() if line.startswith("|") and NOT_MET.id in line and "✘" in line][-1]

    assert text.startswith("## ✘ Essai de continuité : non conforme\n")
    assert table.replace(r"\|", "").count("|") == 7
    assert r"a \| b \<img src=x\> \`c\` # d" in table
    assert plain("x\ny") == "x y"
