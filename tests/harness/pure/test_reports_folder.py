"""Run folders, whole and damaged: what is read, what is said when something is missing, and the manifest."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

import reports
from lab.measure import Outcome
from lab.plan import load as load_plan
from lab.run import Run
from reports.load import load
from reports.model import Gap, Problem
from tests.harness.pure.reports_folder import MET, NOT_MET, UNSEEN, Story, write_json, write_run

if TYPE_CHECKING:
    from pathlib import Path


def _spoilt(name: str, content: bytes | None = None) -> Story:
    return replace(MET, spoilt=((name, content),))


def test_a_whole_folder_leaves_no_gap(tmp_path: Path) -> None:
    campaign = load(write_run(tmp_path, MET, NOT_MET))

    assert campaign.gaps == ()
    assert [(result.id, result.outcome, result.gaps) for result in campaign.scenarios] == [
        (MET.id, Outcome.MET, ()),
        (NOT_MET.id, Outcome.NOT_MET, ()),
    ]
    assert (campaign.scenarios[0].healed, campaign.scenarios[0].returned) == (14.0, 17.4)


def test_the_bench_writes_what_is_read_here(tmp_path: Path) -> None:
    run = Run(tmp_path, load_plan("tiny"))
    scenario = run.begin("H1-esx-11", "H1", "A host dies", "Un hôte s'arrête")
    scenario.event("inject", "PowerLoss", "Coupure")
    scenario.describe("dopasoins", {"interruption_s": 0.0, "freeze_s": None, "loss": 0})
    run.save(ended=True)

    campaign = load(run.folder)

    assert campaign.gaps == ()
    assert {gap.problem for gap in campaign.scenarios[0].gaps} == {Problem.ABSENT}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "campaign.json: absent; this is not a usable run folder"),
        ({"campaign.json": "{"}, r"campaign.json: unreadable; this is not a usable run folder"),
        ({"campaign.json": '{"version": 2}'}, r"campaign.json: missing field \(plan\); this is not"),
        (
            {"campaign.json": '{"version": 2, "plan": "zero", "started": "2026-11-24T03:15:00Z", "scenarios": []}'},
            "campaign.json is of version 2; this Bascule reads version 1",
        ),
    ],
)
def test_what_is_no_campaign_is_one_sentence(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)

    with pytest.raises(reports.ReportError, match=sentence):
        reports.write(tmp_path)


def test_no_folder_and_no_language_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(reports.ReportError, match=r"is not a folder: a run folder holds campaign\.json"):
        reports.write(tmp_path / "nowhere")
    with pytest.raises(reports.ReportError, match="no report in language 'de': it exists in fr, en"):
        reports.write(tmp_path, "de")


@pytest.mark.parametrize("content", [None, "{"])
def test_a_run_without_its_description_is_told_from_its_folders(tmp_path: Path, content: str | None) -> None:
    run = write_run(tmp_path, MET)
    (run / "campaign.json").unlink()
    if content:
        (run / "campaign.json").write_text(content)

    campaign = load(run)

    assert (campaign.plan_name, f"{campaign.started:%H:%M}", campaign.outcome) == (
        "zero",
        "03:15",
        Outcome.INCONCLUSIVE,
    )
    assert [result.outcome for result in campaign.scenarios] == [Outcome.MET]


def test_a_field_nobody_knows_is_told_and_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET, colour="red")
    scenario = run / MET.id / "scenario.json"
    write_json(scenario, json.loads(scenario.read_text()) | {"mood": "good"})

    campaign = load(run)

    assert campaign.gaps == (Gap("campaign.json", Problem.UNKNOWN_FIELD, "colour"),)
    assert campaign.scenarios[0].gaps == (Gap(f"{MET.id}/scenario.json", Problem.UNKNOWN_FIELD, "mood"),)
    assert campaign.scenarios[0].description is not None
    assert "champ inconnu, ignoré (colour)" in reports.write(run).read_text("utf-8")


@pytest.mark.parametrize(
    ("story", "problem", "said"),
    [
        (_spoilt("scenario.json"), Problem.ABSENT, "Scénario sans description lisible"),
        (_spoilt("scenario.json", b'{"id": "x"}'), Problem.MISSING_FIELD, "champ absent (title)"),
        (_spoilt("verdict.json"), Problem.ABSENT, "Aucun verdict lisible"),
        (
            _spoilt("verdict.json", b'{"scenario": "old", "verdict": "met"}'),
            Problem.OTHER_FORMAT,
            "écrit par une autre version du banc, non repris (interruption_s)",
        ),
        (_spoilt("verdict.json", b"\xff\xfe"), Problem.UNREADABLE, "Aucun verdict lisible"),
        (_spoilt("events.jsonl"), Problem.ABSENT, "depuis le début de l'observation"),
        (_spoilt("events.jsonl", b'{"t": 1'), Problem.TRUNCATED, "fichier tronqué"),
        (_spoilt("history.jsonl"), Problem.ABSENT, "fichier absent"),
        (_spoilt("history.jsonl", b""), Problem.TRUNCATED, "fichier tronqué"),
        (_spoilt("history.jsonl", b'{"k":"pul'), Problem.TRUNCATED, "fichier tronqué"),
    ],
)
def test_a_damaged_scenario_says_what_is_missing_and_what_can_be_said(
    tmp_path: Path, story: Story, problem: Problem, said: str
) -> None:
    run = write_run(tmp_path, UNSEEN, story)

    result = load(run).scenarios[1]
    text = unescape(reports.write(run).read_text("utf-8"))

    assert problem in {gap.problem for gap in result.gaps}
    assert said in text
    assert UNSEEN.title_fr in text


@pytest.mark.parametrize("name", ["H9-gone", "..", "", "a/../../b"])
def test_a_scenario_without_a_folder_is_inconclusive(tmp_path: Path, name: str) -> None:
    run = write_run(tmp_path, MET, scenarios=[MET.id, name])

    assert load(run).scenarios[1].outcome is Outcome.INCONCLUSIVE
    assert load(run).outcome is Outcome.INCONCLUSIVE
    reports.write(run)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"ended": None}, "campagne interrompue avant sa fin"), ({"started": "2026-11-23T23:59:00Z"}, "23 novembre 2026")],
)
def test_a_campaign_cut_short_or_past_midnight_is_told(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    assert said in reports.write(write_run(tmp_path, MET, **fields)).read_text("utf-8")


def test_an_unreadable_plan_leaves_the_rest(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    (run / "plan.yaml").write_text("rooms: [")

    assert "Le plan de cette campagne n'est pas lisible" in reports.write(run).read_text("utf-8")


def test_the_manifest_is_read_by_sha256sum(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET, NOT_MET)
    (run / "back\\slash\nline").write_text("coreutils escape such names")
    (run / "link").symlink_to("/etc/hostname")
    html = reports.write(run).read_text("utf-8")
    check = ("sha256sum", "--check", "--strict", "MANIFEST.sha256")

    assert subprocess.run(check, cwd=run, capture_output=True, check=True).stdout.count(b": OK\n") == 14
    digest = subprocess.run(("sha256sum", check[-1]), cwd=run, capture_output=True, check=True, text=True).stdout[:64]
    assert html.count(digest) == 2
    assert "rapport.html" not in (run / "MANIFEST.sha256").read_text()
    (run / MET.id / "verdict.json").write_text("{}")
    assert subprocess.run(check, cwd=run, capture_output=True, check=False).returncode == 1


def test_every_recorded_file_is_in_the_annex(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    html = reports.write(run).read_text("utf-8")
    listed = re.findall(r"^([0-9a-f]{64})  (.+)$", (run / "MANIFEST.sha256").read_text(), re.MULTILINE)

    assert len(listed) == 8
    assert all(digest in html and name in html for digest, name in listed)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    (run / "rapport.html").mkdir()

    with pytest.raises(reports.ReportError, match=r"rapport\.html cannot be written"):
        reports.write(run)
    assert not list(run.glob(".*"))


def test_two_services_of_one_scenario_are_judged_apart(tmp_path: Path) -> None:
    """Each has its page, its objective and its verdict; the worst of them, `verdict.json`, is nobody's own."""
    run = write_run(tmp_path, MET)
    folder = run / MET.id
    bad = json.loads((folder / "verdict.json").read_text("utf-8")) | {"service": "imagerie", "verdict": "not-met"}
    about = json.loads((folder / "scenario.json").read_text("utf-8")) | {"service": "imagerie"}
    (folder / "scenario-imagerie.json").write_text(json.dumps(about), "utf-8")
    (folder / "verdict.json").rename(folder / "verdict-dopasoins.json")
    for name in ("verdict.json", "verdict-imagerie.json"):
        (folder / name).write_text(json.dumps(bad), "utf-8")
    for name in ("history.jsonl", "readback.json"):
        stem, _, ending = name.partition(".")
        (folder / f"{stem}-imagerie.{ending}").write_bytes((folder / name).read_bytes())

    first, second = load(run).scenarios

    assert (first.id, first.outcome) == (MET.id, Outcome.MET)
    assert (second.id, second.outcome) == (f"{MET.id}-imagerie", Outcome.NOT_MET)
    assert second.lanes == first.lanes != ()
    assert not first.gaps + second.gaps
    assert f"s-{MET.id}-imagerie" in reports.write(run).read_text("utf-8")
