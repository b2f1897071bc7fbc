"""A stored run is judged again, whatever is left of it; and a script that shares no line with us agrees."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.analysis import analyse, promises_of
from lab.front.cli import main
from lab.measure import Outcome, Verdict, verify
from lab.plan import PlanError
from lab.run import VERIFY
from tests.harness.pure.reports_folder import DAMAGED, FROZEN, MET, NOT_MET, STORIES, UNFELT, write_run

if TYPE_CHECKING:
    from lab.analysis import Again

WHOLE = (MET, FROZEN, NOT_MET, UNFELT)


def again(run: Path) -> Again:
    (found,) = analyse(run)
    return found


def test_a_run_judged_again_gives_the_same_verdicts(tmp_path: Path) -> None:
    judged = analyse(write_run(tmp_path, *WHOLE))

    for found in judged:
        assert found.then is not None
        assert (
            found.verdict.to_json()
            == replace(found.then, without_redundancy=found.verdict.without_redundancy).to_json()
        )
        assert not found.differs
        assert found.missing == ()


def test_what_was_counted_without_redundancy_is_kept_and_not_taken_from_the_log(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    (log,) = run.glob("*/events.jsonl")
    assert again(run).verdict.without_redundancy == timedelta(seconds=17.4)
    (file,) = run.glob("*/verdict.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "without_redundancy_s": 0.25}), encoding="utf-8")
    with log.open("a", encoding="utf-8") as events:
        events.write('{"t": 1, "what": "redundancy", "text": "", "text_fr": ""}\n')
    assert again(run).verdict.without_redundancy == timedelta(seconds=0.25)


def test_other_objectives_give_other_verdicts(tmp_path: Path) -> None:
    run = write_run(tmp_path, NOT_MET)
    file = tmp_path / "objectives.yaml"
    file.write_text("dopasoins:\n  a room: {interruption: 1 min, freeze: 30 s, loss: 2}\n", encoding="utf-8")
    (found,) = analyse(run, promises_of(file))

    assert found.verdict.verdict is Outcome.MET
    assert "objective 60 s" in found.verdict.sentence
    assert found.differs


def test_a_scope_that_the_file_leaves_out_keeps_its_own_objective(tmp_path: Path) -> None:
    file = tmp_path / "objectives.yaml"
    file.write_text("dopasoins:\n  both rooms: {interruption: 1 min, loss: 2}\n", encoding="utf-8")
    (found,) = analyse(write_run(tmp_path, NOT_MET), promises_of(file))

    assert found.verdict.verdict is Outcome.NOT_MET


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("dopasoins:\n  a room: {interruption: 0 s, loss: 0, mood: good}\n", 2, "a room > mood"),
        ("dopasoins:\n  a room: {interruption: soon, loss: 0}\n", 2, "interruption"),
        ("dopasoins:\n  the moon: {interruption: 0 s, loss: 0}\n", 2, "the moon"),
        ("- dopasoins\n", 1, "the file"),
    ],
)
def test_a_wrong_file_of_objectives_is_said_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    file = tmp_path / "objectives.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(PlanError, match=said) as raised:
        promises_of(file)
    assert raised.value.line == line


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("scenario.json", "no objective is stored"),
        ("history.jsonl", "history.jsonl is not there"),
        ("readback.json", "readback.json is not there"),
        ("events.jsonl", "events.jsonl is not there"),
        ("verdict.json", "the proofs that the fault was felt are not stored"),
    ],
)
def test_what_is_missing_is_said_and_the_rest_is_judged(tmp_path: Path, name: str, said: str) -> None:
    run = write_run(tmp_path, MET)
    (run / MET.id / name).unlink()
    found = again(run)

    assert any(said in words for words in found.missing)
    if name != "history.jsonl":
        assert found.verdict.operations > 0
    if name in {"history.jsonl", "readback.json", "verdict.json"}:
        assert found.verdict.verdict is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("name", ["scenario.json", "history.jsonl", "readback.json", "events.jsonl", "verdict.json"])
@pytest.mark.parametrize("left", [0.0, 0.3, 0.999])
def test_a_file_cut_anywhere_is_never_a_traceback(tmp_path: Path, name: str, left: float) -> None:
    run = write_run(tmp_path, MET)
    path = run / MET.id / name
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content))])

    assert again(run).verdict.sentence


def test_a_history_cut_short_is_inconclusive_and_still_measured(tmp_path: Path) -> None:
    run = write_run(tmp_path, NOT_MET)
    path = run / NOT_MET.id / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-200_000])
    found = again(run)

    assert found.verdict.verdict is Outcome.INCONCLUSIVE
    assert "measured all the same: interruption" in found.verdict.sentence


def test_a_scenario_of_today_needs_no_verdict_to_be_judged_again(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    folder = run / MET.id
    told = json.loads((folder / "scenario.json").read_text())
    verdict = json.loads((folder / "verdict.json").read_text())
    now = {"format": 2, "steps": [["esx-11"]], "window": None, "evidence": verdict["evidence"]}
    (folder / "scenario.json").write_text(json.dumps({**told, **now}))
    (folder / "verdict.json").unlink()
    found = again(run)

    assert found.verdict.verdict is Outcome.MET
    assert found.verdict.predicted == "B"
    assert found.missing == ("verdict.json is not there",)


def test_a_file_of_a_later_format_is_read_and_said(tmp_path: Path) -> None:
    run = write_run(tmp_path, MET)
    for name in ("scenario.json", "verdict.json"):
        path = run / MET.id / name
        path.write_text(json.dumps({**json.loads(path.read_text()), "format": 9, "mood": "good"}))
    found = again(run)

    assert found.verdict.verdict is Outcome.MET
    assert found.missing == ("scenario.json is of format 9: this Bascule knows 2 and older",)


def test_the_command_says_each_verdict_and_ends_with_the_worst(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, MET, UNFELT, DAMAGED)

    assert main(["analyse", str(run)]) == 3
    said = capsys.readouterr().out
    assert "met           H1-esx-11: dopasoins: " in said
    assert "missing: readback.json is not there" in said
    assert main(["analyse", str(write_run(tmp_path, NOT_MET, name="other"))]) == 1
    assert main(["analyse", str(tmp_path / "nowhere")]) == 2


def run_script(run: Path) -> subprocess.CompletedProcess[str]:
    script = run / "verify.py"
    script.write_bytes(VERIFY.read_bytes())
    return subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True, check=False)


def test_the_script_agrees_with_every_recorded_verdict(tmp_path: Path) -> None:
    done = run_script(write_run(tmp_path, *WHOLE))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": agrees") == len(WHOLE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("interruption_s", 0.0), ("freeze_s", 0.2), ("lost", []), ("operations_failed", 0), ("untraced", ["x"])],
)
def test_a_verdict_that_was_touched_is_found_by_the_script(tmp_path: Path, name: str, value: object) -> None:
    run = write_run(tmp_path, NOT_MET)
    path = run / NOT_MET.id / "verdict.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    done = run_script(run)

    assert done.returncode == 1
    assert f"differs: {name} is " in done.stdout


def test_the_script_says_where_nothing_was_measured(tmp_path: Path) -> None:
    run = write_run(tmp_path, DAMAGED)
    done = run_script(run)

    assert (done.returncode, done.stdout) == (2, f"{DAMAGED.id}: nothing was measured\n")


def test_the_script_shares_no_line_with_the_judge() -> None:
    text = Path(verify.__file__).read_text(encoding="utf-8")
    imported = [line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))]

    assert set(imported) <= set(sys.stdlib_module_names)


def test_every_story_can_be_judged_again(tmp_path: Path) -> None:
    names = [found.verdict.scenario for found in analyse(write_run(tmp_path, *STORIES))]

    assert names == sorted(story.id for story in STORIES)
    assert all(isinstance(found.verdict, Verdict) for found in analyse(tmp_path / "20261124T031500Z-zero"))
