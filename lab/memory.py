"""A lab of which nothing exists: the real levers and a real journal over an enclosure, a fabric and nodes in memory.

It says what a fault would do, to the last interface, and lets tests do and undo it ten thousand times. It proves
nothing about clients: what it is told to do, it remembers.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections import defaultdict
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from lab.fabric import lay_out
from lab.levers import Levers
from lab.nodes import NodeError, Ran
from lab.nodes.specs import PLAYED, spec
from lab.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.cluster import Cluster
    from lab.enclosure import Enclosure
    from lab.fabric import Fabric
    from lab.nodes import Containers
    from lab.plan import Plan
    from lab.storage import Storage

LONGEST_HOLD = 300.0
_FILLER, _DISK = "bascule-filler", re.compile(r"/srv/([^/]+)/disk")


class MemoryEnclosure:
    """Starts nothing: whoever waits for a program to be ready finds that it is."""

    def __init__(self, folder: Path) -> None:
        self.state = folder
        self.cgroup = "/nowhere"
        self._pids = count(2)

    def spawn(self, *argv: str, log: str, net: int | None = None) -> SimpleNamespace:  # noqa: ARG002 - Enclosure's shape
        """Pretend to start a program."""
        pid = next(self._pids)
        (self.proc(pid)).mkdir(parents=True)
        (self.proc(pid) / "exe").touch()
        (self.proc(pid) / "cmdline").write_bytes(b"\0".join(word.encode() for word in argv))
        if ready := json.loads(Path(argv[-1]).read_text()).get("ready"):
            Path(ready).touch()
        return SimpleNamespace(pid=pid)

    def proc(self, pid: int) -> Path:
        """Where /proc would be."""
        return self.state / "proc" / str(pid)

    def request(self, request: dict[str, Any], within: float = 10.0) -> dict[str, Any]:  # noqa: ARG002 - as above
        """A signal is a death here."""
        if "signal" in request:
            shutil.rmtree(self.proc(int(request["signal"][0])), ignore_errors=True)
        return {"status": 0}


class MemoryFabric:
    """Remembers which interface is dark, silent, sifted or queued."""

    def __init__(self, plan: Plan) -> None:
        nodes = [node.name for node in plan.nodes.values() if node.kind in PLAYED or node.kind is NodeKind.WARD]
        self.layout = lay_out(plan, nodes)
        self.dark: set[str] = set()
        self.silent: set[str] = set()
        self.sealed: set[str] = set()
        self.sieves: dict[str, set[str]] = defaultdict(set)
        self.queues: set[str] = set()
        self.impairing = self
        self.namespace_of: Any = None

    def power(self, interfaces: Iterable[str], *, up: bool) -> None:
        """Light or darken."""
        (self.dark.difference_update if up else self.dark.update)(interfaces)

    def cut(self, interfaces: Iterable[str]) -> tuple[int, int]:
        """Seal and darken."""
        named = list(interfaces)
        self.sealed.update(named)
        self.power(named, up=False)
        return 0, 0

    def unseal(self, interfaces: Iterable[str]) -> None:
        """Unseal."""
        self.sealed.difference_update(interfaces)

    def strike(self, interfaces: Iterable[str], stop: Any, end: Any) -> tuple[int, int, int]:  # noqa: ANN401 - callables
        """Stop, darken, end."""
        stop()
        self.power(interfaces, up=False)
        end()
        return 0, 0, 0

    def kill(self, interfaces: Iterable[str], seconds: float) -> None:  # noqa: ARG002 - Fabric's shape
        """Silence."""
        self.silent.update(interfaces)

    def revive(self, interfaces: Iterable[str]) -> None:
        """Let through."""
        self.silent.difference_update(interfaces)

    def sift(self, kind: str, gates: Iterable[str], sort: tuple[str, int], seconds: float) -> None:  # noqa: ARG002
        """Put sieves."""
        self.sieves[kind].update(gates)

    def unsift(self, kind: str, gates: Iterable[str]) -> None:
        """Take them away."""
        self.sieves[kind].difference_update(gates)

    def queue(self, ends: Iterable[str], told: dict[str, Any]) -> None:  # noqa: ARG002 - Impairing's shape
        """Put queues."""
        self.queues.update(ends)

    def unqueue(self, ends: Iterable[str]) -> None:
        """Take them away."""
        self.queues.difference_update(ends)

    def has_netem(self) -> bool:
        """Nobody knows before it is tried; the machine's own answer comes when the lab is up."""
        return False


class MemoryNodes:
    """Remembers which node is off, frozen or starved; each says of itself what the plan would tell it."""

    def __init__(self, plan: Plan, fabric: MemoryFabric, folder: Path) -> None:
        self._folder = folder
        self._fabric = fabric
        self._kinds = {node.name: node.kind for node in plan.nodes.values()}
        self.enclosure = SimpleNamespace(proc=lambda _: folder)
        self.nodes: dict[str, SimpleNamespace] = {}
        self.off: set[str] = set()
        self.frozen: set[str] = set()
        self.shares: dict[str, float | None] = {}
        self.orders: dict[str, set[str]] = defaultdict(set)
        self.filled: set[str] = set()
        self.stalled: set[tuple[str, str]] = set()
        self.rotten: set[tuple[str, str]] = set()
        self.throttled: set[str] = set()
        self.withheld: set[tuple[str, str]] = set()
        self.maintained: set[str] = set()
        self.copies = {name: list(volume.homes) for name, volume in plan.volumes.items() if volume.size}
        self.alone = {name: volume.alone for name, volume in plan.volumes.items() if volume.alone}
        self.taken_in: set[str] = set()
        self.squeezed: set[str] = set()
        for node in plan.nodes.values():
            if node.kind in PLAYED:
                self.nodes[node.name] = SimpleNamespace(pid=1)
                self.specification(node.name).parent.mkdir(parents=True)
                told = spec(plan, fabric.layout, node.name, secret="", defects=(), loops=())
                self.specification(node.name).write_text(json.dumps(told))

    def specification(self, name: str) -> Path:
        """What the node would be told."""
        return self._folder / "nodes" / name / "node.json"

    def stop(self, names: Iterable[str]) -> None:
        """Freeze."""
        self.frozen.update(names)

    def wake(self, names: Iterable[str]) -> None:
        """Thaw."""
        self.frozen.difference_update(names)

    def end(self, names: Iterable[str]) -> None:
        """Kill."""
        ended = set(names)
        self.off |= ended
        self.frozen -= ended
        self.throttled -= ended
        self.squeezed -= ended
        for name in ended:
            self.shares.pop(name, None)
            self.orders.pop(name, None)
        self.stalled = {(node, pid) for node, pid in self.stalled if node not in ended}

    def on(self, names: Iterable[str]) -> None:
        """Start, on new wires, which are lit."""
        started = set(names)
        self.off -= started
        for name in started:
            self.nodes[name].pid += 1
        self._fabric.power({p.outside for name in started for p in self._fabric.layout.ports_of(name)}, up=True)

    def is_on(self, name: str) -> bool:
        """Whether it was not killed."""
        return name not in self.off

    def is_frozen(self, name: str) -> bool:
        """Whether it was frozen."""
        return name in self.frozen

    def ask(self, name: str, program: str, line: str = "status", *, within: float = 2.0) -> dict[str, Any]:  # noqa: ARG002
        """An array takes orders; a virtualiser mends what rots, and is always there.

        Raises:
            NodeError: the array has no power.
        """
        if program == "virtualiser":
            return self._virtualise(name, line.split())
        match line.split():
            case ["maintenance", host]:
                self.maintained.add(host)
            case ["service", host]:
                self.maintained.discard(host)
            case ["status"]:
                rotten = [[volume, 0] for array, volume in self.rotten if array == name]
                hosts = [v for v, array in self.alone.items() if array == name and v not in self.taken_in]
                sessions = [{"volume": volume, "epoch": None, "number": 1} for volume in hosts]
                return {"mischief": {"rotten": rotten}, "sessions": sessions}
            case ["present", *_]:
                self._insist(name)
            case ["rot" | "decay", volume, *_]:
                self._insist(name)
                self.rotten.add((name, volume))
            case _:
                self._insist(name)
                self.orders[name] = set() if line == "mend" else self.orders[name] | {line}
        return {}

    def _virtualise(self, name: str, words: list[str]) -> dict[str, Any]:
        match words:
            case ["verify", volume, repair]:
                self.rotten.discard((repair.removeprefix("repair="), volume))
                return {"differ": 1}
            case ["withhold", volume, host]:
                self.withheld.add((volume, host))
            case ["grant", volume, host]:
                self.withheld.discard((volume, host))
            case ["resync-rate", rate]:
                (self.throttled.discard if rate == "own" else self.throttled.add)(name)
            case ["replace", volume, old, new]:
                self.copies[volume] = [new if array == old else array for array in self.copies[volume]]
            case ["take-in", volume]:
                self.taken_in.add(volume)
            case ["let-go", volume]:
                self.taken_in.discard(volume)
        volumes = {volume: self._served(volume, arrays) for volume, arrays in self.copies.items()}
        return {"active": self._kinds[name] is NodeKind.VIRTUALISER, "volumes": volumes}

    def _served(self, volume: str, arrays: list[str]) -> dict[str, Any]:
        """What a virtualiser says of a volume."""
        outside = volume in self.alone and volume not in self.taken_in
        return {
            "phase": "outside" if outside else "serving",
            "alone": self.alone.get(volume, ""),
            "newest": 0,
            "resync": None,
            "copies": {array: {"in_sync": True, "retiring": False} for array in (() if outside else arrays)},
        }

    def run(self, name: str, *command: str) -> Ran:
        """A disk is filled, and emptied, a file has blocks; processes are found, stopped, and let run on.

        Raises:
            NodeError: the node has no power.
        """
        self._insist(name)
        match command:
            case ("kill", "-STOP", *pids):
                self.stalled |= {(name, pid) for pid in pids}
            case ("kill", "-CONT", *pids):
                self.stalled -= {(name, pid) for pid in pids}
            case ("ps", *_):
                return Ran(0, "")  # whoever was told to end has ended
            case ("pgrep", *_):
                return Ran(0, "1\n")
            case ("python3", "-m", "replica.hypervisor.census", _):
                return Ran(0, "[2, 3]")
        if "filefrag" in command[-1]:
            return Ran(0, "   0:        0..      23:      34816..     34839:     24:             last,eof\n")
        disk = _DISK.search(command[-1])
        if disk and _FILLER in command[-1]:
            (self.filled.add if "fallocate" in command[-1] else self.filled.discard)(disk[1])
        return Ran(0, "0")

    def _insist(self, name: str) -> None:
        if name in self.off:
            raise NodeError(f"node {name} is off")

    def _allow(self, name: str, share: float | None) -> None:
        if name in self.off:
            raise OSError(errno.ENODEV, f"node {name} is off")
        self.shares[name] = share

    def processor(self, name: str) -> SimpleNamespace:
        """What it may use."""
        return SimpleNamespace(
            allow=lambda share: self._allow(name, share),
            allowed=lambda: self.shares.get(name),
            held_back=lambda: 1,
        )

    def memory(self, name: str) -> SimpleNamespace:
        """What it may use of the machine's memory."""
        return SimpleNamespace(
            allow=lambda length: self._squeeze(name, length),
            used=lambda: 1,
            allowed=lambda: None,
            refused=lambda: 1,
            end=lambda *_: None,
        )

    def _squeeze(self, name: str, length: int | None) -> None:
        if name in self.off:
            raise OSError(errno.ENODEV, f"node {name} is off")
        (self.squeezed.discard if length is None else self.squeezed.add)(name)


class MemorySite:
    """What a fault may use of such a lab."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.longest_hold = LONGEST_HOLD
        self.fabric = MemoryFabric(plan)
        self.nodes = MemoryNodes(plan, self.fabric, folder)
        self.enclosure = MemoryEnclosure(folder)
        self.levers = Levers(
            cast("Enclosure", self.enclosure), cast("Fabric", self.fabric), cast("Containers", self.nodes)
        )
        self.levers.start_firmware(plan.switches)
        self.cluster = cast(
            "Cluster",
            SimpleNamespace(
                host_of=plan.host_of, placement=self._placement, in_maintenance=lambda: self.nodes.maintained
            ),
        )
        self.storage = cast("Storage", SimpleNamespace(verify=lambda *_: None))

    def _placement(self) -> dict[str, str]:
        homes = {name: self.plan.host_of(name) for name in self.plan.servers}
        return {name: host for name, host in homes.items() if host not in self.nodes.maintained}

    def count_from_now(self) -> None:
        """Nothing is counted."""

    def arrivals(self, interfaces: tuple[str, ...]) -> int:  # noqa: ARG002 - Site's shape
        """Nothing arrives."""
        return 0

    def state(self) -> dict[str, object]:
        """Everything that levers may change here."""
        return {
            "dark": set(self.fabric.dark),
            "silent": set(self.fabric.silent),
            "sealed": set(self.fabric.sealed),
            "sieves": {kind: set(gates) for kind, gates in self.fabric.sieves.items() if gates},
            "queues": set(self.fabric.queues),
            "off": set(self.nodes.off),
            "frozen": set(self.nodes.frozen),
            "starved": {name for name, share in self.nodes.shares.items() if share is not None},
            "orders": {name: set(orders) for name, orders in self.nodes.orders.items() if orders},
            "filled": set(self.nodes.filled),
            "stalled": set(self.nodes.stalled),
            "rotten": set(self.nodes.rotten),
            "throttled": set(self.nodes.throttled),
            "withheld": set(self.nodes.withheld),
            "maintained": set(self.nodes.maintained),
            "copies": {volume: list(arrays) for volume, arrays in self.nodes.copies.items()},
            "taken in": set(self.nodes.taken_in),
            "squeezed": set(self.nodes.squeezed),
            "firmware": {name for name in self.plan.switches if self.levers.firmware_runs(name)},
            "helpers": {path.name for path in self.enclosure.state.glob("helper-*")},
            "bugs": {str(path) for path in self.enclosure.state.glob("nodes/*/bug-*")},
            "journal": self.levers.journal.items(),
        }
