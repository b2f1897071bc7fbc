"""How late and how dear the pulse is: `python tests/benchmarks/bench_prober.py [PER_SECOND] [SECONDS]`.

The prober, as a scenario runs it, against a responder in another process that always says yes. Prints the start lag,
the share of a core and the memory of the prober. To reach at 1,000/s: p99.9 lag <= 5 ms, <= 30 % of a core.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import private
from lab.measure import History
from lab.wards import Clinician, Config


def status(pid: int, name: str) -> int:
    """A figure of /proc/PID/status, in kB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def spent(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port: int, per_second: int, seconds: int, folder: Path) -> None:
    """Run the prober and print its figures."""
    config = Config(
        history=str(folder / "history.jsonl"),
        ward="banc",
        url_host="127.0.0.1",
        port=port,
        clinicians=(Clinician("c001", "none"),),
        patients=("p0001",),
        interval_ms=1000 / per_second,
    )
    private.write(folder / "config.json", config.to_json())
    with subprocess.Popen([sys.executable, "-m", "lab.wards", "pulse", str(folder / "config.json")]) as prober:
        try:
            prober.wait(2)
        except subprocess.TimeoutExpired:
            before = spent(prober.pid)
        try:
            prober.wait(seconds)
        except subprocess.TimeoutExpired:
            share = (spent(prober.pid) - before) / seconds
        memory = status(prober.pid, "VmRSS")
        prober.send_signal(signal.SIGTERM)
    with (folder / "history.jsonl").open(encoding="utf-8") as lines:
        probes = [probe for probe in History.parse(lines).probes if probe.connection == "new"]
    lags = sorted((probe.start_ns - probe.intended_ns) / 1e6 for probe in probes)
    figures = {
        "per_second": per_second,
        "attempts": len(lags),
        "failed": sum(probe.outcome != "ok" for probe in probes),
        "lag_p50_ms": round(lags[len(lags) // 2], 2),
        "lag_p99_ms": round(lags[-1 - len(lags) // 100], 2),
        "lag_p999_ms": round(lags[-1 - len(lags) // 1000], 2),
        "lag_max_ms": round(lags[-1], 2),
        "core_percent": round(share * 100, 1),
        "memory_mb": round(memory / 1024, 1),
    }
    print(json.dumps(figures))  # noqa: T201 - a program


def main(arguments: list[str]) -> None:
    """Start the responder, measure, stop it."""
    per_second, seconds = (int(a) for a in (*arguments, *("1000", "20")[len(arguments) :]))
    responder = subprocess.Popen([sys.executable, "-m", "lab.calibration.responder"], stdout=subprocess.PIPE, text=True)
    assert responder.stdout is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(int(responder.stdout.readline()), per_second, seconds, Path(folder))
    finally:
        responder.kill()
        responder.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
