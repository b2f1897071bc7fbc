"""The examples for CI are well formed, and every command that they run exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.measure.signed import parse

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "ci"
GITLAB, ACTIONS = EXAMPLES / "gitlab-ci.yml", EXAMPLES / "github-actions.yml"
SERVICE, TIMER = EXAMPLES / "bascule-nightly.service", EXAMPLES / "bascule-nightly.timer"
MAKE = re.compile(r"\bmake ([a-z]+)")
BASCULE = re.compile(r"bin/bascule ([a-z]+)(?: (--[a-z-]+))?")
OPTIONS = re.compile(r'ARGS="([^"]*)"')


def lines(path: Path) -> str:
    """The file without its comments."""
    return "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))


def everything() -> str:
    return "\n".join(lines(path) for path in (GITLAB, ACTIONS, SERVICE))


def test_every_make_target_exists_and_its_tox_environment_too() -> None:
    makefile, tox = (ROOT / "Makefile").read_text(), (ROOT / "tox.ini").read_text()
    targets = set(MAKE.findall(everything()))
    assert targets == {"gate", "nightly"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"the Makefile has no target {target}"
        assert f"[testenv:{target}]" in tox, f"tox.ini has no environment {target}"


@pytest.mark.parametrize("command", sorted(set(BASCULE.findall(everything()))), ids=" ".join)
def test_every_bascule_command_exists(command: tuple[str, str]) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "lab.front.cli", command[0], "--help"], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    assert command[1] in asked.stdout


def test_every_option_is_one_of_pytest_or_of_the_plugin() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    options = {
        word.split("=")[0] for text in OPTIONS.findall(everything()) for word in text.split() if word[:2] == "--"
    }
    assert options == {"--seed", "--junitxml"}
    for option in options - {"--junitxml"}:
        assert option in told.stdout
    assert "--junit-xml" in told.stdout  # the same option: pytest takes both


def test_gitlab_keeps_the_runs_of_a_red_night() -> None:
    content: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
    for job in ("gate", "nightly"):
        assert content[job]["extends"] == ".bascule"
        assert content[job]["script"]
    kept = content[".bascule"]["artifacts"]
    assert kept["when"] == "always"
    assert kept["paths"] == ["runs/"]
    assert set(content) == {"stages", "default", ".bascule", "gate", "nightly"}


def test_github_keeps_the_runs_of_a_red_night() -> None:
    content: dict[Any, Any] = yaml.safe_load(ACTIONS.read_text())
    assert set(content[True]) == {"schedule", "pull_request", "workflow_dispatch"}  # YAML 1.1 reads `on` as true
    for job in content["jobs"].values():
        keep = job["steps"][-1]
        assert keep["if"] == "always()"
        assert "runs/" in keep["with"]["path"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd-analyze")
def test_systemd_takes_the_service_and_its_timer(tmp_path: Path) -> None:
    for unit in (SERVICE, TIMER):
        # The repository lies elsewhere here: the path is the one thing that systemd could not find.
        text = unit.read_text().replace("/opt/bascule/.tox/bascule/bin/bascule", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / SERVICE.name), str(tmp_path / TIMER.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_the_timer_starts_the_service_of_its_name() -> None:
    timer = ConfigParser(interpolation=None)
    timer.read_string(TIMER.read_text())
    assert timer["Timer"]["OnCalendar"] == "*-*-* 02:30:00"
    assert "Unit" not in timer["Timer"]  # then it is the service of the same name
    assert TIMER.stem == SERVICE.stem


def test_the_deviations_of_the_page_are_good_ones() -> None:
    page = (EXAMPLES / "README.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (deviation,) = parse(example)
    assert deviation.scenario == "H1-esx-11"
    assert deviation.service == "dopasoins"


def test_the_night_repeats_each_critical_scenario_so_many_times() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "nightly", "tests/scenarios/test_nightly.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"BASCULE_REPETITIONS": "3", "PATH": "/usr/bin:/bin"},
    )
    names = [line.partition("::")[2] for line in listed.stdout.splitlines() if "::" in line]
    assert len(names) == 6, listed.stdout + listed.stderr
    assert sum("host_of_the_active_member" in name for name in names) == 3
    assert [name[-10:] for name in names] == ["active-01]", "active-02]", "active-03]"] * 2
