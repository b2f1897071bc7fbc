"""The runbooks in a running lab: refuse what must be refused, then walk, and write everything down."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from lab.measure.wording import spoken
from lab.plan.errors import unknown
from lab.recovery.reading import load
from lab.recovery.walking import Recovery, RefusedError, declared, walk
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lab.bench import Lab
    from lab.recovery.model import Step
    from lab.recovery.walking import Act, Human

    Event = Callable[[str, str, str], None]

SERVES_WITHIN = 30.0  # seconds for a database that recovers, and an application that starts
READY_WITHIN = 150.0  # seconds for rooms that come back: boot, resync, the pair together
FETCHED_WITHIN = 120.0  # seconds for what room three recorded to arrive in rooms one and two
NEARLY = 50  # rows that may be left when room three closes: a moment's work
IN_STEP = timedelta(seconds=2)  # two signs of life and a look at the table: below, room three is not called older


def recover(  # noqa: PLR0913 - all are named at the call
    lab: Lab, event: Event, folder: Path, *, loss_ns: int | None, runbook: str, override: str, human: Human = declared
) -> Recovery:
    """Bring the principal services back in room three.

    Args:
        lab: where.
        event: is told what happens: kind, words, French words.
        folder: where `recovery.json` goes.
        loss_ns: when the rooms were lost (monotonic); None where nobody knows: their last sign of life counts.
        runbook: a shipped one, or a file.
        override: who goes to room three although a room lives; empty: nobody.
        human: waits for a person, or does not.

    Raises:
        RefusedError: it was not begun; the sentence says why.
        PlanError: the runbook cannot be used.
        LabError: a step failed.
    """
    plan = load(runbook)
    services = lab.rescue.services
    if not services:
        raise RefusedError(
            f"the plan {lab.plan.name} has no rescue node with a principal service: there is no room three"
        )
    for step in plan.steps:
        if step.service is not None and step.service not in services:
            raise RefusedError(
                f"step {step.name} of {plan.name}: {unknown('principal service', step.service, services)}"
            )
    if forgotten := plan.forgets(services):
        raise RefusedError(f"the runbook {plan.name} forgets {', '.join(forgotten)}: no step serves it in room three")
    lives = alive(lab)
    if lives and not override:
        raise RefusedError(f"{lives}; --override goes to room three all the same, and is recorded")
    if lives:
        event("override", f"{override} overrides: {lives}", f"{override} passe outre : {lives}")
    loss, older = _older(lab, loss_ns)
    told = spoken(older)
    event(
        "age",
        f"room three may be {told.en} older than production" if older else "room three has all that was acknowledged",
        f"la troisième salle peut être en retard de {told.fr}"
        if older
        else "la troisième salle a tout ce qui a été acquitté",
    )
    event("runbook", f"{plan.name}: {plan.title}", f"{plan.name} : {plan.title_fr}")
    begin = Recovery(plan, loss, overridden=override if lives else "", older=older)
    acts = {"answers": partial(_answers, lab), "serve": partial(_serve, lab)}
    return walked(begin, acts, human, event, folder / "recovery.json")


def give_back(lab: Lab, event: Event, folder: Path, *, runbook: str, human: Human = declared) -> Recovery:
    """Let rooms one and two serve again, with all that room three recorded.

    Raises:
        RefusedError: room three serves nothing.
        LabError: a step failed: what room three still serves, it goes on serving.
    """
    plan = load(runbook)
    serving = lab.rescue.serving()
    if not serving:
        raise RefusedError("room three serves nothing: there is nothing to give back")
    if forgotten := plan.forgets(serving, "give-back"):
        raise RefusedError(f"the runbook {plan.name} forgets {', '.join(forgotten)}: no step gives it back")
    event("runbook", f"{plan.name}: {plan.title}", f"{plan.name} : {plan.title_fr}")
    begin = Recovery(plan, time.monotonic_ns())
    acts = {"rooms-ready": partial(_rooms_ready, lab), "give-back": partial(_give_back, lab)}
    return walked(begin, acts, human, event, folder / "return.json")


def walked(begin: Recovery, acts: Mapping[str, Act], human: Human, event: Event, path: Path) -> Recovery:
    """Walk through a runbook and keep what it took.

    Raises:
        LabError: a step failed.
    """
    found = walk(begin, acts, human, time.monotonic_ns, lambda what, en, fr, _: event(what, en, fr))
    path.write_text(json.dumps(found.stored(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return found


def alive(lab: Lab) -> str:
    """Which room lives, and by what one sees it; empty when none does, or no virtualiser serves its volumes."""
    if any(volume.copies for volume in lab.plan.volumes.values()) and lab.storage.active is None:
        return ""
    for one in lab.cluster.running():
        if one.healthy:
            return f"{lab.plan.nodes[one.host].place} lives: {one.server} runs on {one.host} and could serve"
    return ""


def _older(lab: Lab, loss_ns: int | None) -> tuple[int, timedelta]:
    """When the rooms were lost, and by how much room three may be older than they were."""
    complete, heard = [], []
    for service in lab.rescue.services:
        said = lab.rescue.status(service)
        if said is None:
            raise RefusedError(f"room three does not answer for {service}: nothing can be started there")
        complete.append(lab.rescue.complete_ns(service) or 0)
        heard.append(lab.rescue.heard_ns(service) or 0)
    loss = max(heard) if loss_ns is None else loss_ns
    older = timedelta(microseconds=max(0, loss - min(complete)) / 1000)
    return loss, older if older > IN_STEP else timedelta()


def _answers(lab: Lab, _step: Step) -> None:
    wait_until(
        lambda: all(lab.rescue.status(service) for service in lab.rescue.services),
        within=SERVES_WITHIN,
        because="room three's database does not answer",
    )


def _serve(lab: Lab, step: Step) -> None:
    service = str(step.service)
    lab.rescue.order(f"take {service}")
    wait_until(
        lambda: lab.service(service).served_by() == lab.rescue.node,
        within=SERVES_WITHIN,
        because=f"{service} is not served in room three",
    )
    host = lab.host(str(lab.rescue.node))
    for program in step.runs:
        if not host.process.filter(comm=program):
            raise RefusedError(f"step {step.name}: {program} does not run in room three")
    for socket in step.listens:
        if not host.socket(socket).is_listening:
            raise RefusedError(f"step {step.name}: nothing listens on {socket} in room three")


def _rooms_ready(lab: Lab, _step: Step) -> None:
    members = [member for service in lab.rescue.serving() for member in lab.plan.services[service].runs_on]
    wait_until(
        lambda: all(lab.is_fit(member) for member in members),
        within=READY_WITHIN,
        because=lambda: f"not ready: {', '.join(member for member in members if not lab.is_fit(member))}",
        every=0.2,
    )


def _give_back(lab: Lab, step: Step) -> None:
    """Room three serves until nearly all is fetched, closes, and gives the charge back when all is."""
    service = str(step.service)
    if service not in lab.rescue.serving():
        return
    _fetched(lab, service, NEARLY)
    lab.rescue.order(f"close {service}")
    _fetched(lab, service, 0)
    lab.rescue.order(f"give-back {service}")
    wait_until(
        lambda: lab.service(service).served_by() in lab.plan.services[service].runs_on,
        within=SERVES_WITHIN,
        because=f"{service} is not served in rooms one and two",
    )


def _fetched(lab: Lab, service: str, left: int) -> None:
    def owed() -> int:
        return int((lab.rescue.status(service) or {}).get("owed", 1 << 30))

    wait_until(lambda: owed() <= left, within=FETCHED_WITHIN, because=lambda: f"{owed()} rows of {service} are left")
