"""The recovery plan of before: from one room to the other, by people, from the last complete copy; and the way back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lab.measure.wording import Words, spoken
from lab.nodes import NodeError
from lab.nodes.specs import NBD
from lab.plan import NodeKind
from lab.plan.errors import unknown
from lab.recovery.playing import SERVES_WITHIN, alive, walked
from lab.recovery.reading import load
from lab.recovery.walking import Recovery, RefusedError, declared
from lab.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from lab.bench import Lab
    from lab.recovery.model import Runbook, Step
    from lab.recovery.playing import Event
    from lab.recovery.walking import Human

OBEYED_WITHIN = 60.0  # seconds for a master of the cluster to be elected in the room that is left, and to obey
COPIED_WITHIN = 120.0  # seconds for a copy of everything: 0.2 GiB take 1 to 3 (own lab)
READY_WITHIN = 150.0  # seconds for a room that comes back to boot
POWER_ON, REPROTECT = "power-on", "reprotect"


class Sites:
    """The two rooms of a plan that replicates, as the machine's steps of a runbook use them.

    Args:
        lab: where.
        room: where the servers are to start.
        planned: whether the other room lives, and its servers are waited for.
    """

    def __init__(self, lab: Lab, room: str, *, planned: bool) -> None:
        self._lab = lab
        self._planned = planned
        self.room = room
        plan = lab.plan
        self._arrays = {plan.nodes[name].place: name for name in lab.storage.arrays}
        self._controllers = {node.place: node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER}

    def stop_servers(self, _step: Step) -> None:
        """No server starts before somebody says so; in a planned change none runs either. A lost room stops nothing."""
        lab = self._lab
        for server in lab.plan.servers:
            lab.cluster.order(f"stop {server}")

        def left() -> list[str]:
            running = set(lab.cluster.placement()) if self._planned else set[str]()
            return [name for name in lab.plan.servers if name in running or name not in lab.cluster.stopped()]

        wait_until(lambda: not left(), within=OBEYED_WITHIN, because=lambda: f"not stopped: {', '.join(left())}")

    def last_copy(self, _step: Step) -> None:
        """What is written now is copied, too: for a planned change, which loses nothing."""
        begun, target = time.monotonic_ns(), self._arrays[self.room]
        source = next(array for place, array in self._arrays.items() if place != self.room)
        self._lab.storage.replicate(source, "now")
        wait_until(
            lambda: self._lab.storage.copied_ns(target) > begun,
            within=COPIED_WITHIN,
            because=f"the last copy does not arrive on {target}",
        )

    def stop_replication(self, _step: Step) -> None:
        """The copy is nobody's copy any more: nothing that still comes is taken."""
        self._lab.storage.replicate(self._arrays[self.room], "stop")

    def promote(self, _step: Step) -> None:
        """The controller of this room serves the volumes, from its own array, once it has booted."""
        lab, controller = self._lab, self._controllers[self.room]
        wait_until(
            lambda: lab.storage.answers(controller), within=READY_WITHIN, because=f"{controller} does not answer"
        )
        lab.nodes.ask(controller, "virtualiser", "take-charge", within=10)
        wait_until(
            lambda: lab.storage.serves(controller),
            within=SERVES_WITHIN,
            because=f"{controller} does not serve the volumes",
        )

    def power_on(self, step: Step) -> None:
        """The servers of a service start in this room, and it is served."""
        lab, service = self._lab, str(step.service)
        for server in lab.plan.services[service].runs_on:
            lab.cluster.order(f"start {server} {self.room}")
        longest = max(lab.plan.servers[name].boot for name in lab.plan.services[service].runs_on)
        wait_until(
            lambda: self._runs(service) and lab.service(service).answers(),
            within=longest.total_seconds() / lab.plan.time_scale + SERVES_WITHIN + OBEYED_WITHIN,
            because=f"{service} is not served in {self.room}",
        )

    def _runs(self, service: str) -> bool:
        """Whether every server of a service is well in this room: what still runs in the other one does not count."""
        plan = self._lab.plan
        well = {
            one.server for one in self._lab.cluster.running() if one.healthy and plan.nodes[one.host].place == self.room
        }
        return well.issuperset(plan.services[service].runs_on)

    def reprotect(self, _step: Step) -> None:
        """The room that serves copies to the other one: at first everything, whatever is newer there is given up."""
        lab = self._lab
        wait_until(self._both_answer, within=READY_WITHIN, because="the array of the other room does not answer")
        serving = lab.plan.nodes[str(lab.storage.active)].place
        source = self._arrays[serving]
        target = next(array for place, array in self._arrays.items() if place != serving)
        lab.storage.replicate(target, "target")
        lab.storage.replicate(source, "source")
        wait_until(
            lambda: lab.storage.copied_ns(target) > 0,
            within=COPIED_WITHIN,
            because=lambda: f"no copy of {source} arrives on {target}: {lab.storage.copying(source)}",
        )

    def _both_answer(self) -> bool:
        storage = self._lab.storage
        return storage.active is not None and all(map(storage.copying, self._arrays.values()))


def switch(  # noqa: PLR0913 - all are named at the call
    lab: Lab,
    event: Event,
    path: Path,
    *,
    loss_ns: int | None,
    runbook: str,
    override: str = "",
    human: Human = declared,
) -> Recovery:
    """Start the servers in the room where they are not, as a runbook says; or reverse the copying, if it starts none.

    Args:
        lab: where.
        event: is told what happens: kind, words, French words.
        path: the file that keeps it.
        loss_ns: when the room was lost (monotonic); None: nothing was, it is a planned change.
        runbook: a shipped one, or a file.
        override: who goes there although the room lives; empty: nobody.
        human: waits for a person, or does not.

    Raises:
        RefusedError: it was not begun; the sentence says why.
        PlanError: the runbook cannot be used.
        LabError: a step failed: what was done before stays done, and the rest is for humans.
    """
    plan = load(runbook)
    if plan.verbs == {REPROTECT}:
        return reprotect(lab, event, path, runbook, human)
    _refuse(lab, plan)
    if loss_ns is None and REPROTECT not in plan.verbs:
        _insist_on_copies(lab)
    elif loss_ns is None and not is_away(lab):  # a runbook that reverses the copying first is a way back
        raise RefusedError(f"{lab.plan.preferred_room} serves, or no room does: there is nothing to give back")
    lives = living(lab) if loss_ns is not None else ""
    if lives and not override:
        raise RefusedError(f"{lives}; --override goes to the other room all the same, and is recorded")
    if lives:
        event("override", f"{override} overrides: {lives}", f"{override} passe outre : {lives}")
    sites = Sites(lab, _goal(lab), planned=loss_ns is None)
    begin = Recovery(plan, time.monotonic_ns() if loss_ns is None else loss_ns, overridden=override if lives else "")
    begin = replace(begin, where=Words(sites.room, sites.room))
    if loss_ns is not None:
        begin = replace(begin, copy_ns=_copied(lab, event, loss_ns, sites.room))
    event("runbook", f"{plan.name}: {plan.title}", f"{plan.name} : {plan.title_fr}")
    acts = {
        "stop-servers": sites.stop_servers,
        "last-copy": sites.last_copy,
        "stop-replication": sites.stop_replication,
        "promote": sites.promote,
        POWER_ON: sites.power_on,
        REPROTECT: sites.reprotect,
    }
    return walked(begin, acts, human, event, path)


def living(lab: Lab) -> str:
    """Which room lives, and by what one sees it; empty when none does, or its volumes are not served."""
    active = lab.storage.active
    return alive(lab) if active is not None and lab.storage.serves(active) else ""


def reprotect(lab: Lab, event: Event, path: Path, runbook: str, human: Human = declared) -> Recovery:
    """Copy from the room that serves to the other one, as a runbook says.

    Raises:
        RefusedError: the plan does not replicate.
        LabError: a step failed.
    """
    plan = load(runbook)
    if lab.plan.storage.replication is None:
        raise RefusedError(
            f"the plan {lab.plan.name} does not replicate from one room to the other: nothing to reverse"
        )
    event("runbook", f"{plan.name}: {plan.title}", f"{plan.name} : {plan.title_fr}")
    sites = Sites(lab, _goal(lab), planned=True)
    begin = Recovery(plan, time.monotonic_ns())
    return walked(begin, {REPROTECT: sites.reprotect}, human, event, path)


def is_unprotected(lab: Lab) -> bool:
    """Whether a plan that replicates is served where it belongs, and not copied from there any more."""
    if lab.plan.storage.replication is None or is_away(lab):
        return False
    told = (lab.storage.copying(array) for array in lab.storage.arrays)
    return any(said is not None and said["role"] == "stopped" for said in told)


def is_away(lab: Lab) -> bool:
    """Whether the servers of a plan that replicates are not served from the room where they belong."""
    if lab.plan.storage.replication is None:
        return False
    active = lab.storage.active
    return active is not None and lab.plan.nodes[active].place != lab.plan.preferred_room


def _refuse(lab: Lab, plan: Runbook) -> None:
    if lab.plan.storage.replication is None:
        raise RefusedError(f"the plan {lab.plan.name} does not replicate from one room to the other: nothing to go to")
    services = list(lab.plan.services)
    for step in plan.steps:
        if step.service is not None and step.service not in services:
            raise RefusedError(f"step {step.name} of {plan.name}: {unknown('service', step.service, services)}")
    if forgotten := plan.forgets(services, POWER_ON):
        raise RefusedError(f"the runbook {plan.name} forgets {', '.join(forgotten)}: no step starts it")


def _insist_on_copies(lab: Lab) -> None:
    """Nothing is stopped for a move whose last copy could not be made."""
    active = lab.storage.active
    if active is None:
        raise RefusedError("no room serves: there is nothing to move")
    room = lab.plan.nodes[active].place
    source = next(array for array in lab.storage.arrays if lab.plan.nodes[array].place == room)
    if (lab.storage.copying(source) or {}).get("role") != "source":
        raise RefusedError(
            f"{room} serves, and is not copied to the other room: recover --runbook pra-reprotect copies it, "
            "give-back returns"
        )


def _goal(lab: Lab) -> str:
    """The room that does not serve; where none does, that whose array took the copies."""
    active = lab.storage.active
    for array in lab.storage.arrays:
        place, said = lab.plan.nodes[array].place, lab.storage.copying(array)
        if place != lab.plan.nodes[active].place if active else said is not None and said["role"] != "source":
            return place
    raise RefusedError("no array that answers holds a copy: there is nothing to start from")


def _copied(lab: Lab, event: Event, loss_ns: int, room: str) -> int:
    """When the last complete copy was taken; say by how much it is older than the loss."""
    array = next(name for name in lab.storage.arrays if lab.plan.nodes[name].place == room)
    at = lab.storage.copied_ns(array)
    if not at:
        raise RefusedError(f"{array} has never received a complete copy: there is nothing to start from")
    older = spoken(timedelta(microseconds=max(0, loss_ns - at) / 1000))
    event(
        "age",
        f"the last complete copy on {array} is {older.en} older than the loss",
        f"la dernière copie complète sur {array} date de {older.fr} avant la perte",
    )
    return at


def rehearse(lab: Lab, service: str) -> dict[str, Any]:
    """Restart a service from the copy, where no wire leads: what SRM calls a test of the plan.

    Returns:
        What `replica.lone.bubble` prints.

    Raises:
        RefusedError: the plan does not replicate.
        LabError: it could not be restarted so.
    """
    if lab.plan.storage.replication is None:
        raise RefusedError(f"the plan {lab.plan.name} does not replicate from one room to the other: nothing to test")
    room = _goal(lab)
    array = next(name for name in lab.storage.arrays if lab.plan.nodes[name].place == room)
    host = next(name for name in lab.cluster.hosts if lab.plan.nodes[name].place == room)
    programs = json.loads(lab.nodes.specification(host).read_text(encoding="utf-8"))["programs"]
    hypervisor = next(item["config"] for item in programs if item["program"] == "replica.hypervisor")
    lab.storage.replicate(array, "snapshot")
    try:
        found: dict[str, Any] = {}
        for server in lab.plan.services[service].runs_on:
            volume = lab.plan.volumes[server]
            told = {
                "config": hypervisor["servers"][server]["config"],
                "export": f"nbd://{lab.plan.address(array, 'storage').ip}:{NBD}/{server}.test",
                "size": volume.size,
                "whole": volume.footprint,
                "loops": hypervisor["loops"],
            }
            ran = lab.nodes.execute(host, "python3", "-m", "replica.lone.bubble", json.dumps(told))
            if ran.status:
                words = ran.stderr.decode(errors="replace").strip().splitlines()[-1:]
                raise NodeError(f"{server} does not restart from the copy on {array}: {''.join(words)}")
            found = json.loads(ran.stdout)
    finally:
        lab.storage.replicate(array, "release")
    return found
