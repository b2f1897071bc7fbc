"""Whatever ends the harness, nothing of a lab stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.enclosure import is_alive
from lab.enclosure.doctor import leftovers
from lab.enclosure.sweep import cgroup_roots
from lab.waiting import wait_until

# A harness that holds a fault: it says so, then waits to be killed. It need not wait for whole services.
HARNESS = """
import signal, sys
from lab.bench import Lab
from lab.plan import load
from faults import Blackhole, CableCut, PowerLoss, SwitchLoss
Lab.wait_whole = lambda self: None
lab = Lab.up(load("tiny"), name=sys.argv[1])
plan = lab.plan
fault = {
    "power": PowerLoss(next(iter(plan.rooms))),
    "switch": SwitchLoss(next(iter(plan.switches))),
    "cut": CableCut(next(iter(plan.cables))),
    "silence": Blackhole(next(iter(plan.cables))),
}[sys.argv[2]]
fault.inject(lab)
print("holding", flush=True)
signal.pause()
"""
KILLS = int(os.environ.get("BASCULE_KILLS", "3"))  # times four faults times two victims


def processes_of(name: str) -> list[str]:
    """Commands that still name this lab."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"/run/bascule/{name}" in command or name in command.split():
                found.append(command)
    return found


@pytest.mark.parametrize("victim", ["harness", "launcher"])
@pytest.mark.parametrize("fault", ["power", "switch", "cut", "silence"])
@pytest.mark.parametrize("turn", range(KILLS))
def test_nothing_stays_when_it_is_killed_while_a_fault_holds(fault: str, victim: str, turn: int) -> None:
    name = f"killed-{os.getpid()}-{turn}"
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, name, fault], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "holding\n", harness.communicate()[1]
        assert is_alive(name)
        launcher = int((Path("/run/bascule") / name / "launcher.pid").read_text())
        os.kill(harness.pid if victim == "harness" else launcher, signal.SIGKILL)
        wait_until(lambda: not is_alive(name), within=10, because="process 1 lives")
        if victim == "launcher":  # nobody is left to sweep the empty folders: the doctor does
            harness.kill()
            left = [item for item in leftovers() if item.name == name]
            assert left
            subprocess.run(
                [sys.executable, "-m", "lab.front.cli", "doctor", "--clean"], check=False, capture_output=True
            )
        harness.communicate()
    wait_until(
        lambda: not [item for item in leftovers() if item.name == name] and not processes_of(name),
        within=10,
        because=lambda: f"left: {leftovers()} {processes_of(name)}",
    )
    assert not cgroup_roots(f"/bascule-{name}")


def test_ctrl_c_heals_reports_and_leaves_nothing(tmp_path: Path) -> None:
    """Interrupted while a fault holds, the session heals it, ends its lab and still writes its report."""
    before = {item.name for item in leftovers()}
    scenarios = Path(__file__).parents[2] / "scenarios"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--plan",
        "tiny",
        "--runs",
        str(tmp_path),
        str(scenarios),
        "-k",
        "is_cut[fibre-a]",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:

        def holding() -> bool:
            return any('"hold"' in log.read_text() for log in tmp_path.glob("*/*/events.jsonl"))

        wait_until(holding, within=60, because="no fault holds")
        session.send_signal(signal.SIGINT)
        output, _ = session.communicate(timeout=60)
    events = next(iter(tmp_path.glob("*/*/events.jsonl"))).read_text()
    assert '"heal"' in events, output
    assert '"return"' in events, output
    assert list(tmp_path.glob("*/rapport.html")), output
    assert not processes_of(f"pytest-main-{session.pid}")
    assert {item.name for item in leftovers()} == before
