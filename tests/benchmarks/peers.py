"""Side by side with Chaos Toolkit, on one server that answers 503 for a known time: who saw it, and what stays broken.

Chaos Toolkit as it comes: the steady state asked continuously, once a second. Ours as it comes: the pulse. Each outage
is made once for each, at a random phase.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from lab import private
from lab.measure import History
from lab.measure.interruption import longest_gap
from lab.waiting import wait_until
from lab.wards import Clinician, Config

if TYPE_CHECKING:
    from collections.abc import Iterator

    Row = dict[str, str]

LENGTHS = (0.05, 0.2, 0.5)
NOT_THERE = "not installed"
_HELD = threading.Event()  # the server is broken while it is set


class _Record(BaseHTTPRequestHandler):
    """Answers everything, with 503 while broken; `/break` and `/mend` are a fault and its rollback."""

    def do_GET(self) -> None:
        if self.path in {"/break", "/mend"}:
            (_HELD.set if self.path == "/break" else _HELD.clear)()
            self._say(200)
            return
        self._say(503 if _HELD.is_set() else 200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._say(201)

    def _say(self, status: int) -> None:
        self.send_response(status)
        body = b'{"token": "none"}'
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def server() -> Iterator[int]:
    """Serve in this process; its port."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Record)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[1]
    made.shutdown()
    made.server_close()


def experiment(port: int, *actions: dict[str, Any]) -> dict[str, Any]:
    """A Chaos Toolkit experiment on this server."""

    def call(name: str, path: str) -> dict[str, Any]:
        return {"type": "http", "url": f"http://127.0.0.1:{port}{path}", "timeout": 1, "name": name}

    probe = {"type": "probe", "name": "serves", "tolerance": 200, "provider": call("serves", "/patients/p0001")}
    mend = {"type": "action", "name": "mend", "provider": call("mend", "/mend")}
    return {
        "title": "A known outage",
        "description": "Seen or not",
        "steady-state-hypothesis": {"title": "serves", "probes": [probe]},
        "method": list(actions),
        "rollbacks": [mend],
    }


def wait(seconds: float) -> dict[str, Any]:
    """An action that lets time pass."""
    sleep = {"type": "process", "path": "sleep", "arguments": str(seconds)}
    return {"type": "action", "name": f"wait {seconds}", "provider": sleep}


def outage(length: float) -> None:
    """Break the server for so long."""
    _HELD.set()
    _pass(length)
    _HELD.clear()


def _pass(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, within=seconds + 10, because="time stands still", every=0.0005)


def chaos_sees(chaos: str, port: int, length: float, phase: float, folder: Path) -> tuple[bool, int]:
    """Whether Chaos Toolkit noticed an outage in three seconds of watching, and its exit code."""
    told, journal = folder / "experiment.json", folder / "journal.json"
    told.write_text(json.dumps(experiment(port, wait(3))))
    command = [
        chaos,
        "--no-version-check",
        "run",
        "--hypothesis-strategy=continuously",
        f"--journal-path={journal}",
        str(told),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Action: wait" in line:
                break
        _pass(0.5 + phase)
        outage(length)
        process.communicate(timeout=30)
    return bool(json.loads(journal.read_text()).get("deviated")), process.returncode


def ours_see(port: int, lengths: list[float], draw: Random, folder: Path) -> list[float]:
    """What one pulse measured of each of these outages, in seconds."""
    path = folder / "history.jsonl"
    nurse, patients = (Clinician("c001", "none"),), ("p0001",)
    here = "127.0.0.1"
    config = Config(history=str(path), ward="banc", url_host=here, port=port, clinicians=nurse, patients=patients)
    private.write(folder / "config.json", config.to_json())
    known = []
    with subprocess.Popen([sys.executable, "-m", "lab.wards", "pulse", str(folder / "config.json")]) as pulse:
        wait_until(lambda: path.exists() and b'"o":"ok"' in path.read_bytes(), within=10, because="not served")
        for length in lengths:
            _pass(0.2 + draw.random() / 10)
            begin = time.monotonic_ns()
            outage(length)
            known.append((begin, time.monotonic_ns()))
        _pass(0.3)
        pulse.send_signal(signal.SIGTERM)
    with path.open() as lines:
        history = History.parse(lines)
    probes = [probe for probe in history.probes if probe.connection == "new"]
    near = [[p for p in probes if begin - 10**8 <= p.intended_ns <= end + 10**8] for begin, end in known]
    return [longest_gap(around, config.interval_ns) / 1e9 for around in near]


def left_behind(chaos: str, port: int, folder: Path) -> bool:
    """Whether the fault is still there after Chaos Toolkit was killed in the middle of it."""
    begin = {"type": "action", "name": "break", "provider": {"type": "http", "url": f"http://127.0.0.1:{port}/break"}}
    told = folder / "experiment.json"
    told.write_text(json.dumps(experiment(port, begin, wait(20))))
    command = [chaos, "--no-version-check", "run", f"--journal-path={folder / 'journal.json'}", str(told)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(_HELD.is_set, within=30, because="the fault was not made")
        process.kill()
    _pass(2)
    left = _HELD.is_set()
    _HELD.clear()
    return left


_CUT = """
import sys, tempfile
from pathlib import Path
from lab.calibration.rig import rig
with rig(Path(tempfile.mkdtemp())) as built:
    built.break_("cut")
    print(*built._names.values(), flush=True)
    sys.stdin.read()
"""


def ours_left_behind() -> float:
    """Seconds until nothing is left of our rig, killed with its cable cut."""
    with subprocess.Popen(
        [sys.executable, "-c", _CUT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pids = process.stdout.readline().split()
        process.kill()
        killed = time.monotonic()
        gone = lambda: not any(Path(f"/proc/{pid}/ns/net").exists() for pid in pids)  # noqa: E731 - one line, one use
        wait_until(gone, within=10, because="the rig is still there", every=0.001)
        return time.monotonic() - killed


def start_up(*command: str) -> float:
    """Seconds until a command line has answered, median of five."""

    def once() -> float:
        begin = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        return time.monotonic() - begin

    return statistics.median(once() for _ in range(5))


def detection(chaos: str | None, repeat: int, folder: Path, seed: int = 1) -> Iterator[Row]:
    """How many short outages are seen."""
    draw = Random(seed)  # noqa: S311 - phases, not secrets
    with server() as port:
        for length in LENGTHS:
            peer = NOT_THERE
            if chaos:
                seen = [chaos_sees(chaos, port, length, draw.random(), folder) for _ in range(repeat)]
                codes = ", ".join(map(str, sorted({code for _, code in seen})))
                peer = f"{sum(found for found, _ in seen)} of {repeat}, exit codes {codes}"
            ours = ours_see(port, [length] * repeat, draw, folder)
            counted = f"{sum(one > 0 for one in ours)} of {repeat}"
            yield {"what": f"outage of {length * 1000:.0f} ms seen", "ours": counted, "peer": peer}


def cleanup(chaos: str | None, _: int, folder: Path) -> Iterator[Row]:
    """What stays broken when whoever broke it is killed."""
    peer = NOT_THERE
    if chaos:
        with server() as port:
            peer = "yes" if left_behind(chaos, port, folder) else "no"
    gone = f"no, gone after {ours_left_behind() * 1000:.0f} ms"
    yield {"what": "killed (SIGKILL) with a fault on: still broken 2 s later", "ours": gone, "peer": peer}


def startup(chaos: str | None, _: int, __: Path) -> Iterator[Row]:
    """How long a command line takes to answer."""
    ours = f"{start_up(sys.executable, '-m', 'lab.front.cli', '--help'):.2f} s"
    peer = f"{start_up(chaos, '--help'):.2f} s" if chaos else NOT_THERE
    yield {"what": "command line answers `--help`, median of 5", "ours": ours, "peer": peer}
