"""A ward and a service in two network namespaces, joined by two switches and a cable; gone with this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Interface
from pathlib import Path
from typing import TYPE_CHECKING

from lab import private
from lab.errors import LabError
from lab.fabric import Fabric, Layout, NodePort, Strand
from lab.waiting import wait_until
from lab.wards import Clinician, Config

if TYPE_CHECKING:
    from collections.abc import Iterator

_LAYOUT = Layout(
    bridges={"sw-ward": "s0", "sw-service": "s1"},
    strands=(Strand("cable", "servers", ("sw-ward", "sw-service"), ("c1a", "c1b")),),
    ports=(
        NodePort("ward", "servers", "sw-ward", "n1", "servers0"),
        NodePort("service", "servers", "sw-service", "n2", "servers0"),
    ),
)
_ENDS = _LAYOUT.strands[0].ends
_ADDRESSES = {"ward": IPv4Interface("10.99.0.11/24"), "service": IPv4Interface("10.99.0.12/24")}
_LONGEST = 60.0  # seconds after which the kernel ends a blackhole that nobody healed
# Dies with this process, however that ends.
_BOUND = ("setpriv", "--pdeathsig", "KILL", "--")


class RigError(LabError):
    """The rig could not be built: the sentence says what it needs."""


class Rig:
    """A running rig. Make one with `rig()`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.history = folder / "history.jsonl"
        self._folder = folder
        self._stack = stack
        self._names = {name: self._namespace() for name in ("fabric", "ward", "service")}
        self._fabric = Fabric(self._proc("fabric"), _LAYOUT)
        stack.callback(self._fabric.close)
        self._fabric.build()
        for node, address in _ADDRESSES.items():
            self._fabric.plug(node, self._proc(node), {"servers": address}, frozenset())
        self._responder = self._within("service", "lab.calibration.responder", str(_ADDRESSES["service"].ip))
        assert self._responder.stdout is not None  # noqa: S101 - a pipe was asked for
        self._port = int(self._responder.stdout.readline() or 0)
        if not self._port:
            raise RigError("the responder of the calibration did not start")

    def _namespace(self) -> int:
        process = subprocess.Popen([*_BOUND, "unshare", "--net", "--", "sleep", "infinity"], stderr=subprocess.PIPE)
        self._stack.callback(_end, process)
        home = Path("/proc/self/ns/net").stat().st_ino

        def moved() -> bool:
            if process.poll() is not None:
                said = process.stderr.read().decode().strip() if process.stderr else ""
                raise RigError(f"a network namespace could not be made ({said}): calibration needs root")
            return Path(f"/proc/{process.pid}/ns/net").stat().st_ino != home

        wait_until(moved, within=5, because="a network namespace did not come up", every=0.002)
        return process.pid

    def _proc(self, name: str) -> Path:
        return Path(f"/proc/{self._names[name]}/ns/net")

    def _within(self, name: str, module: str, *arguments: str) -> subprocess.Popen[str]:
        command = [*_BOUND, "nsenter", f"--net={self._proc(name)}", sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._stack.callback(_end, process)
        return process

    @contextmanager
    def observed(self, *kinds: str, rate: float) -> Iterator[None]:
        """Let the ward's clients work while the body runs."""
        config = Config(
            history=str(self.history),
            ward="banc",
            url_host=str(_ADDRESSES["service"].ip),
            port=self._port,
            clinicians=(Clinician("c001", "none"),),
            patients=("p0001",),
            rate=rate,
        )
        told = self._folder / "config.json"
        private.write(told, config.to_json())
        clients = [self._within("ward", "lab.wards", kind, str(told)) for kind in kinds]
        wait_until(self._served, within=10, because="the ward is not served")
        yield
        for client in clients:
            client.send_signal(signal.SIGTERM)
        for client in clients:
            client.wait(config.patience_ms / 1000 + 5)

    def _served(self) -> bool:
        return self.history.exists() and b'"o":"ok"' in self.history.read_bytes()

    def break_(self, how: str) -> None:
        """Cut the cable, let it drop everything, or freeze the service."""
        if how == "cut":
            self._fabric.power(_ENDS, up=False)
        elif how == "drop":
            self._fabric.kill(_ENDS, _LONGEST)
        else:
            os.kill(self._responder.pid, signal.SIGSTOP)

    def mend(self, how: str) -> None:
        """Undo it."""
        if how == "cut":
            self._fabric.power(_ENDS, up=True)
        elif how == "drop":
            self._fabric.revive(_ENDS)
        else:
            os.kill(self._responder.pid, signal.SIGCONT)


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Build a rig, which writes into that folder; nothing of it is left after the body.

    Raises:
        RigError: this machine does not allow it.
    """
    with ExitStack() as stack:
        yield Rig(folder, stack)
