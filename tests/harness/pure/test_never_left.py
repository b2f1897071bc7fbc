"""What keeps a harness from harming the machine: names, shortages, signals; without a lab."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.bench import Lab
from lab.enclosure import shortage
from lab.enclosure.enclosure import Enclosure
from lab.enclosure.naming import BadNameError, checked, option
from lab.enclosure.shortage import ShortageError, check
from lab.enclosure.sweep import STATE_ROOT
from lab.errors import Inconclusive
from lab.front.cli import main
from lab.plan import load
from lab.run import Run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["../run", "a/b", "", ".", "..", "-x", "a b", "a\n", "é", "x" * 64])
def test_a_name_that_is_more_than_a_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadNameError, match="write letters, digits"):
        checked(name)
    with pytest.raises(BadNameError):
        Enclosure(name)
    for command in ("status", "heal", "down"):
        assert main([command, f"--name={name}"]) == 4
        assert "a lab cannot be called" in capsys.readouterr().err


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_scenarios_name_leaves_the_run_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    run = Run(tmp_path_factory.mktemp("runs"), load("tiny"))
    scenario = run.begin(name, "X", name, name)
    assert scenario.folder.parent == run.folder
    assert scenario.folder.is_dir()


def test_what_a_command_must_say_to_mean_a_lab() -> None:
    assert option("lab") == ""
    assert option("mine") == " --name mine"
    assert Enclosure("mine").state == STATE_ROOT / "mine"


@pytest.mark.parametrize("begins", [True, False])
def test_a_machine_short_of_memory_is_told_in_a_sentence(
    begins: bool,  # noqa: FBT001 - pytest's parameter
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(tmp_path / "not" / "there", begins=begins)
    monkeypatch.setattr(shortage, "available_memory", lambda: 100 * 2**20)
    with pytest.raises(ShortageError, match=r"100 MiB of memory are available and a lab needs \d+ to (begin|go on)"):
        check(tmp_path, begins=begins)


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "GO_ON_DISK", 2**60)
    with pytest.raises(Inconclusive, match=r"MiB are free on the disk of .*: remove old runs"):
        check(tmp_path, begins=False)


LISTENER = """
import os, signal, sys
from lab.front.signals import listen
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it from the start
if sys.argv[2] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
listen()
try:
    os.kill(os.getpid(), int(sys.argv[1]))
    print("went on")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize(
    ("number", "how", "said"),
    [
        (signal.SIGTERM, "plain", "stopped"),
        (signal.SIGHUP, "plain", "stopped"),
        (signal.SIGINT, "plain", "stopped"),
        (signal.SIGHUP, "nohup", "went on"),
    ],
)
def test_signals_are_a_ctrl_c(number: signal.Signals, how: str, said: str) -> None:
    command = [sys.executable, "-c", LISTENER, str(int(number)), how]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == said


def test_a_terminal_that_hung_up_stops_nothing() -> None:
    """Planted: without `forget_terminals` the print after the hang-up raises an error."""
    ours, theirs = pty.openpty()
    script = """
import sys
from lab.front.signals import forget_terminals
sys.stdin.readline()
if sys.argv[1] == "forget":
    forget_terminals()
print("into nowhere", flush=True)
"""
    codes = []
    for how in ("forget", "remember"):
        with subprocess.Popen(
            [sys.executable, "-c", script, how], stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.DEVNULL
        ) as talker:
            if how == "forget":
                os.close(ours)
            talker.communicate(b"\n", timeout=30)
            codes.append(talker.returncode)
    os.close(theirs)
    assert codes[0] == 0
    assert codes[1] != 0


@pytest.mark.parametrize("lasts", ["2", "two hours", "-1 h"])
def test_a_time_that_cannot_be_read_is_one_sentence(lasts: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "tiny", f"--for={lasts}"]) == 2
    assert capsys.readouterr().err.startswith("--for: ")


def test_a_good_time_is_read() -> None:
    from lab.front.cli import _duration  # noqa: PLC0415 - the one use of it here

    assert _duration("2h") == timedelta(hours=2)
    assert _duration(None) is None


def test_a_machine_that_runs_short_ends_a_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault's context heals it then, as after any error."""
    held: Any = SimpleNamespace(scenario=SimpleNamespace(folder=tmp_path), _bystanders=None)
    Lab._go_on(held)  # noqa: SLF001 - hold's own step, which needs a whole lab otherwise
    monkeypatch.setattr(shortage, "available_memory", lambda: 2**20)
    with pytest.raises(ShortageError, match="a lab needs 256 to go on"):
        Lab._go_on(held)  # noqa: SLF001 - as above
