"""The run folder: everything that happened, on disk as it happens, in files that outlive the harness."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab.plan import dumps

if TYPE_CHECKING:
    from pathlib import Path

    from lab.measure import Evidence, Readback, Verdict
    from lab.plan import Plan

FORMAT = 1


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
    lost: frozenset[str] = frozenset()
    scope: str = "one component"
    window: tuple[int, int] | None = None
    evidence: list[Evidence] = field(default_factory=list)
    verdict: Verdict | None = None

    @property
    def history(self) -> Path:
        """Where the wards write what they saw."""
        return self.folder / "history.jsonl"

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

    def describe(self, service: str, objective: dict[str, float | int | None]) -> None:
        """Write down what the scenario set out to do, before it is judged."""
        content = {
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
        }
        _write(self.folder / "scenario.json", content)

    def close(self, readback: Readback | None, verdict: Verdict) -> None:
        """Write down what was read back and what it means."""
        if readback is not None:
            (self.folder / "readback.json").write_text(readback.to_json(), encoding="utf-8")
        (self.folder / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
        self.verdict = verdict


class Run:
    """A campaign: a plan, a machine, and the scenarios that were played."""

    def __init__(self, root: Path, plan: Plan, change: str | None = None) -> None:
        self._started = datetime.now(UTC)
        self.folder = root.resolve() / f"{self._started:%Y%m%dT%H%M%SZ}-{plan.name}"
        while self.folder.exists():  # two runs within a second
            self.folder = self.folder.with_name(self.folder.name + "b")
        self.folder.mkdir(parents=True)
        self.scenarios: list[Scenario] = []
        self.phases: dict[str, float] = {}
        self._plan = plan
        self._change = change
        (self.folder / "plan.yaml").write_text(dumps(plan), encoding="utf-8")
        self.save(ended=False)

    def begin(self, name: str, family: str, title: str, title_fr: str) -> Scenario:
        """Open a scenario's folder; a name used before gets a number."""
        folder, count = self.folder / name, 1
        while folder.exists():
            count += 1
            folder = self.folder / f"{name}-{count}"
        folder.mkdir()
        scenario = Scenario(folder.name, family, title, title_fr, folder)
        self.scenarios.append(scenario)
        self.save(ended=False)
        return scenario

    def spent(self, phase: str, seconds: float) -> None:
        """Add to the time that a phase took."""
        self.phases[phase] = round(self.phases.get(phase, 0.0) + seconds, 3)

    def save(self, *, ended: bool) -> None:
        """Write campaign.json as things stand."""
        content = {
            "version": FORMAT,
            "plan": self._plan.name,
            "started": self._started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds") if ended else None,
            "machine": _machine(),
            "backend": {"impairments": "nft"},
            "change": self._change,
            "phases": self.phases,
            "scenarios": [scenario.id for scenario in self.scenarios],
        }
        _write(self.folder / "campaign.json", content)


def _machine() -> dict[str, str]:
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
