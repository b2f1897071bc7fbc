"""Nodes as containers of the enclosure's private engine."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import private
from lab.enclosure import TAG
from lab.enclosure.enclosure import ENGINE_TIMEOUT
from lab.enclosure.loops import rules
from lab.nodes.asking import NodeError, ask
from lab.nodes.cgroup import ControlGroup, Memory, Processor
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from docker.models.containers import Container

    from lab.enclosure import Enclosure

REPLICA = Path(__file__).parents[1] / "replica"
# Named one by one, never --privileged, which needs CAP_SYS_RESOURCE, withheld on some machines.
# NET_ADMIN, NET_RAW: bridges, addresses, keepalived. SYS_ADMIN: a network namespace for each server, and its disk.
# SYS_NICE, IPC_LOCK: what the databases ask for.
CAPABILITIES = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_NICE", "IPC_LOCK"]


@dataclass(frozen=True)
class Ran:
    """What a command in a node gave."""

    status: int
    output: str


@dataclass(frozen=True)
class Executed:
    """The same, its two streams apart and as they are."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass
class ContainerNode:
    """One node: its container while it is on."""

    name: str
    container: Container
    pid: int = 0
    group: ControlGroup | None = None


@dataclass
class Containers:
    """The nodes of a lab. Powering off is silent for peers only if the ports went down first: the bench sees to it."""

    enclosure: Enclosure
    template: Path
    plug: Callable[[str, Path], None]
    nodes: dict[str, ContainerNode] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    log_folders: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def create(self, name: str, spec: dict[str, Any]) -> None:
        """Make a node's container, with its specification; it is off."""
        folder = self.specification(name).parent
        folder.mkdir(parents=True, exist_ok=True)
        private.write(self.specification(name), json.dumps(spec, indent=1))  # the lab's secrets are in it
        mounts = {
            str(REPLICA): {"bind": "/opt/bascule/replica", "mode": "ro"},
            str(folder): {"bind": "/etc/bascule", "mode": "ro"},
            str(self.template): {"bind": "/opt/template", "mode": "ro"},
            **{str(path): {"bind": f"/opt/images/{image}", "mode": "ro"} for image, path in self.images.items()},
        }
        container = self.enclosure.engine.containers.create(
            TAG,
            ["tini", "-g", "--", "python3", "-m", "replica.node", "/etc/bascule/node.json"],
            name=name,
            hostname=name,
            network_mode="none",
            cap_add=CAPABILITIES,
            device_cgroup_rules=rules(self.enclosure.name),
            security_opt=["apparmor=unconfined", "seccomp=unconfined"],
            environment={"PYTHONPATH": "/opt/bascule", "PYTHONDONTWRITEBYTECODE": "1"},
            tmpfs={"/run": "", "/tmp": ""},  # noqa: S108 - the node's own
            volumes=mounts,
            restart_policy={"Name": "no"},  # type: ignore[arg-type]  # the engine must never restart what we killed
        )
        self.nodes[name] = ContainerNode(name, container)

    def specification(self, name: str) -> Path:
        """The file that tells a node what it is."""
        return self.enclosure.state / "nodes" / name / "node.json"

    def adopt(self, name: str) -> None:
        """Take over a node that another harness process made."""
        node = ContainerNode(name, self.enclosure.engine.containers.get(name))
        self.nodes[name] = node
        if node.container.status == "running":
            self._meet(node)

    def on(self, names: Iterable[str]) -> None:
        """Power nodes on, side by side, and plug them in.

        Raises:
            NodeError: one did not start.
        """
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._on, [self.nodes[name] for name in names]))

    def _on(self, node: ContainerNode) -> None:
        from docker.errors import APIError  # noqa: PLC0415 - loaded already, by the engine's client
        from requests.exceptions import Timeout  # noqa: PLC0415 - the same

        try:
            wait_until(lambda: not self.is_on(node.name), within=30, because="its last life does not end")
            node.container.start()
        except (APIError, WaitedInVainError) as error:
            raise NodeError(f"node {node.name} did not start: {error}") from error
        except Timeout as error:
            told = f"node {node.name} did not start within {ENGINE_TIMEOUT} s; what waits: {self.enclosure.waits()}"
            raise NodeError(told) from error
        self._meet(node)
        self.plug(node.name, self.enclosure.proc(node.pid) / "ns/net")

    def _meet(self, node: ContainerNode) -> None:
        node.container.reload()
        node.pid = int(node.container.attrs["State"]["Pid"])
        if not node.pid:
            raise NodeError(f"node {node.name} ended as it started: {self.log(node.name)}")
        if node.group is not None:
            node.group.close()
        node.group = ControlGroup(f"{self.enclosure.cgroup.strip('/')}/{node.container.id}")

    def stop(self, names: Iterable[str]) -> None:
        """Freeze nodes: when this returns none of them runs, and none has said a word about it."""
        for group in self._groups(names):
            group.freeze()

    def wake(self, names: Iterable[str]) -> None:
        """Let what was stopped run on, as if nothing had been."""
        for group in self._groups(names):
            group.thaw()

    def is_frozen(self, name: str) -> bool:
        """Whether the node was stopped and neither woken nor ended."""
        group = self.nodes[name].group
        return group is not None and group.is_frozen()

    def ask(self, name: str, program: str, line: str = "status", *, within: float = 2.0) -> dict[str, Any]:
        """Ask one of the node's programs on its socket in /run/bascule; returns its answer.

        Not by the engine: a command run in a node costs 50 ms, this less than one.

        Raises:
            NodeError: the node is off or frozen, or the program does not answer within so many seconds.
        """
        if not self.is_on(name) or self.is_frozen(name):
            raise NodeError(f"node {name} is off or hangs: {program} answers nothing")
        path = self.enclosure.proc(self.nodes[name].pid) / f"root/run/bascule/{program}.sock"
        return ask(path, line, within=within, who=f"{program} on {name}")

    def end(self, names: Iterable[str]) -> None:
        """Kill what was stopped; all die at the thaw."""
        groups = self._groups(names)
        for group in groups:
            group.kill()
        for group in groups:
            group.thaw()

    def processor(self, name: str) -> Processor:
        """What the node may use of the machine's processors."""
        return Processor(f"{self.enclosure.cgroup.strip('/')}/{self.nodes[name].container.id}")

    def memory(self, name: str) -> Memory:
        """What the node may use of the machine's memory."""
        return Memory(f"{self.enclosure.cgroup.strip('/')}/{self.nodes[name].container.id}")

    def _groups(self, names: Iterable[str]) -> list[ControlGroup]:
        return [group for name in names if (group := self.nodes[name].group) is not None]

    def is_on(self, name: str) -> bool:
        """Whether anything of the node runs."""
        node = self.nodes[name]
        if node.group is not None and node.group.pids():
            return True
        node.container.reload()
        return bool(node.container.status == "running")

    def run(self, name: str, *command: str) -> Ran:
        """Run a command in a node; returns what it printed, both streams as they came.

        Raises:
            NodeError: the node is off, or the command did not end.
        """
        status, output = self._exec(name, command, demux=False)
        return Ran(status, (output or b"").decode(errors="replace"))

    def execute(self, name: str, *command: str) -> Executed:
        """The same, its two streams apart.

        Raises:
            NodeError: the node is off, or the command did not end.
        """
        status, (stdout, stderr) = self._exec(name, command, demux=True)
        return Executed(status, stdout or b"", stderr or b"")

    def _exec(self, name: str, command: tuple[str, ...], *, demux: bool) -> tuple[int, Any]:
        from docker.errors import APIError  # noqa: PLC0415 - loaded already, by the engine's client

        if not self.is_on(name):  # the engine runs commands in what it has not yet noticed to be dead
            raise NodeError(f"node {name} is off: it runs no command")
        if self.is_frozen(name):  # and waits for ever for what is frozen
            raise NodeError(f"node {name} hangs: it runs no command")
        container = self.nodes[name].container
        try:
            ran = container.exec_run(list(command), environment={"PYTHONPATH": "/opt/bascule"}, demux=demux)
        except APIError as error:
            if error.response is not None:
                error.response.close()  # a stream that nobody read, which the SDK leaves open
            raise NodeError(f"node {name} runs no command: {error.explanation or error}") from error
        if ran.exit_code is None:
            raise NodeError(f"{' '.join(command)} did not end in {name}")
        return ran.exit_code, ran.output

    def log(self, name: str) -> str:
        """The last lines that the node's programs wrote."""
        return self.nodes[name].container.logs(tail=20).decode(errors="replace").strip()

    def collect(self, folder: Path) -> None:
        """Copy the logs of every node, on or off, into a folder: its console, and what its programs keep in /srv."""
        from docker.errors import NotFound  # noqa: PLC0415 - loaded already, by the engine's client

        folder.mkdir(parents=True, exist_ok=True)
        for name, node in self.nodes.items():
            (folder / f"{name}.log").write_bytes(node.container.logs())
            for logs in self.log_folders.get(name, ()):
                try:
                    chunks, _ = node.container.get_archive(logs)
                except NotFound:  # the node never came so far
                    continue
                with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                    archive.extractall(folder / name / Path(logs).parent.name, filter="data")

    def close(self) -> None:
        """Let go of open files; the containers die with the enclosure."""
        for node in self.nodes.values():
            if node.group is not None:
                node.group.close()
                node.group = None
