"""A server or one of its programs, or a host's agent or guard, that crashes or hangs while its host lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from faults.targets import known
from lab.faulting import Felt
from lab.plan import NodeKind, Scope
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.faulting import Site
    from lab.plan import Plan

WHOLE = "server"
ENDED_WITHIN = 30.0  # seconds; a database flushes what it holds before it goes
_OF_SERVER = {WHOLE: "", "application": "replica.emr.serve /run/bascule/{}.json", "database": "mariadbd .*/srv/{}/"}
_OF_HOST = {"agent": "python3 -m replica.agent ", "guard": "python3 -m replica.hypervisor "}
_FRENCH = {
    WHOLE: "serveur",
    "application": "application",
    "database": "base de données",
    "agent": "agent HA",
    "guard": "gardien",
}


@dataclass(frozen=True)
class _Programs:
    """What of whom.

    Args:
        target: a server, or a host.
        program: of a server `server` (all of it), `application` or `database`; of a host `agent` or `guard`.
    """

    target: str
    program: str = WHOLE

    def check(self, plan: Plan) -> None:
        """Raise PlanError for a target or a program that is not known."""
        hosts = [node.name for node in plan.nodes.values() if node.kind is NodeKind.HOST]
        known(self.target, [*plan.servers, *hosts], "server or host")
        known(self.program, _OF_SERVER if self.target in plan.servers else _OF_HOST, f"program of {self.target}")

    @property
    def french(self) -> str:
        """Of whom what."""
        name = _FRENCH[self.program]
        return f"{name} {self.target}" if self.program == WHOLE else f"{name} de {self.target}"

    def find(self, lab: Site) -> tuple[str, list[int]]:
        """The host, and the processes there.

        Raises:
            LabError: the server runs nowhere.
        """
        self.check(lab.plan)
        if self.target not in lab.plan.servers:
            return self.target, lab.levers.programs.processes(self.target, _OF_HOST[self.program])
        host = lab.cluster.host_of(self.target)
        if self.program == WHOLE:
            return host, lab.levers.programs.processes_of_server(host, self.target)
        return host, lab.levers.programs.processes(host, _OF_SERVER[self.program].format(self.target))


def _lost(plan: Plan, target: str, program: str) -> frozenset[str]:
    _Programs(target, program).check(plan)
    return frozenset([target] if target in plan.servers else [])


@dataclass(frozen=True)
class _Ended:
    """Processes that end, and that whoever minds them starts again."""

    target: str
    program: str = WHOLE

    def lost(self, plan: Plan) -> frozenset[str]:
        """The server, whichever of its programs; nothing for an agent or a guard: servers do not need them."""
        return _lost(plan, self.target, self.program)

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    def holds(self, lab: Site) -> Felt:
        """None of those processes lives any more, whatever has been started since."""
        struck, alive = lab.levers.programs.alive(str(self))
        return Felt(
            struck > 0 and not alive,
            f"{struck} processes told to end, {len(alive)} of them alive",
            f"processus arrêtés : {struck}, dont encore en vie : {len(alive)}",
        )

    def heal(self, lab: Site) -> None:
        """Nothing is left to mend: the cluster and the server itself start what ended."""
        lab.levers.programs.forget(str(self))


@dataclass(frozen=True)
class Crash(_Ended):
    """Processes end at once, by SIGKILL: a guest's blue screen, a program's bug. Who minds them starts them again."""

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Arrêt brutal : {_Programs(self.target, self.program).french}"

    def inject(self, lab: Site) -> None:
        """SIGKILL."""
        lab.levers.programs.kill(str(self), *_Programs(self.target, self.program).find(lab))


@dataclass(frozen=True)
class Restart(_Ended):
    """Processes are asked to end, and who minds them starts them again: how a new version takes the old one's place."""

    deadline: ClassVar[timedelta] = timedelta(seconds=ENDED_WITHIN)

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Redémarrage programmé : {_Programs(self.target, self.program).french}"

    def inject(self, lab: Site) -> None:
        """SIGTERM, and wait until all of them have ended."""
        lab.levers.programs.end(str(self), *_Programs(self.target, self.program).find(lab))
        wait_until(lambda: self.holds(lab).holds, within=ENDED_WITHIN, because=lambda: self.holds(lab).detail)


@dataclass(frozen=True)
class Stall:
    """Processes stand still, by SIGSTOP: they hold what they have, answer nothing, and may wake up late."""

    target: str
    program: str = WHOLE

    def lost(self, plan: Plan) -> frozenset[str]:
        """The server; a host whose agent hangs, since its guard gives up its servers; nothing for a guard."""
        if self.program == "agent":
            _Programs(self.target, self.program).check(plan)
            return frozenset([self.target])
        return _lost(plan, self.target, self.program)

    def scope(self, plan: Plan) -> Scope:
        """One component."""
        self.lost(plan)
        return Scope.ONE_COMPONENT

    @property
    def french(self) -> str:
        """What the report calls it."""
        return f"Blocage : {_Programs(self.target, self.program).french}"

    def inject(self, lab: Site) -> None:
        """SIGSTOP."""
        lab.levers.programs.stall(str(self), *_Programs(self.target, self.program).find(lab))

    def holds(self, lab: Site) -> Felt:
        """None of those processes runs: they stand still, or somebody has ended them since."""
        struck, running = lab.levers.programs.running(str(self))
        return Felt(
            struck > 0 and not running,
            f"{struck} processes stopped, {len(running)} of them running",
            f"processus figés : {struck}, dont en marche : {len(running)}",
        )

    def heal(self, lab: Site) -> None:
        """SIGCONT to those that are still there."""
        lab.levers.programs.resume(str(self))
