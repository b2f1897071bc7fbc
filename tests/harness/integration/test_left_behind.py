"""Whatever ends the harness, nothing of a lab stays."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import sys
import termios
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.enclosure import is_alive
from lab.enclosure.doctor import leftovers
from lab.enclosure.sweep import CGROUPS, cgroup_roots
from lab.waiting import wait_until
from tests.harness.integration import own_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

# A harness that holds a fault: it says so, then waits to be killed. It need not wait for whole services.
HARNESS = """
import signal, sys
from lab.bench import Lab
from lab.plan import load
from datetime import timedelta
from faults import Blackhole, CableCut, Flapping, Hang, Latency, PowerLoss, SwitchLoss
Lab.wait_whole = lambda self: None

class Paused:  # as the engine does it: with control groups of version 1 no signal ends it then
    def inject(self, lab):
        lab.enclosure.engine.containers.get(next(iter(lab.plan.rooms.values())).hosts[0]).pause()

lab = Lab.up(load("tiny"), name=sys.argv[1])
plan = lab.plan
fault = {
    "power": PowerLoss(next(iter(plan.rooms))),
    "switch": SwitchLoss(next(iter(plan.switches))),
    "cut": CableCut(next(iter(plan.cables))),
    "silence": Blackhole(next(iter(plan.cables))),
    "delay": Latency(next(iter(plan.cables)), by=timedelta(milliseconds=10)),
    "pause": Paused(),
    "hang": Hang(next(iter(plan.rooms.values())).hosts[0]),
    "flap": Flapping(next(iter(plan.cables))),
}[sys.argv[2]]
fault.inject(lab)
print("holding", flush=True)
signal.pause()
"""
KILLS = int(os.environ.get("BASCULE_KILLS", "1"))  # times eight faults times two victims


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


@contextmanager
def holding(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A harness that holds what it says it does; it ends with the test, whatever becomes of that."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as harness:
        try:
            assert harness.stdout is not None
            told, _, _ = select.select([harness.stdout], [], [], 120)
            if not told or harness.stdout.readline() != "holding\n":
                harness.kill()
                pytest.fail(harness.communicate(timeout=60)[1] or "it has built no lab within 120 s")
            yield harness
        finally:
            harness.kill()


@pytest.mark.parametrize("victim", ["harness", "launcher"])
@pytest.mark.parametrize("fault", ["power", "switch", "cut", "silence", "delay", "flap", "hang", "pause"])
@pytest.mark.parametrize("turn", range(KILLS))
def test_nothing_stays_when_it_is_killed_while_a_fault_holds(fault: str, victim: str, turn: int) -> None:
    name = f"killed-{os.getpid()}-{turn}"
    with holding(sys.executable, "-c", HARNESS, name, fault) as harness:
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
        harness.communicate(timeout=60)
    wait_until(
        lambda: not [item for item in leftovers() if item.name == name] and not processes_of(name),
        within=10,
        because=lambda: f"left: {leftovers()} {processes_of(name)}",
    )
    assert not cgroup_roots(f"/bascule-{name}")


@pytest.mark.parametrize("turn", range(KILLS))
def test_nothing_stays_when_it_is_killed_while_it_builds(turn: int) -> None:
    """At any instant: before its enclosure, while the engine starts, between two nodes. The next one starts clean."""
    name = f"building-{os.getpid()}-{turn}"
    moment = random.Random(turn).uniform(0.1, 6)  # noqa: S311 - to be played again, not to be secret
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", HARNESS, name, "cut"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as harness:
            with suppress(subprocess.TimeoutExpired):
                harness.wait(moment)
            harness.kill()
            harness.communicate()
        wait_until(
            lambda: not [item for item in leftovers() if item.name == name] and not processes_of(name),
            within=10,
            because=lambda: f"left: {leftovers()} {processes_of(name)}",
        )


def test_a_disk_whose_server_waits_for_itself_is_swept() -> None:
    name = f"wedged-{os.getpid()}"
    with holding(sys.executable, own_disk.__file__, name) as harness:
        harness.kill()
        harness.communicate(timeout=60)  # its end is also that of whoever waits: he has its standard output
    wait_until(
        lambda: not [item for item in leftovers() if item.name == name] and not processes_of(name),
        within=20,
        because=lambda: f"left: {leftovers()} {processes_of(name)} {launcher_log(name)}",
    )


def launcher_log(name: str) -> str:
    """Why the launcher of this lab swept nothing, if it could say."""
    log = Path("/run/bascule") / name / "launcher.log"
    return log.read_text() if log.exists() else f"{log.parent}: {[*log.parent.glob('*')]} {leftovers()}"


def session(runs: Path, **how: Any) -> subprocess.Popen[str]:  # noqa: ANN401 - Popen's own
    """A session of one scenario that cuts a cable."""
    scenarios = Path(__file__).parents[2] / "scenarios"
    told = ["--plan", "tiny", "--runs", str(runs), str(scenarios), "--scenario", "V15-fibre-a"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | how
    # Of a shell's background job, which ignores SIGINT from the start, all that it starts would.
    heard = ["env", "--default-signal=INT", sys.executable, "-m", "pytest", *told]
    return subprocess.Popen(heard, text=True, **streams)


def events(runs: Path) -> str:
    return "".join(log.read_text() for log in runs.glob("*/*/events.jsonl"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_heals_reports_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Interrupted while a fault holds, the session heals it, ends its lab and still writes its report."""
    before = {item.name for item in leftovers()}
    with session(tmp_path) as played:
        wait_until(lambda: '"hold"' in events(tmp_path), within=60, because="no fault holds")
        played.send_signal(number)
        output, _ = played.communicate(timeout=120)
    assert '"heal"' in events(tmp_path), output
    assert '"return"' in events(tmp_path), output
    assert list(tmp_path.glob("*/rapport.html")), output
    assert not processes_of(f"pytest-main-{played.pid}")
    assert {item.name for item in leftovers()} == before, launcher_log(f"pytest-main-{played.pid}")


def test_a_second_signal_while_it_heals_tears_the_lab_down(tmp_path: Path) -> None:
    before = {item.name for item in leftovers()}
    with session(tmp_path) as played:
        wait_until(lambda: '"hold"' in events(tmp_path), within=60, because="no fault holds")
        played.send_signal(signal.SIGINT)
        wait_until(lambda: '"heal"' in events(tmp_path), within=10, because="it does not heal")
        played.send_signal(signal.SIGINT)
        output, _ = played.communicate(timeout=120)
    assert '"return"' not in events(tmp_path), output
    assert not processes_of(f"pytest-main-{played.pid}")
    assert {item.name for item in leftovers()} == before, launcher_log(f"pytest-main-{played.pid}")


def test_a_closed_terminal_is_a_ctrl_c(tmp_path: Path) -> None:
    """Whatever cannot be written to it any more stops neither the healing nor the report."""
    before = {item.name for item in leftovers()}
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)

    def holds() -> bool:
        with suppress(BlockingIOError):
            os.read(ours, 1 << 16)  # or the session would wait for its terminal to take more
        return '"hold"' in events(tmp_path)

    with session(
        tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as played:
        os.close(theirs)
        wait_until(holds, within=60, because="no fault holds")
        os.close(ours)
        played.wait(60)
    assert '"return"' in events(tmp_path)
    assert list(tmp_path.glob("*/rapport.html"))
    assert not processes_of(f"pytest-main-{played.pid}")
    assert {item.name for item in leftovers()} == before, launcher_log(f"pytest-main-{played.pid}")


def test_the_death_of_a_whole_job_leaves_only_what_the_doctor_sweeps() -> None:
    """A CI machine that gives up kills a control group at once: harness, launcher, engine, nobody to tell another."""
    name = f"job-{os.getpid()}"
    job = next(iter(sorted(CGROUPS.glob("*/cgroup.procs"))), CGROUPS / "cgroup.procs").parent / name
    job.mkdir()
    try:
        joined = f'echo 0 > {job}/cgroup.procs && exec "$@"'
        with holding("sh", "-c", joined, "job", sys.executable, "-c", HARNESS, name, "cut") as harness:
            members = [int(pid) for pid in (job / "cgroup.procs").read_text().split()]
            assert len(members) > 3, "harness, launcher, process 1 and the engine"
            for pid in members:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            harness.communicate(timeout=60)
        wait_until(lambda: not processes_of(name), within=10, because=lambda: f"left: {processes_of(name)}")
        subprocess.run([sys.executable, "-m", "lab.front.cli", "doctor", "--clean"], check=False, capture_output=True)
        wait_until(
            lambda: not [item for item in leftovers() if item.name == name],
            within=10,
            because=lambda: f"left: {leftovers()}",
        )
    finally:
        wait_until(partial(_removed, job), within=10, because=f"{job} is not empty")


def _removed(folder: Path) -> bool:
    with suppress(OSError):  # a task of it still dies
        folder.rmdir()
    return not folder.exists()


def test_a_killed_engine_ends_the_session_with_a_readable_folder(tmp_path: Path) -> None:
    """The engine is a tool of the bench: its death while a fault holds concludes nothing, and leaves nothing."""
    before = {item.name for item in leftovers()}
    with session(tmp_path) as played:
        wait_until(lambda: '"hold"' in events(tmp_path), within=60, because="no fault holds")
        name = f"pytest-main-{played.pid}"
        engines = [pid for pid in pids_of(f"/run/bascule/{name}") if executable(pid) == "dockerd"]
        assert len(engines) == 1
        os.kill(engines[0], signal.SIGKILL)
        output, _ = played.communicate(timeout=300)
    assert played.returncode not in {0, 2}, output
    assert "Traceback" not in output, output
    readable(tmp_path, output)
    assert not processes_of(name)
    assert {item.name for item in leftovers()} == before, launcher_log(name)


def test_a_full_disk_ends_a_hold_with_a_readable_folder(tmp_path: Path) -> None:
    """The run folder's disk is filled by somebody else while a fault holds: it is healed, and said why."""
    before = {item.name for item in leftovers()}
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "bascule-test", str(disk)], check=True)
    try:
        with session(disk) as played:
            wait_until(lambda: '"hold"' in events(disk), within=60, because="no fault holds")
            with (disk / "other").open("wb") as other:
                os.posix_fallocate(other.fileno(), 0, shutil.disk_usage(disk).free - 8 * 2**20)
            output, _ = played.communicate(timeout=120)
        assert played.returncode not in {0, 2}, output
        assert "MiB are free on the disk of" in output, output
        assert '"heal"' in events(disk), output
        readable(disk, output)
        assert not processes_of(f"pytest-main-{played.pid}")
        assert {item.name for item in leftovers()} == before, launcher_log(f"pytest-main-{played.pid}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_harness_out_of_memory_leaves_nothing_and_a_readable_folder(tmp_path: Path) -> None:
    """The kernel kills it while a fault holds: nobody heals, the enclosure dies, and what was written can be judged."""
    before = {item.name for item in leftovers()}
    v1 = CGROUPS / "memory"
    narrow = (v1 if v1.is_dir() else CGROUPS) / f"narrow-{os.getpid()}"
    narrow.mkdir()
    try:
        (narrow / ("memory.limit_in_bytes" if v1.is_dir() else "memory.max")).write_text(str(2**20))
        with session(tmp_path) as played:
            wait_until(lambda: '"hold"' in events(tmp_path), within=60, because="no fault holds")
            (narrow / "cgroup.procs").write_text(str(played.pid))
            output, _ = played.communicate(timeout=120)
        name = f"pytest-main-{played.pid}"
        assert played.returncode == -signal.SIGKILL, output
        wait_until(
            lambda: not processes_of(name) and {item.name for item in leftovers()} == before,
            within=15,
            because=lambda: f"left: {leftovers()} {processes_of(name)}",
        )
        readable(tmp_path, output)
    finally:
        wait_until(partial(_removed, narrow), within=10, because=f"{narrow} is not empty")


def readable(runs: Path, output: str) -> None:
    """The folder of the run can be judged again and reported by whoever comes later."""
    (run,) = (folder for folder in runs.iterdir() if (folder / "campaign.json").exists())
    for verb in ("analyse", "report"):
        done = subprocess.run(
            [sys.executable, "-m", "lab.front.cli", verb, str(run)], capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in {0, 1}, f"{verb}: {done.stdout}{done.stderr}{output}"
    assert list(run.glob("rapport.html"))


def pids_of(name: str) -> list[int]:
    """Processes whose command names this lab."""
    return [
        int(entry.parent.name)
        for entry in Path("/proc").glob("[0-9]*/cmdline")
        if name.encode() in (entry.read_bytes() if entry.exists() else b"")
    ]


def executable(pid: int) -> str:
    """The program that a process runs."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_a_kept_lab_ends_when_its_time_is_over() -> None:
    """The launcher minds it, whatever became of whoever asked for it."""
    name = f"expires-{os.getpid()}"
    script = f"""
from datetime import timedelta
from pathlib import Path
from lab.enclosure import Enclosure
made = Enclosure.start({name!r}, data=Path("/run/bascule/{name}/data"), keep=True, lasts=timedelta(seconds=6))
made.release()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert is_alive(name)
    wait_until(lambda: not is_alive(name), within=15, because="its time is over and it lives")
    wait_until(lambda: name not in {item.name for item in leftovers()}, within=15, because="it is not swept")
    assert not cgroup_roots(f"/bascule-{name}")


def test_a_lab_is_not_started_on_top_of_one_that_begins() -> None:
    """Two that ask for one name at the same instant: one gets it, the other a sentence."""
    name = f"twice-{os.getpid()}"
    script = f"""
from pathlib import Path
from lab.enclosure import Enclosure, NameTakenError
try:
    made = Enclosure.start({name!r}, data=Path("/run/bascule/{name}/data"))
    print("mine", flush=True)
    input()
    made.close()
except NameTakenError as error:
    print(error, flush=True)
"""
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for _ in range(2)
    ]
    said = [one.stdout.readline().strip() for one in both if one.stdout]
    for one in both:
        one.communicate("\n", timeout=30)
    assert sorted(word == "mine" for word in said) == [False, True], said
    assert any(f"a lab named {name} " in word for word in said)
    assert name not in {item.name for item in leftovers()}
