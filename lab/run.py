"""The run folder: everything that happened, on disk as it happens, in files that outlive the harness."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.measure import Verdict, VerdictError, verify, worse
from lab.measure.deviations import review, to_json
from lab.plan import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lab.measure import Evidence, FailedCheck, Readback
    from lab.measure.deviations import Deviation, Listed
    from lab.plan import Plan
    from lab.preflight import Row
    from lab.recovery import Recovery

FORMAT = 1
VERIFY = Path(verify.__file__)
"""The script that derives the headline figures again; each run folder carries it."""
_NOTHING_TO_COMPARE = 2
_LONGEST_VERIFY_S = 600
SCENARIO_FORMAT = 2  # of scenario.json: steps, window and evidence came in November 2026


@dataclass
class Scenario:
    """One scenario's folder, and what is known of it so far."""

    id: str
    family: str
    title: str
    title_fr: str
    folder: Path
    fault: str = ""
    fault_fr: str = ""
    steps: tuple[frozenset[str], ...] = ()
    """What the fault takes, in the order in which it takes it."""
    scope: str = "one component"
    window: tuple[int, int] | None = None
    returned: int | None = None
    """When the lab was whole again (monotonic ns)."""
    evidence: list[Evidence] = field(default_factory=list)
    recovery: Recovery | None = None
    """The way to room three, if it was taken."""
    bare: timedelta | None = None
    """How long copies were missing, where that was counted."""
    moved: bool = False
    """Whether everything was moved to another room first: what the plan alone predicts says nothing of it then."""
    verdict: Verdict | None = None
    judged: dict[str, Verdict] = field(default_factory=dict)
    """By service, what was concluded of it; `verdict` is the worst of these."""
    listeners: list[Callable[[str, str], None]] = field(default_factory=list)
    """Told of each event as it happens: what, and its text."""
    observed: list[str] = field(default_factory=list)
    """The services that the wards used, the first one first: its files have plain names."""

    @property
    def lost(self) -> frozenset[str]:
        """All that the fault takes."""
        return frozenset().union(*self.steps)

    @property
    def without_redundancy(self) -> timedelta | None:
        """From the fault until the lab was whole again; of a planned change, what was counted of it."""
        if self.window is None or self.returned is None:
            return None
        if self.bare is not None:
            return self.bare
        return timedelta(microseconds=(self.returned - self.window[0]) / 1000)

    @property
    def history(self) -> Path:
        """Where the wards write what they saw of the first service."""
        return self.folder / "history.jsonl"

    def claim(self, service: str) -> tuple[str, Path]:
        """What the files of a service's observation are marked with, and where its wards write what they saw.

        The first service observed has plain names; any further one its own behind a hyphen.
        """
        if service not in self.observed:
            self.observed.append(service)
        mark = self._mark(service)
        return mark, self.folder / f"history{mark}.jsonl"

    def _mark(self, service: str) -> str:
        return "" if service in self.observed[:1] or not self.observed else f"-{service}"

    def event(self, what: str, text: str, text_fr: str, at: int | None = None) -> None:
        """Write down what the bench did, and when (monotonic ns)."""
        line = {
            "t": time.monotonic_ns() if at is None else at,
            "what": what,
            "text": text,
            "text_fr": text_fr,
        }
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
        for listener in self.listeners:
            listener(what, text)

    def describe(self, service: str, objective: dict[str, float | int | None]) -> None:
        """Write down what the scenario set out to do, before it is judged."""
        content = {
            "format": SCENARIO_FORMAT,
            "id": self.id,
            "family": self.family,
            "title": self.title,
            "title_fr": self.title_fr,
            "fault": self.fault,
            "fault_fr": self.fault_fr,
            "scope": self.scope,
            "targets": sorted(self.lost),
            "service": service,
            "objective": objective,
            "steps": [sorted(step) for step in self.steps],
            "window": self.window,
            "evidence": [vars(proof) for proof in self.evidence],
        }
        _write(self.folder / f"scenario{self._mark(service)}.json", content)

    def close(self, readback: Readback | None, verdict: Verdict) -> None:
        """Write down what was read back and what it means.

        `verdict.json` is the scenario's, whatever the number of its services: the worst of theirs.
        """
        mark, known = self._mark(verdict.service), self.verdict
        if readback is not None:
            (self.folder / f"readback{mark}.json").write_text(readback.to_json(), encoding="utf-8")
        alone = known is None or known.service == verdict.service
        if known is not None and not alone:
            for each in (known, verdict):
                self._own(each).write_text(each.to_json(), encoding="utf-8")
        elif self._own(verdict).exists():
            self._own(verdict).write_text(verdict.to_json(), encoding="utf-8")
        self.judged[verdict.service] = verdict
        # No doubt about one service may hide the measured interruption of another.
        if known is None or alone or worse(known.verdict, verdict.verdict) is not known.verdict:
            (self.folder / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
            self.verdict = verdict

    def _own(self, verdict: Verdict) -> Path:
        """Where the verdict of a service lies, if it is one of several."""
        return self.folder / f"verdict-{verdict.service}.json"

    def fail(self, check: FailedCheck) -> None:
        """File that something else than the objective was not as the scenario insists, with its verdict.

        The first one stays: what fails afterwards may follow from it. A verdict must have been filed.
        """
        assert self.verdict is not None, "a check fails beside a verdict"  # noqa: S101 - an invariant
        if self.verdict.failed_check is None:
            self.close(None, self.verdict.failing(check))


class Run:
    """A campaign: a plan, a machine, and the scenarios that were played.

    `joins` is the folder of a run that another process leads: that process alone writes what is said of the whole.
    """

    def __init__(self, root: Path, plan: Plan, change: str | None = None, *, joins: Path | None = None) -> None:
        self._started = datetime.now(UTC)
        self._leads = joins is None
        self.folder = joins or _new_folder(root.resolve(), f"{self._started:%Y%m%dT%H%M%SZ}-{plan.name}")
        self.scenarios: list[Scenario] = []
        self.deviations: tuple[Deviation, ...] = ()
        self.played_elsewhere: list[str] = []
        self.phases: dict[str, float] = {}
        self.calibration: dict[str, Any] | None = None
        self.verified: dict[str, Any] | None = None
        self.preflight: list[dict[str, Any]] | None = None
        self._plan = plan
        self._change = change
        if not self._leads:
            return
        (self.folder / "plan.yaml").write_text(dumps(plan), encoding="utf-8")
        (self.folder / VERIFY.name).write_bytes(VERIFY.read_bytes())
        self.save(ended=False)

    def begin(self, name: str, family: str, title: str, title_fr: str) -> Scenario:
        """Open a scenario's folder; a name used before gets a number."""
        folder = _new_folder(self.folder, _tame(name))
        scenario = Scenario(folder.name, family, title, title_fr, folder)
        self.scenarios.append(scenario)
        self.save(ended=False)
        return scenario

    def read_before(self, rows: Iterable[Row]) -> None:
        """Keep what was true of the lab before anything was broken; of several labs, what was last."""
        self.preflight = [vars(row) for row in rows]
        self.save(ended=False)

    def spent(self, phase: str, seconds: float) -> None:
        """Add to the time that a phase took."""
        self.phases[phase] = round(self.phases.get(phase, 0.0) + seconds, 3)

    def listed(self) -> tuple[Listed, ...]:
        """What became of each accepted deviation so far."""
        return review(self.deviations, list(self._verdicts()), self._started.astimezone().date())

    def _verdicts(self) -> Iterator[Verdict]:
        """Every verdict in the folder, whichever process judged it."""
        for path in sorted(self.folder.glob("*/verdict.json")):
            with contextlib.suppress(VerdictError):  # its writer was killed: nothing was concluded
                yield Verdict.from_json(path.read_text(encoding="utf-8"))

    def verify(self) -> bool:
        """Let the folder's own script derive the figures again; whether it agrees, which campaign.json keeps."""
        command = [sys.executable, "-I", str(self.folder / VERIFY.name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_VERIFY_S)
        said = done.stdout.splitlines() + done.stderr.splitlines()[-1:]
        self.verified = {"agrees": done.returncode in {0, _NOTHING_TO_COMPARE}, "said": said}
        return bool(self.verified["agrees"])

    def save(self, *, ended: bool) -> None:
        """Write campaign.json as things stand, and at the end what became of the accepted deviations."""
        if not self._leads:
            return
        if ended and self.deviations:
            (self.folder / "deviations.json").write_text(to_json(self.listed()), encoding="utf-8")
        content = {
            "version": FORMAT,
            "plan": self._plan.name,
            "started": self._started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds") if ended else None,
            "machine": machine(),
            "backend": {"impairments": "nft"},
            "change": self._change,
            "phases": self.phases,
            "calibration": self.calibration,
            "verified": self.verified,
            "preflight": self.preflight,
            "scenarios": [scenario.id for scenario in self.scenarios] + self.played_elsewhere,
        }
        _write(self.folder / "campaign.json", content)


def _tame(name: str) -> str:
    """A name that is one folder's and nothing else's, whatever a test's marker or parameter says."""
    return re.sub(r"[^\w+-]", "_", name)[:120] or "_"


def _new_folder(root: Path, name: str) -> Path:
    """Make a folder; a name in use gets a number. Safe between processes: making it is what claims it."""
    folder, count = root / name, 1
    while True:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            count += 1
            folder = root / f"{name}-{count}"
        else:
            return folder


def machine() -> dict[str, str]:
    """What this machine is, as reports print it."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1 << 30)
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {
        "system": release,
        "kernel": platform.release(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory} GiB",
        "python": platform.python_version(),
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace a file at once: a harness killed half-way leaves the old one."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
