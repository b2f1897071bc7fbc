"""A service as the wards use it: observe it, then judge what they saw."""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab import private
from lab.errors import LabError
from lab.expectation import expect
from lab.measure import History, Outcome, Readback, judge
from lab.measure.deviations import accept
from lab.measure.readback import rows_of
from lab.measure.records import OK
from lab.measure.wording import counted, spoken
from lab.replica.emr.people import clinician_ids, patient_ids, secret_of
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.bench import Lab
    from lab.enclosure import Process
    from lab.measure import Verdict
    from lab.measure.readback import Trace
    from lab.plan import Objective
    from lab.plan import Service as ServicePlan
    from lab.run import Scenario

PULSE_MS = 10
KEPT_MS = 100
RATE = 5.0  # operations a second and ward; the plan of a clinic's busiest hour is not known, hence a working hypothesis
# A ward's rate is so much above the one before: were its interval a multiple of the pulse's, or the same as another
# ward's, its operations would meet theirs each time or never, by chance.
_APART = 1 / 73
FRESH = 0.5  # seconds within which the pulse must have succeeded to be called steady
STEADY = 1.0  # seconds of unbroken pulse that count as steady


class Observation:
    """The wards at work on one service, and their history when they are done."""

    def __init__(self, service: Service, scenario: Scenario, rate: float = RATE) -> None:
        self.scenario = scenario
        self.rate = rate
        # Accesses and numbers of this observation start with its tag: the read-back asks for these only.
        self.tag = secrets.token_hex(4)
        self._mark, self.path = scenario.claim(service.name)
        # Where each server ran before anything was lost: what to expect depends on it.
        self.placement = service.placement()
        self._service = service
        self._processes: list[Process] = []
        self._served: set[str] = set()
        self.writes = 0
        self._read = 0
        self._failed_at = 0
        self._ok_at = 0
        self.recovered_at = 0
        self._began = 0

    def start(self, defects: frozenset[str], writes: int = 0, rounds: int = 0) -> None:
        """Send the wards to work; returns when the service has been steady for all of them, and took so many writes."""
        lab = self._service.lab
        self._began = time.monotonic_ns()
        wards = list(lab.wards)
        jobs = [("pulse", wards[0]), *(("journeys", ward) for ward in wards)]
        if rounds:
            jobs.append(("rounds", wards[0]))
        for number, (job, ward) in enumerate(jobs):
            told = self._service.client_config(self, ward, number, defects)
            told["rate"] *= 1 + number * _APART
            config = self._tell(job, ward, {**told, "rounds": rounds} if job == "rounds" else told)
            log = str(self.scenario.folder / f"{job}-{ward}{self._mark}.log")
            command = (sys.executable, "-m", "lab.wards", job, str(config))
            self._processes.append(lab.enclosure.spawn(*command, log=log, net=lab.wards[ward]))
        # Each ward must have worked once: what was never served before the fault says nothing of the fault.
        wait_until(
            lambda: self.is_steady(STEADY) and self._served >= set(wards) and self.writes >= writes,
            within=30 + writes,
            because=self._trouble,
        )

    def _tell(self, job: str, ward: str, config: dict[str, Any]) -> Path:
        """Write what a client is told; never in the run folder, which people pass on: clinicians' secrets are in it."""
        folder = self._service.lab.enclosure.state / "clients"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{job}-{ward}{self._mark}.json"
        private.write(path, json.dumps(config))
        return path

    def stop(self) -> None:
        """Let the wards finish what is under way, and leave."""
        patience = self._service.plan.patience.total_seconds()
        for process in self._processes:
            process.signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(patience + 10)

    def is_steady(self, seconds: float) -> bool:
        """Whether every attempt of the pulse succeeded during the last so many seconds."""
        self._follow()
        now = time.monotonic_ns()
        quiet = now - max(self._failed_at, self._began) > seconds * 1e9
        return quiet and now - self._ok_at < FRESH * 1e9

    def _follow(self) -> None:
        """Read what the pulse wrote since the last look."""
        if not self.path.exists():
            return
        with self.path.open("rb") as lines:
            lines.seek(self._read)
            *whole, _ = lines.read().split(b"\n")
        self._read += sum(len(line) + 1 for line in whole)
        for line in whole:
            if line.startswith(b'{"k":"pulse"'):
                row = json.loads(line)
                if row["o"] == "ok":
                    self._ok_at = max(self._ok_at, row["e"])
                    if self._failed_at > self.recovered_at and row["s"] > self._failed_at:
                        self.recovered_at = row["e"]
                else:
                    self._failed_at = max(self._failed_at, row["s"])
            elif line.startswith(b'{"k":"op"'):
                row = json.loads(line)
                if row["o"] == "ok":
                    self._served.add(row["w"])
                    self.writes += row["a"] == "write"

    def _trouble(self) -> str:
        logs = sorted(self.scenario.folder.glob("*.log"))
        words = [log.read_text().strip().splitlines()[-1:] for log in logs]
        said = "; ".join(word[0] for word in words if word) or "the wards left no log"
        return f"{self._service.name} is not steady for the wards ({said})"

    @property
    def service(self) -> str:
        """The name of the service that is observed."""
        return self._service.name

    def missing_in_room_three(self, until_ns: int) -> tuple[int, list[str]]:
        """Of the writes acknowledged until an instant (monotonic ns): how many, and which room three lacks."""
        return self._service.missing_in_room_three(self, until_ns)

    def history(self) -> History:
        """Everything that the wards wrote."""
        with self.path.open(encoding="utf-8") as lines:
            return History.parse(lines)


class Service:
    """A service of the plan, in a running lab."""

    def __init__(self, lab: Lab, plan: ServicePlan) -> None:
        self.lab = lab
        self.plan = plan
        self.name = plan.name

    def client_config(self, observation: Observation, ward: str, seed: int, defects: frozenset[str]) -> dict[str, Any]:
        """What a ward's clients are told."""
        return {
            "history": str(observation.path),
            "ward": ward,
            "tag": observation.tag,
            "url_host": str(self.plan.address),
            "port": 80,
            "connect_ms": self.plan.connect.total_seconds() * 1000,
            "answer_ms": self.plan.answer.total_seconds() * 1000,
            "patience_ms": self.plan.patience.total_seconds() * 1000,
            "interval_ms": PULSE_MS,
            "kept_ms": KEPT_MS,
            "clinicians": [{"clinician": name, "secret": secret_of(name)} for name in clinician_ids()],
            "patients": list(patient_ids()),
            "rate": observation.rate,
            "seed": self.lab.seed + seed,
            "closed_loop": "closed-loop-pulse" in defects,
            "retry": "client-without-retry" not in defects,
        }

    @contextmanager
    def observed(
        self, defects: frozenset[str] = frozenset(), writes: int = 0, *, rate: float = RATE, rounds: int = 0
    ) -> Iterator[Observation]:
        """Let the wards work while the body runs; steady before it begins, with at least so many writes done.

        Args:
            defects: planted in the clients, to see that they are noticed.
            writes: how many must be done before it begins.
            rate: operations a second and ward.
            rounds: how many slow pulses of one attempt a second go beside the main one, spread in phase.

        Raises:
            LabError: the service was not steady to begin with.
        """
        observation = Observation(self, self.lab.scenario, rate)
        text_fr = f"les services de soins utilisent {self.name}"
        self.lab.scenario.event("observe", f"the wards use {self.name}", text_fr)
        begun = time.monotonic()
        try:
            observation.start(defects, writes, rounds)
            self.lab.spent("observe", time.monotonic() - begun)
            self.lab.observations.append(observation)
            yield observation
        finally:
            begun = time.monotonic()
            if observation in self.lab.observations:
                self.lab.observations.remove(observation)
            observation.stop()
            self.lab.spent("finish", time.monotonic() - begun)

    def health(self, member: str) -> dict[str, Any] | None:
        """What a member says of itself, or None when it does not answer."""
        address = str(self.lab.plan.address(member, "servers").ip)
        return self.lab.from_ward(get, address, "/health")

    def answers(self) -> bool:
        """Whether somebody answers a ward at the service's address."""
        return self.lab.from_ward(get, str(self.plan.address), "/health") is not None

    def active(self) -> str:
        """The member that answers at the service's address now.

        Raises:
            LabError: none does.
        """
        member = self.served_by()
        if member is None:
            raise LabError(f"no member answers at the address of {self.name} ({self.plan.address})")
        return member

    def served_by(self) -> str | None:
        """Who answers at the service's address now: a member, or room three's node; None when nobody does."""
        said = self.lab.from_ward(get, str(self.plan.address), "/health")
        return None if said is None else str(said["member"])

    def is_whole(self) -> bool:
        """Whether every server serves (a pair: with its arbitrator in one group, in step), and the address answers."""
        size = len(self.plan.runs_on) + 1 if self.plan.arbitrator else 1
        for member in self.plan.runs_on:
            said = self.health(member)
            if not said or said.get("group_size") != size or not said.get("synced"):
                return False
            if not said.get("room_three", {"complete": True})["complete"]:
                return False
        return self.answers()

    def placement(self) -> dict[str, str]:
        """By server of the plan, the host where it runs now; those that run nowhere are left out."""
        return self.lab.cluster.placement()

    def read_back(self, tag: str) -> Readback:
        """What each copy and the trail hold of the accesses and writes of one observation.

        Raises:
            LabError: a server runs nowhere.
        """
        copies: dict[str, dict[str, dict[str, int]]] = {}
        trail: set[str] = set()
        traces: dict[str, tuple[Trace, ...]] = {}
        for member in self.plan.runs_on:
            found = self._read(self.lab.cluster.host_of(member), member, tag)
            copies[member] = {"acts": found["acts"], "prescriptions": found["prescriptions"]}
            trail |= set(found["trail"])
            traces[member] = rows_of(found["traces"])
        node = self.lab.rescue.node
        if node is not None and self.name in self.lab.rescue.services:
            # Its trail is no copy of theirs: of what was only read in rooms one and two it is told nothing.
            found = self._read(node, f"{node}-{self.name}", tag)
            copies[node] = {"acts": found["acts"], "prescriptions": found["prescriptions"]}
            trail |= set(found["trail"])
        return Readback(copies, frozenset(trail), traces)

    def missing_in_room_three(self, observation: Observation, until_ns: int) -> tuple[int, list[str]]:
        """Of the writes acknowledged until an instant (monotonic ns): how many, and which room three lacks.

        Raises:
            LabError: the plan has no room three for this service, or it does not answer.
        """
        node = self.lab.rescue.node
        if node is None or self.name not in self.lab.rescue.services:
            raise LabError(f"the plan has no room three for {self.name}")
        found = self._read(node, f"{node}-{self.name}", observation.tag)
        told = [
            str(op.key)
            for op in observation.history().operations
            if op.kind == "write" and op.outcome == OK and op.end_ns <= until_ns
        ]
        return len(told), sorted(key for key in told if key not in found["acts"] and key not in found["prescriptions"])

    def _read(self, node: str, application: str, tag: str) -> dict[str, Any]:
        config = f"/run/bascule/{application}.json"
        found: dict[str, Any] = json.loads(
            self.lab.run_in(node, "python3", "-m", "replica.emr.readback", config, "--prefix", tag)
        )
        return found

    def judge(self, observation: Observation) -> Verdict:
        """Judge what the wards saw against the plan's objective and its prediction, and write all of it down."""
        begun = time.monotonic()
        scenario = observation.scenario
        objective = self.plan.objectives[self.lab.scope]
        # Who accepts that nobody works for half an hour accepts that somebody waits for as long.
        accepted = max(self.plan.accepted_freeze, objective.interruption)
        promised = objective.model_copy(update={"freeze": objective.freeze or accepted})
        scenario.describe(self.name, _numbers(promised))
        readback = self.read_back(observation.tag)
        unprotected = self._tell_unprotected(scenario)
        recovery = scenario.recovery
        verdict = judge(
            observation.history(),
            readback,
            promised,
            scenario=scenario.id,
            service=self.name,
            evidence=tuple(scenario.evidence),
            predicted=self._predicted(observation),
            fault_window=scenario.window,
            takeover=None if recovery is None else recovery.takeover,
        )
        verdict = replace(verdict, without_redundancy=scenario.without_redundancy, unprotected=unprotected)
        verdict = accept(verdict, self.lab.deviations, datetime.now().astimezone().date()).verdict
        scenario.close(readback, verdict)
        if verdict.verdict is not Outcome.MET:
            self.lab.nodes.collect(scenario.folder / "logs")
        self.lab.spent("judge", time.monotonic() - begun)
        return verdict

    def _tell_unprotected(self, scenario: Scenario) -> timedelta | None:
        """Write down when room three lacked something since the fault; how long in all, None without a room three."""
        if self.name not in self.lab.rescue.services:
            return None
        found = self.lab.rescue.unprotected(self.name, scenario.window[0] if scenario.window else 0)
        for one in found:
            length, acts = spoken(one.length), counted(one.rows, ("write", "writes"), ("écriture", "écritures"))
            scenario.event(
                "unprotected",
                f"room three lacked {acts.en} of {self.name} for {length.en} (told by {one.member})",
                f"il a manqué {acts.fr} de {self.name} à la troisième salle pendant {length.fr} (selon {one.member})",
                one.since_ns,
            )
        return sum((one.length for one in found), timedelta())

    def _predicted(self, observation: Observation) -> str | None:
        steps = observation.scenario.steps
        if not steps or observation.scenario.moved:
            return None
        return expect(self.lab.plan, self.name, *steps, placement=observation.placement).klass


def _numbers(objective: Objective) -> dict[str, float | int | None]:
    return {
        "interruption_s": objective.interruption.total_seconds(),
        "freeze_s": None if objective.freeze is None else objective.freeze.total_seconds(),
        "loss": objective.loss,
    }


def get(address: str, path: str) -> dict[str, Any] | None:
    """GET a JSON document; None when there is no good answer within half a second."""
    link = http.client.HTTPConnection(address, timeout=0.5)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        link.close()
    if answer.status != http.client.OK:
        return None
    found: dict[str, Any] = json.loads(body)
    return found
