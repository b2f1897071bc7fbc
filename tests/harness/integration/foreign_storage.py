"""A storage of its own within one node, on the loopback interface: for clients that may spoil whatever they write to.

One arbiter, two arrays, two virtualisers, one path: the replica's own programs, each with its real sockets.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
SIZE = 64 * MIB
VOLUME = "essai"
WITHIN = 15.0  # seconds; far more than anything here takes on a busy machine
ETCD, ETCD_PEER = 22379, 22380
PORTS = {"baie-1": 21001, "baie-2": 21002, "svc-1": 21011, "svc-2": 21012}
_ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.settimeout(10)
    link.connect(sys.argv[1])
    link.sendall(sys.argv[2].encode() + b"\\n")
    print(link.makefile().readline())
"""
_TAKE = """
import asyncio, sys
from replica.arbiter.kv import Kv
from replica.arbiter.sessions import take
async def main():
    kv = Kv([sys.argv[1]])
    print(await take(kv, sys.argv[2], "foreign"))
    await kv.close()
asyncio.run(main())
"""


class Said(Protocol):
    """How a command ended."""

    @property
    def status(self) -> int: ...
    @property
    def output(self) -> str: ...


@dataclass
class ForeignStorage:
    """The programs, and the clients beside them.

    Args:
        run: runs a command where the programs are to be, and waits for its end.
        folder: theirs alone.
    """

    run: Callable[..., Said]
    folder: str = "/srv/foreign"
    pids: dict[str, str] = field(default_factory=dict)

    def shell(self, line: str) -> Said:
        """Run a line of shell in the folder, for a minute at most."""
        return self.run("timeout", "60", "sh", "-c", f"cd {self.folder} && {line}")

    def told(self, line: str) -> str:
        """The same, for one that must succeed."""
        said = self.shell(line)
        assert said.status == 0, f"{line} ended with {said.status}: {said.output}"
        return said.output

    def build(self) -> None:
        """Start everything; returns when both copies are in sync."""
        self.run("mkdir", "-p", self.folder)
        own = f"http://127.0.0.1:{ETCD}"
        peer = f"http://127.0.0.1:{ETCD_PEER}"
        self.start(
            "etcd",
            f"etcd --name a --data-dir {self.folder}/etcd --listen-client-urls {own} --advertise-client-urls {own} "
            f"--listen-peer-urls {peer} --initial-advertise-peer-urls {peer} --initial-cluster a={peer}",
        )
        for array in ("baie-1", "baie-2"):
            self.start_array(array)
        for node in ("svc-1", "svc-2"):
            self.start_virtualiser(node)
        wait_until(lambda: self.is_whole, within=WITHIN, because=self.words)

    def end(self) -> None:
        """Kill all that was started and forget what it wrote."""
        for name in list(self.pids):
            self.kill(name)
        self.run("rm", "-rf", self.folder)

    def start(self, name: str, command: str) -> None:
        """Start a program, its words in NAME.log."""
        self.pids[name] = self.told(f"setsid {command} >>{name}.log 2>&1 </dev/null & echo $!").strip()

    def kill(self, name: str) -> None:
        """SIGKILL, also for its children: for an array this is the loss of its power."""
        self.run("kill", "-9", "--", f"-{self.pids.pop(name)}")

    def start_array(self, name: str) -> None:
        """One copy of the volume."""
        told = {
            "name": name,
            "plan": "foreign",
            "address": "127.0.0.1",
            "port": PORTS[name],
            "folder": f"{self.folder}/{name}",
            "volumes": {VOLUME: {"size": SIZE, "template": None}},
            "capacity": SIZE,
        }
        self._program("array", name, told)

    def start_virtualiser(self, name: str) -> None:
        """One node."""
        arrays = {
            array: {"address": "127.0.0.1", "port": PORTS[array], "room": f"salle-{array[-1]}"}
            for array in ("baie-1", "baie-2")
        }
        told = {
            "name": name,
            "plan": "foreign",
            "room": f"salle-{name[-1]}",
            "preferred": name == "svc-1",
            "address": "127.0.0.1",
            "port": PORTS[name],
            "arbiters": [f"http://127.0.0.1:{ETCD}"],
            "arrays": arrays,
            "volumes": {VOLUME: {"size": SIZE, "copies": list(arrays)}},
        }
        self._program("virtualiser", name, told)

    def start_path(self, session: int) -> str:
        """A host's path; returns what a client opens."""
        wire = f"{self.folder}/path.sock"
        nodes = {name: ["127.0.0.1", port] for name, port in PORTS.items() if name.startswith("svc")}
        told = {"volume": VOLUME, "session": session, "nodes": nodes, "socket": wire}
        self._program("path", "path", told)
        wait_until(lambda: self.shell("test -S path.sock").status == 0, within=WITHIN, because=self.words)
        return f"nbd+unix:///?socket={wire}"

    def take_session(self) -> int:
        """Become the host that may write, as a server's node does."""
        return int(self.told(f"python3 -c {shlex.quote(_TAKE)} http://127.0.0.1:{ETCD} {VOLUME}"))

    def ask(self, name: str, line: str = "status") -> dict[str, Any]:
        """What a program says of itself; empty when it does not answer."""
        said = self.shell(f"python3 -c {shlex.quote(_ASK)} {self.folder}/{name}.sock {shlex.quote(line)}")
        found: dict[str, Any] = json.loads(said.output) if said.status == 0 and said.output.strip() else {}
        return found

    @property
    def active(self) -> str:
        """The node that serves; empty when none does."""
        nodes = [name for name in self.pids if name.startswith("svc")]
        return next((name for name in nodes if self.ask(name).get("active")), "")

    @property
    def is_whole(self) -> bool:
        """Whether a node serves and both copies are in sync."""
        node = self.active
        copies = self.ask(node)["volumes"][VOLUME]["copies"] if node else {}
        return len(copies) == 2 and all(copy["in_sync"] for copy in copies.values())

    def uri(self, name: str, export: str = VOLUME) -> str:
        """Where a client finds an array or a node."""
        return f"nbd://127.0.0.1:{PORTS[name]}/{export}"

    def words(self) -> str:
        """The last words of all programs."""
        return self.shell("tail -n 5 *.log").output

    def _program(self, module: str, name: str, told: dict[str, Any]) -> None:
        config = json.dumps(told | {"control": f"{self.folder}/{name}.sock"})
        self.told(f"echo {shlex.quote(config)} > {name}.json")
        self.start(name, f"python3 -m replica.{module} {self.folder}/{name}.json")
        if module == "array":
            wait_until(lambda: bool(self.ask(name)), within=WITHIN, because=self.words)
