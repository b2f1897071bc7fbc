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
