"""Everything that can be done to a running lab, in its most primitive form, each journalled before it is done."""

from __future__ import annotations

import json
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.copies import Copies
from lab.enclosure import Process
from lab.impairments import Impairments
from lab.journal import Harm, Journal
from lab.nodes import REPLICA, NodeError
from lab.programs import Programs
from lab.straits import Straits
from lab.volumes import Decay, Masking
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lab.enclosure import Enclosure
    from lab.fabric import Fabric
    from lab.nodes import Containers

_DEATH = 10.0  # seconds for the kernel to end what was killed


class Levers:
    """Break and mend. Every verb may be called twice; mending what is whole does nothing."""

    def __init__(self, enclosure: Enclosure, fabric: Fabric, nodes: Containers) -> None:
        self.enclosure = enclosure
        self.fabric = fabric
        self.nodes = nodes
        self.layout = fabric.layout
        self.journal = Journal.read(enclosure.state / "journal.jsonl")
        self.wires = Impairments(enclosure, fabric, nodes, self.journal)
        self.straits = Straits(nodes, self.journal)
        self.decay = Decay(nodes, self.journal, self.straits)
        self.masking = Masking(nodes, self.journal)
        self.copies = Copies(nodes, self.journal)
        self._lives: dict[str, int] = {}
        self.programs = Programs(nodes, self.journal)
        self._firmware_pids = enclosure.state / "firmware.json"
        self._firmware: dict[str, int] = {}
        if self._firmware_pids.exists():
            self._firmware = json.loads(self._firmware_pids.read_text())

    def start_firmware(self, switches: Iterable[str]) -> None:
        """Start the monitors of switches that have none."""
        for switch in switches:
            if self.firmware_runs(switch):
                continue
            self._firmware[switch] = self._run_firmware(switch, self.layout.firmware(switch)).pid
        self._firmware_pids.write_text(json.dumps(self._firmware))

    def start_ward_firmware(self, ward: str, namespace: int) -> None:
        """Start what keeps a ward on one of its two switches, if it stands on two."""
        for config in self.layout.node_firmware(ward):
            self._run_firmware(ward, config, net=namespace)

    def _run_firmware(self, name: str, config: dict[str, object], net: int | None = None) -> Process:
        path = self.enclosure.state / f"{name}.json"
        path.write_text(json.dumps(config))
        program = f"import sys; sys.path.insert(0, {str(REPLICA.parent)!r}); from replica.cabled import main; main()"
        return self.enclosure.spawn(sys.executable, "-I", "-c", program, str(path), log=f"{name}.log", net=net)

    def firmware_runs(self, switch: str) -> bool:
        """Whether the switch's monitor is alive."""
        pid = self._firmware.get(switch)
        return pid is not None and (self.enclosure.proc(pid) / "exe").exists()

    def power_off(self, nodes: Iterable[str] = (), switches: Iterable[str] = ()) -> tuple[int, int, int]:
        """Take the power from nodes and switches at one instant; returns the instants that `Fabric.strike` gives.

        Nodes are frozen first, which they do not notice; then every port goes dark; then they are killed. A process
        killed behind a live port says goodbye (its peer saw a FIN after 0.8 ms in the feasibility trial), which no dead
        room does, and forty ports take the kernel tens of milliseconds, in which nobody may work on.
        """
        off_nodes, off_switches = list(nodes), list(switches)
        self.journal.add(Harm.NODE_OFF, off_nodes)
        self.journal.add(Harm.SWITCH_OFF, off_switches)
        ports = [port.outside for node in off_nodes for port in self.layout.ports_of(node)]
        ports += [name for switch in off_switches for name in self.layout.interfaces_of(switch)]
        self.wires.calm(ports)
        built = [name for name in off_nodes if name in self.nodes.nodes]
        instants = self.fabric.strike(ports, partial(self.nodes.stop, built), partial(self.nodes.end, built))
        dying = [Process(self.enclosure, self._firmware[name]) for name in off_switches if name in self._firmware]
        for firmware in dying:
            firmware.signal(signal.SIGKILL)
        for firmware in dying:
            firmware.wait(5)  # or a power-on that follows at once takes the dying one for a running one
        return instants

    def power_on(self, nodes: Iterable[str] = (), switches: Iterable[str] = ()) -> None:
        """Give power back: switches first, so that a node finds its network when it boots."""
        off_switches = self.journal.open(Harm.SWITCH_OFF) & set(switches)
        off_nodes = self.journal.open(Harm.NODE_OFF) & set(nodes)
        self.start_firmware(off_switches)
        self.journal.strike(Harm.SWITCH_OFF, sorted(off_switches))
        self._light(name for switch in off_switches for name in self.layout.interfaces_of(switch))
        self.nodes.on(name for name in off_nodes if name in self.nodes.nodes)
        self.journal.strike(Harm.NODE_OFF, sorted(off_nodes))
        self._darken(port.outside for node in off_nodes for port in self.layout.ports_of(node))

    def reboot(self, node: str) -> None:
        """Take the power from a node and give it back as soon as nothing of it lives."""
        self._lives[node] = self.nodes.nodes[node].pid
        self.power_off([node])
        wait_until(lambda: not self.nodes.is_on(node), within=_DEATH, because=f"{node} does not die")
        self.power_on([node])

    def lives(self, node: str) -> tuple[int, int]:
        """The first process of a node before its last reboot (0: there was none), and now."""
        return self._lives.get(node, 0), self.nodes.nodes[node].pid

    def forget_lives(self, node: str) -> None:
        """Ask no more about a reboot."""
        self._lives.pop(node, None)

    def unplug(self, interfaces: Iterable[str]) -> None:
        """Pull wires out of their sockets."""
        names = list(interfaces)
        self.journal.add(Harm.UNPLUGGED, names)
        self.wires.calm(names)
        self.fabric.cut(names)

    def plug(self, interfaces: Iterable[str]) -> None:
        """Put wires back."""
        names = self.journal.open(Harm.UNPLUGGED) & set(interfaces)
        self.fabric.unseal(names)
        self.journal.strike(Harm.UNPLUGGED, sorted(names))
        self._light(names)

    def silence(self, interfaces: Iterable[str], seconds: float) -> None:
        """Drop all that arrives on wires, which stay lit; the kernel ends it after so many seconds at the latest."""
        names = list(interfaces)
        self.journal.add(Harm.SILENCED, names)
        self.fabric.kill(names, seconds)

    def unsilence(self, interfaces: Iterable[str]) -> None:
        """Let what arrives through again."""
        names = sorted(self.journal.open(Harm.SILENCED) & set(interfaces))
        self.fabric.revive(names)
        self.journal.strike(Harm.SILENCED, names)

    def hang(self, nodes: Iterable[str]) -> None:
        """Freeze nodes: their kernel still answers for them, none of their programs does."""
        names = [name for name in nodes if name in self.nodes.nodes]
        self.journal.add(Harm.FROZEN, names)
        self.nodes.stop(names)

    def wake(self, nodes: Iterable[str]) -> None:
        """Let frozen nodes run on where they stopped."""
        names = sorted(self.journal.open(Harm.FROZEN) & set(nodes))
        self.nodes.wake(names)
        self.journal.strike(Harm.FROZEN, names)

    def spoil(self, array: str, order: str) -> dict[str, Any]:
        """Tell an array to misbehave: `slow 0.05`, `read-error VOLUME OFFSET LENGTH`, `full`."""
        self.journal.add(Harm.SPOILED, [array])
        return self.nodes.ask(array, "array", order)

    def unspoil(self, arrays: Iterable[str]) -> None:
        """Tell arrays to behave again; one that lost its power meanwhile has forgotten to misbehave."""
        names = sorted(self.journal.open(Harm.SPOILED) & set(arrays))
        for name in names:
            if self.nodes.is_on(name):
                self.nodes.ask(name, "array", "mend")
        self.journal.strike(Harm.SPOILED, names)

    def throttle(self, virtualisers: Iterable[str], mib_per_second: float) -> None:
        """Let virtualisers bring copies up to date no faster than this; one without power boots with its own speed."""
        names = list(virtualisers)
        self.journal.add(Harm.THROTTLED, names)
        self._set_resync_rate(names, f"{mib_per_second:g}")

    def unthrottle(self, virtualisers: Iterable[str]) -> None:
        """Let them copy at their own speed."""
        names = sorted(self.journal.open(Harm.THROTTLED) & set(virtualisers))
        self._set_resync_rate(names, "own")
        self.journal.strike(Harm.THROTTLED, names)

    def _set_resync_rate(self, virtualisers: Iterable[str], rate: str) -> None:
        for name in virtualisers:
            if self.nodes.is_on(name):
                self.nodes.ask(name, "virtualiser", f"resync-rate {rate}")

    def crash(self, nodes: Iterable[str], program: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a program of nodes now, and again at each of its starts: a bug, which a restart does not cure.

        With SIGTERM it is a stop that somebody planned: the program says goodbye, and stays away until it is cured.
        """
        names = [f"{node}:{program}" for node in nodes]
        self.journal.add(Harm.CRASHING, names)
        for name in names:
            self._bug(name).touch()
            node, _, _ = name.partition(":")
            self.nodes.run(node, "pkill", f"-{number.name}", "-f", f"^[^ ]*python3 -m {program} ")

    def cure(self, names: Iterable[str]) -> None:
        """Take the bug out of programs; their node starts them again."""
        cured = sorted(self.journal.open(Harm.CRASHING) & set(names))
        for name in cured:
            self._bug(name).unlink(missing_ok=True)
        self.journal.strike(Harm.CRASHING, cured)

    def _bug(self, name: str) -> Path:
        node, _, program = name.partition(":")
        return self.nodes.specification(node).parent / f"bug-{program}"

    def maintain(self, hosts: Iterable[str]) -> None:
        """Have the cluster empty hosts, and give them no servers.

        Raises:
            NodeError: no agent takes the order.
        """
        for host in hosts:
            self.journal.add(Harm.MAINTENANCE, [host])
            self._order(f"maintenance {host}")

    def end_maintenance(self, hosts: Iterable[str]) -> None:
        """Give hosts back to the cluster.

        Raises:
            NodeError: no agent takes the order.
        """
        for host in sorted(self.journal.open(Harm.MAINTENANCE) & set(hosts)):
            self._order(f"service {host}")
            self.journal.strike(Harm.MAINTENANCE, [host])

    def _order(self, line: str) -> None:
        refused = NodeError("no node has an agent")
        for node in self.nodes.nodes:
            try:
                self.nodes.ask(node, "agent", line)
            except NodeError as error:
                refused = error
            else:
                return
        raise NodeError(f"no agent takes the order {line!r}: {refused}")

    def mend_all(self) -> None:
        """Put right whatever the journal says is broken, whoever broke it."""
        self.wires.mend_all(self._light)
        self.straits.feed(self.journal.open(Harm.STARVED))
        self.straits.relax(self.journal.open(Harm.SQUEEZED))
        self.wake(self.journal.open(Harm.FROZEN))
        self.programs.unstall(self.journal.open(Harm.STALLED))
        self.cure(self.journal.open(Harm.CRASHING))
        self.unsilence(self.journal.open(Harm.SILENCED))
        self.plug(self.journal.open(Harm.UNPLUGGED))
        self.power_on(self.journal.open(Harm.NODE_OFF), self.journal.open(Harm.SWITCH_OFF))
        self.unspoil(self.journal.open(Harm.SPOILED))
        self.unthrottle(self.journal.open(Harm.THROTTLED))
        self.masking.give(self.journal.open(Harm.WITHHELD))
        self.straits.empty(self.journal.open(Harm.FILLED))
        self.decay.mend(self.journal.open(Harm.ROTTEN))
        self.end_maintenance(self.journal.open(Harm.MAINTENANCE))
        self.copies.restore(self.journal.open(Harm.REPLACED))
        self.copies.let_go(self.journal.open(Harm.TAKEN_IN))

    def unflap(self, interfaces: Iterable[str]) -> None:
        """End a loose connection, and light what may be lit."""
        self.wires.still(interfaces, self._light)

    def _must_be_dark(self) -> set[str]:
        dead = self.journal.open(Harm.SWITCH_OFF)
        return {name for switch in dead for name in self.layout.interfaces_of(switch)} | self.journal.open(
            Harm.UNPLUGGED
        )

    def _light(self, interfaces: Iterable[str]) -> None:
        self.fabric.power(set(interfaces) - self._must_be_dark(), up=True)

    def _darken(self, interfaces: Iterable[str]) -> None:
        self.fabric.power(set(interfaces) & self._must_be_dark(), up=False)
