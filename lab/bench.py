"""The lab: built from a plan, steady before it is touched, whole again after, gone at the end."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from lab.bystanders import Bystanders
from lab.cluster import Cluster
from lab.enclosure import Enclosure, ensure_image
from lab.enclosure.loops import numbers
from lab.enclosure.shortage import check
from lab.errors import LabError
from lab.expectation import expect, storage
from lab.expectation.deciding import able_to_decide
from lab.expectation.reach import MANAGEMENT, Reach
from lab.fabric import Fabric, lay_out
from lab.fabric.namespaces import Resident
from lab.failover import marks
from lab.faulting import Counted, FaultNotFeltError, NotHealedError, Stepwise
from lab.levers import Levers
from lab.measure import Evidence
from lab.measure.wording import spoken
from lab.nodes import Containers, ensure_template
from lab.nodes.checking import check_nodes
from lab.nodes.specs import PLAYED, bridged, ha_settings, log_folders, spec
from lab.nodes.volumes import ensure_images
from lab.plan import NodeKind, Scope, dumps, load
from lab.recovery import site
from lab.recovery.playing import alive, give_back, recover
from lab.recovery.walking import RefusedError
from lab.rescue import Rescue
from lab.roles import find, french
from lab.service import STEADY, Service, get
from lab.storage import Storage
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from ipaddress import IPv4Interface
    from typing import ParamSpec, TypeVar

    from testinfra.host import Host

    from lab.faulting import Fault, Felt
    from lab.measure.deviations import Deviation
    from lab.nodes.checking import Check
    from lab.plan import Plan
    from lab.preflight import Row
    from lab.recovery import Recovery
    from lab.run import Scenario
    from lab.service import Observation

    When = Literal["injected", "before heal", "after heal"]
    P = ParamSpec("P")
    T = TypeVar("T")

FELT_WITHIN = 2.0
GONE_WITHIN = 10.0  # a program that crashed often is started again after 4 s
WHOLE_WITHIN = 150.0  # a room that returns: boot, resync, and the members of a pair moved home in turn
_NOTICED = 15.0  # seconds for what serves no more to say so; people take minutes
PROGRAMS_START_WITHIN = 40.0  # seconds; a database that joins its twin takes 5 to 12 (own lab, November 2026)
LONGEST_HOLD = 300.0
# A ward stands for many computers and is one: without this, from the 14,000th connection in TIME_WAIT on, each further
# one takes 2 ms of processor to find a port (measured), and the rounds, at real-time priority, starve what they watch.
_WARD = "echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse && exec sleep infinity"
_WHEN_FR = {"injected": "à l'injection", "before heal": "avant réparation", "after heal": "après réparation"}


class Lab:
    """A running replica. Make one with `Lab.up`, take up a kept one with `Lab.attach`."""

    def __init__(self, plan: Plan, enclosure: Enclosure, *, seed: int = 1) -> None:
        self.plan = plan
        self.enclosure = enclosure
        self.seed = seed
        self.longest_hold = LONGEST_HOLD
        self.expires: datetime | None = None
        self.deviations: tuple[Deviation, ...] = ()
        self.observations: list[Observation] = []
        self.phases: dict[str, float] = {}
        self.wards: dict[str, int] = {}
        self.scope = Scope.ONE_COMPONENT
        self._scenario: Scenario | None = None
        self._master: str | None = None
        self._bare: dict[str, float] = {}
        self._arrived: dict[str, int] = {}
        self._bystanders: Bystanders | None = None
        played = [node.name for node in plan.nodes.values() if node.kind in PLAYED]
        self._played = played
        ward_names = [node.name for node in plan.nodes.values() if node.kind is NodeKind.WARD]
        self.layout = lay_out(plan, [*played, *ward_names])
        self.fabric = Fabric(enclosure.network, self.layout)
        self.template = Path("/nonexistent")
        self.nodes = Containers(enclosure, self.template, self._plug)
        self.nodes.log_folders = {node: log_folders(plan, node) for node in played}
        self.levers = Levers(enclosure, self.fabric, self.nodes)
        self.cluster = Cluster(plan, self.nodes)
        self.storage = Storage(plan, self.nodes, self.cluster.placement)
        self.rescue = Rescue(plan, self.nodes)
        self._ward: Resident | None = None

    # -- life ---------------------------------------------------------------------------------------------------

    @classmethod
    def up(  # noqa: PLR0913 - all are named at the call
        cls,
        plan: Plan,
        *,
        name: str = "lab",
        keep: bool = False,
        lasts: timedelta | None = None,
        seed: int = 1,
        defects: tuple[str, ...] = (),
        deviations: tuple[Deviation, ...] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Build the replica and wait until its services are steady; gaps that somebody signed for are accepted.

        Raises:
            ShortageError: the machine has too little memory or disk.
            LabError: it could not be built; nothing of it is left.
        """
        check(Path.cwd(), begins=True)
        store = ensure_image(say)
        template = ensure_template(store, say)
        images = ensure_images(store, plan, template, say)
        begun = time.monotonic()
        enclosure = Enclosure.start(name, store=store, keep=keep, lasts=lasts)
        try:
            self = cls(plan, enclosure, seed=seed)
            self.nodes.template, self.nodes.images = template, images
            self.deviations = deviations
            self.expires = None if lasts is None else datetime.now(UTC) + lasts
            self._build(defects, say)
        except BaseException:
            enclosure.close()
            raise
        self.spent("build", time.monotonic() - begun)
        return self

    @classmethod
    def attach(cls, name: str = "lab") -> Self:
        """Take up a kept lab.

        Raises:
            LabError: none of that name is up.
        """
        enclosure = Enclosure.attach(name)
        stored = json.loads((enclosure.state / "lab.json").read_text())
        self = cls(load(enclosure.state / "plan.yaml"), enclosure, seed=stored["seed"])
        self.wards = stored["wards"]
        self.expires = datetime.fromisoformat(stored["expires"]) if stored["expires"] else None
        self.nodes.template = Path(stored["template"])
        for node in self._played:
            self.nodes.adopt(node)
        return self

    def _build(self, defects: tuple[str, ...], say: Callable[[str], None]) -> None:
        state = self.enclosure.state
        (state / "plan.yaml").write_text(dumps(self.plan), encoding="utf-8")
        say(f"wiring {len(self.layout.bridges)} switches with {len(self.layout.strands)} strands of cable")
        self.fabric.build()
        self.levers.start_firmware(self.plan.switches)
        self._open_wards()
        secret = secrets.token_hex(16)
        say(f"starting {len(self._played)} nodes")
        for node in self._played:
            told = spec(
                self.plan, self.layout, node, secret=secret, defects=defects, loops=numbers(self.enclosure.name)
            )
            self.nodes.create(node, told)
        self.nodes.on(self._played)
        self.enclosure.favour()
        stored = {
            "wards": self.wards,
            "seed": self.seed,
            "template": str(self.nodes.template),
            "pid": os.getpid(),
            "expires": None if self.expires is None else self.expires.isoformat(timespec="seconds"),
        }
        (state / "lab.json").write_text(json.dumps(stored))
        say("waiting for the services to be whole")
        self.wait_whole()

    def _open_wards(self) -> None:
        home = self.enclosure.network.stat().st_ino
        for node in self.plan.nodes.values():
            if node.kind is not NodeKind.WARD:
                continue
            pid = self.enclosure.spawn("unshare", "--net", "--", "sh", "-c", _WARD, log="wards.log").pid
            namespace = self.enclosure.proc(pid) / "ns/net"
            wait_until(partial(_moved, namespace, home), within=5, because=f"{node.name} has no network")
            self._plug(node.name, namespace)
            self.levers.start_ward_firmware(node.name, pid)
            self.wards[node.name] = pid

    def _plug(self, node: str, namespace: Path) -> None:
        addresses = {network: self._address(node, network) for network in self.plan.nodes[node].stands_on}
        self.fabric.plug(node, namespace, addresses, bridged(self.plan, node))

    def _address(self, node: str, network: str) -> IPv4Interface:
        return self.plan.address(node, network)

    def close(self) -> None:
        """Let go of a kept lab without touching it."""
        if self._ward is not None:
            self._ward.close()
            self._ward = None
        self.nodes.close()
        self.fabric.close()

    def down(self) -> None:
        """End the lab; nothing of it is left."""
        self.close()
        self.enclosure.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    # -- what scenarios use -------------------------------------------------------------------------------------

    def service(self, name: str) -> Service:
        """A service of the plan.

        Raises:
            LabError: the plan has none of that name; the sentence lists the known ones.
        """
        if name not in self.plan.services:
            raise LabError(f"no service is called {name!r}; known: {', '.join(sorted(self.plan.services))}")
        return Service(self, self.plan.services[name])

    @property
    def scenario(self) -> Scenario:
        """The scenario that is being played.

        Raises:
            LabError: none is.
        """
        if self._scenario is None:
            raise LabError("no scenario has begun: use the `lab` fixture, or lab.begin(run.begin(...))")
        return self._scenario

    def begin(self, scenario: Scenario | None) -> None:
        """Play a scenario from now on (None: no longer)."""
        self._scenario = scenario
        self.scope = Scope.ONE_COMPONENT

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """Hold a fault while the body runs: proven before, proven again, healed, proven gone, back to normal.

        Several of them, one after the other, are one scenario: elements that are upgraded in turn.

        Raises:
            FaultNotFeltError: it did not bite, or stopped biting too early.
            BlastRadiusError: a service that it should not touch stopped while it held.
            NotHealedError: the lab is not whole after it.
        """
        scenario = self.scenario
        if scenario.evidence:  # one in turn after another, each healed: what is expected is said of one at a time
            scenario.fault, scenario.fault_fr = f"{scenario.fault}, {fault}", f"{scenario.fault_fr}, {fault.french}"
        else:
            scenario.fault, scenario.fault_fr = str(fault), fault.french
        scenario.steps = fault.steps(self.plan) if isinstance(fault, Stepwise) else (fault.lost(self.plan),)
        self.scope = fault.scope(self.plan)
        scenario.scope = str(self.scope)
        check(scenario.folder, begins=False)
        self._bystanders = Bystanders(
            self.plan,
            scenario.steps,
            placement=self.cluster.placement(),
            observed=set(scenario.observed),
            answers=lambda name: self.service(name).answers(),
        )
        try:
            self._inject(fault, scenario)
            yield
            self._prove(fault, "before heal")
        finally:
            self._heal(fault, scenario)

    def _inject(self, fault: Fault, scenario: Scenario) -> None:
        self._master = self.cluster.master
        self._bare = fault.bare(self) if isinstance(fault, Counted) else {}
        begin = time.monotonic_ns()
        scenario.window = (scenario.window[0] if scenario.window else begin, begin)
        scenario.event("inject", f"{fault}", fault.french, begin)
        fault.inject(self)
        self.count_from_now()
        self._prove(fault, "injected")

    def _prove(self, fault: Fault, when: When) -> None:
        found: list[Felt] = []

        def felt() -> bool:
            found.append(fault.holds(self))
            return found[-1].holds

        try:
            wait_until(felt, within=FELT_WITHIN, because="nothing bites")
        except WaitedInVainError as error:
            self._note(fault, when, found[-1])
            raise FaultNotFeltError(f"{fault} was not felt ({when}): {found[-1].detail}") from error
        self._note(fault, when, found[-1])

    def _note(self, fault: Fault, when: When, felt: Felt) -> None:
        evidence = Evidence(str(fault), when, felt.holds, felt.detail, fault.french, felt.detail_fr)
        self.scenario.evidence.append(evidence)
        self.scenario.event("proof", f"{when}: {felt.detail}", f"{_WHEN_FR[when]} : {felt.detail_fr}")

    def _heal(self, fault: Fault, scenario: Scenario) -> None:
        assert scenario.window is not None, "a fault is healed after it was injected"  # noqa: S101 - an invariant
        begun = time.monotonic_ns()
        scenario.window = (scenario.window[0], begun)
        scenario.event("heal", "healed", "réparation", begun)
        fault.heal(self)
        with suppress(WaitedInVainError):  # what still bites is written down, and makes the verdict inconclusive
            wait_until(lambda: not fault.holds(self).holds, within=GONE_WITHIN, because="it still bites")
        self._note(fault, "after heal", fault.holds(self))
        try:
            # One that is silent for a moment may serve all the same, and would never be asked to give back.
            wait_until(self.rescue.answers, within=WHOLE_WITHIN, because="room three does not answer")
            if self.rescue.serving():
                self.give_back()
            if site.is_away(self):
                self.fail_back()
            if site.is_unprotected(self):
                self.reprotect()
            self.wait_whole()
        except WaitedInVainError as error:
            self.nodes.collect(scenario.folder / "logs")
            raise NotHealedError(f"after {fault}: {error}") from error
        if isinstance(fault, Counted) and scenario.fault == str(fault):
            self._count_bare(fault.bare(self))
        scenario.returned = time.monotonic_ns()
        scenario.event("return", "back to normal", "retour à la normale", scenario.returned)
        self.spent("return", (time.monotonic_ns() - begun) / 1e9)

    def _count_bare(self, now: dict[str, float]) -> None:
        """Write down how long copies were missing, if one node counted all the time."""
        if now and now.keys() == self._bare.keys():
            longest = max(now[key] - self._bare[key] for key in now)
            self.scenario.bare = timedelta(seconds=longest)
            spoke = spoken(self.scenario.bare)
            self.scenario.event(
                "redundancy",
                f"fewer than two copies of a volume in sync for {spoke.en}",
                f"moins de deux copies d'un volume à jour pendant {spoke.fr}",
            )

    def recover(self, runbook: str = "", *, override: str = "") -> Recovery:
        """Go to room three, or to the room of the copies, as a runbook says; human steps count as they are declared.

        Args:
            runbook: a shipped one, or a file; by default `ultime-secours`, or `pra` in a plan that replicates.
            override: who goes there although a room lives; empty: nobody.

        Raises:
            RefusedError: it was not begun; the sentence says why.
            LabError: a step failed.
        """
        scenario = self.scenario
        loss = scenario.window[0] if scenario.window else None
        begun = time.monotonic_ns()
        if self.plan.storage.replication is not None:
            scenario.recovery = self._switch(runbook or "pra", loss or begun, override)
            return scenario.recovery
        runbook = runbook or "ultime-secours"
        found = recover(self, scenario.event, scenario.folder, loss_ns=loss, runbook=runbook, override=override)
        counted = [one.missing_in_room_three(begun) for one in self.observations if one.service in self.rescue.services]
        if counted:
            missing = tuple(key for _, keys in counted for key in keys)
            found = replace(found, acknowledged=sum(count for count, _ in counted), missing=missing)
            scenario.event(
                "durability",
                f"room three lacks {len(missing)} of {found.acknowledged} writes acknowledged before",
                f"il manque à la troisième salle {len(missing)} des {found.acknowledged} écritures acquittées avant",
            )
            (scenario.folder / "recovery.json").write_text(
                json.dumps(found.stored(), ensure_ascii=False, indent=2) + "\n"
            )
        scenario.recovery = found
        return found

    def _switch(self, runbook: str, loss_ns: int, override: str) -> Recovery:
        scenario = self.scenario
        path = scenario.folder / "recovery.json"
        found = site.switch(self, scenario.event, path, loss_ns=loss_ns, runbook=runbook, override=override)
        # Of several services observed the strictest age counts.
        owed = [self.plan.services[name].objectives[self.scope].age for name in scenario.observed or self.plan.services]
        if all(age is not None for age in owed):
            found = replace(found, accepted=min(age for age in owed if age is not None) / self.plan.time_scale)
            path.write_text(json.dumps(found.stored(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return found

    def migrate(self, runbook: str = "pra-migration") -> Recovery:
        """Move everything to the other room of a plan that replicates: planned, announced, and without loss.

        Raises:
            RefusedError: it was not begun; the sentence says why.
            LabError: a step failed.
        """
        scenario = self.scenario
        scenario.moved = True
        self.scope = Scope.A_ROOM  # what is promised of it is what is promised of a room
        scenario.scope = str(self.scope)
        path = scenario.folder / "migration.json"
        return site.switch(self, scenario.event, path, loss_ns=None, runbook=runbook)

    def reprotect(self, runbook: str = "pra-reprotect") -> Recovery:
        """Copy from the room that serves now to the other one, so that a loss of this one can be met.

        Raises:
            RefusedError: the plan does not replicate.
            LabError: a step failed.
        """
        return site.reprotect(self, self.scenario.event, self.scenario.folder / "reprotect.json", runbook)

    def carry_on(self) -> None:
        """Do what people would: nothing where the services come back by themselves, else what the plan's runbook says.

        A plan that has none for this, or none that can be begun, leaves the wards without.

        Raises:
            LabError: a step of the runbook failed.
        """
        scenario = self.scenario
        if all(expect(self.plan, name, *scenario.steps).klass != "D" for name in scenario.observed):
            return
        with suppress(WaitedInVainError):  # who still lives then is named by the refusal
            replicated = self.plan.storage.replication is not None
            wait_until(lambda: not (site.living if replicated else alive)(self), within=_NOTICED, because="it lives")
        try:
            self.recover()
        except RefusedError as refused:
            scenario.event("refused", f"no recovery: {refused}", f"pas de reprise : {refused}")

    def fail_back(self, runbook: str = "pra-retour") -> Recovery:
        """Return to the room where everything belongs: the way back of a plan that replicates, in three phases.

        Raises:
            RefusedError: it was not begun; the sentence says why.
            LabError: a step failed.
        """
        scenario = self.scenario
        return site.switch(self, scenario.event, scenario.folder / "return.json", loss_ns=None, runbook=runbook)

    def give_back(self, runbook: str = "retour") -> Recovery:
        """Return from room three to rooms one and two, with all that it recorded.

        Raises:
            RefusedError: room three serves nothing.
            LabError: a step failed.
        """
        return give_back(self, self.scenario.event, self.scenario.folder, runbook=runbook)

    def rehearse(self, service: str) -> dict[str, Any]:
        """Restart a service from a copy of room three's, or of the other room's, where no wire leads.

        Production is not touched.

        Raises:
            LabError: it could not be restarted so.
        """
        replicated = self.plan.storage.replication is not None
        found = site.rehearse(self, service) if replicated else self.rescue.rehearse(service)
        took = spoken(timedelta(seconds=found["copied_s"] + found["served_s"]))
        self.scenario.event(
            "rehearsal",
            f"{service} was restarted from a copy in {took.en}, {found['patients']} patients, "
            f"interfaces: {', '.join(found['interfaces'])}",
            f"{service} redémarré en {took.fr} sur une copie, {found['patients']} patients, "
            f"interfaces : {', '.join(found['interfaces'])}",
        )
        return found

    def is_fit(self, server: str) -> bool:
        """Whether a server could serve, be it that room three does."""
        address = str(self.plan.address(server, "servers").ip)
        return self.from_ward(get, address, "/fit") is not None

    def hold(self, *, short_of: str | None = None) -> None:
        """Wait until every timer that the fault may start has run out, what is restarted runs, the wards are served.

        A service that does not come back within the clients' patience after that is left to the verdict.

        Args:
            short_of: a timer of the plan that must not run out: a fault that passes in time.
        """
        begun = time.monotonic()
        least, restarts = self._timers()
        if short_of is not None:
            least, restarts = min(least, 0.8 * self.plan.scaled(short_of).total_seconds()), False
        self.scenario.event(
            "hold", f"held for {least:.3g} s at least", f"panne maintenue {least:.3g} s au moins".replace(".", ",")
        )
        wait_until(partial(self._past, begun + least), within=least + 5, because="time stands still", every=0.1)
        if restarts:
            with suppress(WaitedInVainError):  # what cannot be restarted is left to the verdict
                wait_until(self.cluster.is_settled, within=boots(self.plan), because="servers do not run", every=0.2)
        patience = max(service.patience.total_seconds() for service in self.plan.services.values())
        try:
            wait_until(self._steady, within=patience + STEADY, because="the wards are not served")
            self.scenario.event("steady", "the wards are served", "les services sont servis")
        except WaitedInVainError:
            self.scenario.event("unsteady", "the wards are not served", "les services ne sont pas servis")
        self._mark_segments()
        self.spent("hold", time.monotonic() - begun)

    def _mark_segments(self) -> None:
        """Write down when the failover was detected, decided, fenced, booted, and when clients were served again."""
        scenario = self.scenario
        since = scenario.window[0] if scenario.window else 0
        found = list(marks(self.cluster.events(), since))
        for mark in found:
            scenario.event(mark.what, mark.text, mark.french, mark.at)
        back = max((one.recovered_at for one in self.observations), default=0)
        if found and back > since:
            scenario.event("reconnect", "the wards are served again", "les services sont servis à nouveau", back)

    def _timers(self) -> tuple[float, bool]:
        """Seconds of the slowest timer that the fault may start, and whether it restarts servers."""
        vendor = ha_settings(self.plan)
        slowest = max((timer.value.total_seconds() for timer in self.plan.failovers.values()), default=0.0)
        after = Reach(self.plan, frozenset[str]().union(*self.scenario.steps))
        if self.scenario.recovery is not None:  # nobody waits for what rooms one and two still try
            return slowest, False
        stored = storage(self.plan, *self.scenario.steps)
        hosts, started = self.cluster.hosts, []
        if self._master is not None and self._master not in able_to_decide(self.plan, after, stored):
            started.append(vendor.succession)
        if not all(after.talk(one, other, MANAGEMENT) for one, other in combinations(hosts, 2)):
            started.append(vendor.host_dead_with_storage)
        elif stored.is_partly_frozen:
            started.append(vendor.vmcp)
        if vendor.isolation_policy == "stop" and any(after.alive(host) and after.cut_off(host) for host in hosts):
            started.append(vendor.isolation_response)
        if started:
            return max(slowest, max(started) + vendor.heartbeat), True
        return slowest, any(name.partition("/")[0] in self.plan.servers for name in self.scenario.steps[-1])

    def _past(self, end: float) -> bool:
        """Whether the time has come."""
        self._go_on()
        return time.monotonic() > end

    def _steady(self) -> bool:
        self._go_on()
        return all(observation.is_steady(STEADY) for observation in self.observations)

    def _go_on(self) -> None:
        """Let nothing hold when the machine runs out of memory or disk, or a service is hit that should not be."""
        check(self.scenario.folder, begins=False)
        if self._bystanders is not None:
            self._bystanders.check()

    # -- what faults and services use ---------------------------------------------------------------------------

    def count_from_now(self) -> None:
        """Let `arrivals` count from this instant."""
        self._arrived = self.fabric.carried()

    def arrivals(self, interfaces: tuple[str, ...]) -> int:
        """Packets that came in on these wires since the fault was injected, the monitors' hellos apart."""
        now = self.fabric.carried()
        return sum(now[name] - self._arrived.get(name, 0) for name in interfaces)

    def from_ward(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a piece of work inside the network of the first ward."""
        if self._ward is None:
            self._ward = Resident(self.enclosure.proc(next(iter(self.wards.values()))) / "ns/net")
        return self._ward.do(partial(work, *args, **kwargs))

    def run_in(self, node: str, *command: str) -> str:
        """Run a command in a node; returns what it printed.

        Raises:
            LabError: it failed.
        """
        ran = self.nodes.run(node, *command)
        if ran.status:
            raise LabError(f"{' '.join(command)} failed in {node}: {ran.output.strip()[-500:]}")
        return ran.output

    def host(self, name: str) -> Host:
        """A node or a server of the plan, as pytest-testinfra sees it: `lab.host("esx-11").interface("eth0")`.

        Raises:
            LabError: nothing that runs is called so; the sentence lists what is.
        """
        from lab.nodes.inspecting import host  # noqa: PLC0415 - testinfra costs 0.1 s; few scenarios ask for it

        return host(self.nodes, name, self.cluster.placement())

    def target(self, role: str) -> str:
        """Who plays a role now, written down with the scenario: see `lab.roles` for the roles.

        Raises:
            LabError: nobody does, or there is no such role.
        """
        name = find(self, role)
        if self._scenario is not None:
            self._scenario.event("target", f"{role} is {name}", f"{french(role)} : {name}")
        return name

    def where(self, server: str) -> str | None:
        """The host on which a server is now; None when it is nowhere."""
        return self.cluster.where(server)

    def spent(self, phase: str, seconds: float) -> None:
        """Add to the time budget."""
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds

    # -- health -------------------------------------------------------------------------------------------------

    def ailments(self) -> list[str]:
        """What is not as the plan wants it, in sentences; empty when the lab is whole."""
        found = [f"{harm}: {', '.join(sorted(names))}" for harm, names in self.levers.journal.items() if names]
        found += [f"node {node} is off" for node in self._played if not self.nodes.is_on(node)]
        found += [
            f"switch {name} has no firmware" for name in self.plan.switches if not self.levers.firmware_runs(name)
        ]
        if not found:  # that room three serves is no consequence of what the storage lacks
            found = [*self.storage.ailments(), *self.rescue.ailments()]
        if not found:
            found = list(self.cluster.ailments())
        if not found:
            found = [f"service {name} is not whole" for name in self.plan.services if not self.service(name).is_whole()]
        if not found:  # last, because each asks a node: a standby without its keepalived is seen here only
            found = [str(check) for check in self.checks() if not check.holds]
        return found

    def checks(self) -> list[Check]:
        """What must be true inside the nodes, and whether it is: one question a node, all nodes side by side."""
        return check_nodes(self.nodes, self._played, self.cluster.placement())

    def preflight(self) -> tuple[Row, ...]:
        """What must be true before anything is broken, with the values read from the nodes.

        Raises:
            LabError: a node does not answer.
        """
        from lab.preflight import preflight  # noqa: PLC0415 - as in `host`

        return preflight(self)

    def wait_whole(self) -> None:
        """Wait until nothing ails the lab.

        Raises:
            WaitedInVainError: something still does; the sentence says what.
        """
        wait_until(
            lambda: not self.ailments(),
            within=WHOLE_WITHIN,
            because=lambda: "; ".join(self.ailments()),
            every=0.1,
        )

    def send(self, server: str, host: str) -> None:
        """Move a server, as an operator would, and wait until it serves there.

        Raises:
            WaitedInVainError: it does not.
        """
        self.cluster.order(f"move {server} {host}")
        wait_until(lambda: self.where(server) == host, within=WHOLE_WITHIN, because=f"{server} does not move to {host}")
        self.wait_whole()

    def go_home(self) -> None:
        """Move lone servers that HA left elsewhere to where the plan starts them: announced stops, nobody is observed.

        Raises:
            WaitedInVainError: one does not come back.
        """
        away = self.cluster.strangers()
        for server, home in away.items():
            self.cluster.order(f"move {server} {home}")
        if away:
            wait_until(lambda: not self.cluster.strangers(), within=WHOLE_WITHIN, because=f"{away} do not move")
            self.wait_whole()

    def status(self) -> dict[str, Any]:
        """What a person who looks at the lab wants to know."""
        return {
            "plan": self.plan.name,
            "state": str(self.enclosure.state),
            "expires": self.expires,
            "nodes": {node: self.nodes.is_on(node) for node in self._played},
            "switches": {name: self.levers.firmware_runs(name) for name in self.plan.switches},
            "services": {name: self.service(name).is_whole() for name in self.plan.services},
            "broken": {str(harm): sorted(names) for harm, names in self.levers.journal.items() if names},
        }


def boots(plan: Plan) -> float:
    """Seconds within which a server that is restarted runs: its boot, and what its programs take."""
    longest = max((server.boot.total_seconds() for server in plan.servers.values()), default=0.0)
    return longest / plan.time_scale + PROGRAMS_START_WITHIN


def _moved(namespace: Path, home: int) -> bool:
    return namespace.stat().st_ino != home
