"""The machine inside the machine: namespaces of its own, a private engine, nothing that outlives it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from lab.enclosure.naming import checked, option
from lab.enclosure.sweep import STATE_ROOT, cgroup_roots, tasks
from lab.enclosure.waits import waits
from lab.errors import LabError
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    import docker

# The engine answers 0.5 s after its start on an idle machine (seen); a loaded CI machine gets sixty times that.
START_WITHIN = 30.0
ENDS_WITHIN = 100.0  # the three patiences of the sweep, and a little
ENGINE_TIMEOUT = 60


class EnclosureError(LabError):
    """The enclosure could not be started, or died."""


class NameTakenError(EnclosureError):
    """An enclosure of this name is alive already."""


@dataclass(frozen=True)
class Process:
    """A process that process 1 of the enclosure started; `pid` counts inside the enclosure."""

    enclosure: Enclosure
    pid: int

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; a process that has ended already takes none."""
        self.enclosure.request({"signal": [self.pid, int(number)]})

    def wait(self, within: float) -> int:
        """Return the exit status (a signal's number, negative, if it was killed).

        Raises:
            EnclosureError: it still ran after `within` seconds.
        """
        return int(self.enclosure.request({"wait": self.pid}, within=within)["status"])


class Enclosure:
    """A running enclosure, seen from outside."""

    def __init__(self, name: str, launcher: subprocess.Popen[bytes] | None = None) -> None:
        self.name = checked(name)
        self.state = STATE_ROOT / name
        self.cgroup = f"/bascule-{name}"
        self._launcher = launcher

    @classmethod
    def start(  # all are named at the call
        cls,
        name: str,
        *,
        store: Path | None = None,
        data: Path | None = None,
        keep: bool = False,
        lasts: timedelta | None = None,
    ) -> Self:
        """Start an enclosure: with the engine in memory on a stored image, or on a folder `data` of the disk.

        One that is kept ends by itself when `lasts` is over: its launcher minds it, whatever became of whoever asked.

        Raises:
            NameTakenError: one of that name is alive, or begins or ends at this moment.
            EnclosureError: its engine did not answer; the sentence ends with the last line of its log.
        """
        self = cls(name)
        state = self.state
        command = [
            sys.executable,
            "-m",
            "lab.enclosure.launcher",
            str(state),
            self.cgroup,
            str(data or state / "data"),
        ]
        command += [str(store)] if store else []
        command += ["--keep"] if keep else []
        command += [] if lasts is None else ["--lasts", str(lasts.total_seconds())]
        with _alone():
            _claim(name)
            with (state / "launcher.log").open("ab") as log:
                self._launcher = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C belongs to the harness, which decides what to heal first
                )
            (state / "launcher.pid").write_text(str(self._launcher.pid))
        try:
            wait_until(self._engine_answers, within=START_WITHIN, because=self._last_words)
        except WaitedInVainError as error:
            self.close()
            raise EnclosureError(f"the private engine did not start: {error}") from error
        return self

    @classmethod
    def attach(cls, name: str) -> Self:
        """The kept enclosure of that name.

        Raises:
            EnclosureError: none is alive under that name.
        """
        if not is_alive(checked(name)):
            raise EnclosureError(f"no lab named {name} is up: `bascule up{option(name)}` starts one")
        return cls(name)

    def _engine_answers(self) -> bool:
        if self._launcher is not None and self._launcher.poll() is not None:
            raise EnclosureError(f"the enclosure ended as it started: {self._last_words()}")
        if not (self.state / "docker.sock").exists():
            return False
        try:
            return bool(self.engine.ping())
        except OSError:  # the socket is there a moment before the engine listens
            return False

    def favour(self) -> None:
        """Let the nodes together weigh what twenty processes of the machine weigh, not what one does.

        A control group competes with each single process beside it: without this, a compiler run elsewhere on the
        machine makes the replica's heartbeats late, and what is measured is the machine.
        """
        for root in cgroup_roots(self.cgroup):
            for name, value in (("cpu.shares", 20 * 1024), ("cpu.weight", 20 * 100)):
                if (root / name).exists():
                    (root / name).write_text(str(value))

    def waits(self) -> str:
        """What holds its engine up, as far as the kernel tells."""
        return waits(tasks(cgroup_roots(self.cgroup)))

    def _last_words(self) -> str:
        for log in ("engine.log", "launcher.log"):
            with contextlib.suppress(OSError, IndexError):
                return (self.state / log).read_text(errors="replace").strip().splitlines()[-1]
        return "it left no log"

    @cached_property
    def engine(self) -> docker.DockerClient:
        """The SDK's client of the private engine."""
        import docker  # noqa: PLC0415 - 0.2 s that only a running lab pays

        return docker.DockerClient(base_url=f"unix://{self.state}/docker.sock", version="1.41", timeout=ENGINE_TIMEOUT)

    @cached_property
    def pid(self) -> int:
        """Process 1 of the enclosure, as this side of it counts."""
        with self._connect(5) as link:
            credentials = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])

    @property
    def network(self) -> Path:
        """Its network namespace, which holds every switch and cable."""
        return Path(f"/proc/{self.pid}/ns/net")

    def proc(self, pid: int) -> Path:
        """The /proc folder of a process that counts `pid` inside the enclosure."""
        return Path(f"/proc/{self.pid}/root/proc/{pid}")

    def _connect(self, within: float) -> socket.socket:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(within)
        try:
            link.connect(str(self.state / "init.sock"))
        except OSError as error:
            link.close()
            raise EnclosureError(f"the enclosure {self.name} does not answer: {error}") from error
        return link

    def request(self, request: dict[str, Any], within: float = 10.0) -> dict[str, Any]:
        """Ask process 1; see `init.py` for the requests.

        Raises:
            EnclosureError: it refused, died, or did not answer within so many seconds.
        """
        with self._connect(within) as link:
            try:
                link.sendall(json.dumps(request).encode() + b"\n")
                with link.makefile() as lines:
                    line = lines.readline()
            except OSError as error:
                raise EnclosureError(f"the enclosure {self.name} did not answer {request}: {error}") from error
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it died"}
        if "error" in answer:
            raise EnclosureError(f"the enclosure {self.name} refused {request}: {answer['error']}")
        return answer

    def spawn(self, *argv: str, log: str, net: int | None = None) -> Process:
        """Start a program inside, in the network namespace of the inside process `net` if one is given."""
        answer = self.request({"spawn": list(argv), "log": str(self.state / log), "net": net})
        return Process(self, int(answer["pid"]))

    def release(self) -> None:
        """Let go of an enclosure that was started to be kept: it lives on, and this process no longer minds it."""
        if "engine" in self.__dict__:
            self.engine.close()
        if self._launcher is not None:
            if self._launcher.stdin is not None:
                self._launcher.stdin.close()
            self._launcher.returncode = 0  # else its going out of scope is taken for a process that was forgotten
            self._launcher = None

    def close(self) -> None:
        """End the enclosure and wait until nothing of it is left. Safe to call twice."""
        if "engine" in self.__dict__:
            self.engine.close()
        if self._launcher is None:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self.state / "launcher.pid").read_text()), signal.SIGTERM)
            wait_until(lambda: not self.state.exists(), within=ENDS_WITHIN, because=f"{self.state} is not swept")
            return
        held: IO[bytes] | None = self._launcher.stdin
        if held is not None:
            held.close()
        self._launcher.terminate()
        self._launcher.wait(ENDS_WITHIN)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let nobody else claim a name at the same time."""
    STATE_ROOT.mkdir(parents=True, exist_ok=True)
    root = os.open(STATE_ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(root, fcntl.LOCK_EX)
        yield
    finally:
        os.close(root)


def _claim(name: str) -> None:
    """Make the state folder, unless somebody lives in it.

    Raises:
        NameTakenError: somebody does; the sentence gives the command that helps.
    """
    said = option(name)
    if is_alive(name):
        raise NameTakenError(
            f"a lab named {name} is up already: `bascule status{said}` shows it, `bascule down{said}` ends it"
        )
    if launcher_lives(name):
        raise NameTakenError(
            f"a lab named {name} begins or ends at this moment: try again, or choose another name with --name"
        )
    state = STATE_ROOT / name
    with contextlib.suppress(FileNotFoundError):
        (state / "init.sock").unlink()
    state.mkdir(exist_ok=True)


def launcher_lives(name: str) -> bool:
    """Whether somebody minds the lab of that name: it is up, or is starting, or is being swept."""
    try:
        pid = int((STATE_ROOT / name / "launcher.pid").read_text())
        return b"lab.enclosure.launcher" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def is_alive(name: str) -> bool:
    """Whether process 1 of that enclosure accepts connections."""
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(str(STATE_ROOT / name / "init.sock"))
        except OSError:
            return False
    return True
