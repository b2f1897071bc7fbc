"""How long reading and judging take: `python tests/benchmarks/bench_judging.py [OPERATIONS...]`.

A history of operations, each with its one attempt, half of them writes, with forty seconds of outage in the middle.
Prints seconds for both stages, so that twice the operations shows twice the time. To reach: 1,000,000 operations judged
in 5 s, reading included, with 1 GiB.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.measure import History, Readback, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

_S = 1_000_000_000
_GAP = _S // 10
_OUT = 400  # operations, at ten a second
_KINDS = (("read-record", "read"), ("record-act", "write"), ("list-prescriptions", "read"), ("prescribe", "write"))


@dataclass(frozen=True)
class Promise:
    """An objective that the outage keeps."""

    interruption: timedelta | None = timedelta(minutes=1)
    freeze: timedelta | None = timedelta(seconds=5)
    loss: int | None = 0


def lines(count: int) -> Iterator[str]:
    """The history."""
    yield '{"k":"start","v":1,"writer":"pulse@banc","t":0,"interval_ns":10000000}\n'
    yield '{"k":"start","v":1,"writer":"journeys@banc","t":0,"interval_ns":100000000,"patience_ns":10000000000}\n'
    yield '{"k":"pulse","w":"banc","t":0,"s":0,"e":5,"o":"ok","c":"new","why":null,"x":"p","m":"dopasoins-1"}\n'
    for n in range(count):
        journey, kind = _KINDS[n % len(_KINDS)]
        at, key = n * _GAP, f'"t-{n}"' if kind == "write" else "null"
        outcome = "failed" if count // 2 <= n < count // 2 + _OUT else "ok"
        yield (
            f'{{"k":"try","w":"banc","op":"t-{n}","n":1,"s":{at},"e":{at + 9},"o":"{outcome}","why":null,'
            f'"x":"t-{n}.1","m":"dopasoins-1"}}\n'
        )
        yield (
            f'{{"k":"op","op":"t-{n}","w":"banc","j":"{journey}","a":"{kind}","key":{key},"t":{at},'
            f'"e":{at + 9},"o":"{outcome}","n":1}}\n'
        )
    yield '{"k":"end","writer":"pulse@banc","t":0}\n{"k":"end","writer":"journeys@banc","t":0}\n'


def measure(count: int) -> None:
    """Print the figures for so many operations."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines(count))
        print(json.dumps(judged(path, count)))  # noqa: T201 - a program


def judged(path: Path, count: int) -> dict[str, Any]:
    """Read the file and judge it, as `bascule analyse` does."""
    keys = dict.fromkeys((f"t-{n}" for n in range(count) if n % 2), 1)
    trail = frozenset(["p", *(f"t-{n}.1" for n in range(count))])
    readback = Readback({name: {"acts": keys} for name in ("dopasoins-1", "dopasoins-2")}, trail)
    begin, cpu = time.perf_counter(), time.process_time()
    with path.open(encoding="utf-8") as file:
        history = History.parse(file)
    read = time.perf_counter()
    verdict = judge(history, readback, Promise(), scenario="bench", service="dopasoins")
    done = time.perf_counter()
    return {
        "operations": len(history.operations),
        "read_s": round(read - begin, 2),
        "judge_s": round(done - read, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "verdict": str(verdict.verdict),
        "interruption_s": verdict.interruption.total_seconds(),
    }


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["250000", "1000000"]:
        measure(int(argument))
