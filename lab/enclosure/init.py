"""Process 1 of an enclosure: mounts its memory disk, starts the private engine, spawns what it is asked to.

Run as a file with `python3 -I`, inside new PID, mount and network namespaces, so it imports the standard library
only. Its death is the lab's death: the kernel kills every process of its PID namespace.

Requests are JSON lines on the unix socket `init.sock`, one answer line each:
`{"spawn": [...], "log": path, "net": pid or null}` -> `{"pid": n}`; `{"signal": [pid, number]}` -> `{}`;
`{"wait": pid}` -> `{"status": n}` once it has ended (a signal's number, negative, if it was killed).
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

# Nodes do not share the machine's bridge, firewall or forwarding: the engine must leave them alone.
ENGINE = [
    "dockerd", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
    "--exec-opt=native.cgroupdriver=cgroupfs", "--storage-driver=overlay2", "--log-level=warn",
]  # fmt: skip


def run(*command: str) -> None:
    """Run a command to its end; a failure ends the enclosure, which the launcher reports with this log."""
    subprocess.run(command, check=True)


def memory_disk(data: Path, store: Path) -> None:
    """Put the engine's folder in memory, with the stored image's layers bound into it instead of copied."""
    run("mount", "-t", "tmpfs", "-o", "mode=0711", "bascule", str(data))
    shutil.copytree(store / "image", data / "image", symlinks=True)
    (data / "overlay2").mkdir()
    for entry in (store / "overlay2").iterdir():
        target = data / "overlay2" / entry.name
        if entry.name == "l":
            shutil.copytree(entry, target, symlinks=True)
        else:
            target.mkdir()
            run("mount", "--bind", str(entry), str(target))


def start_engine(state: Path, data: Path, cgroup: str) -> None:
    """Start the private engine; it answers on `docker.sock` when it is ready."""
    (state / "daemon.json").write_text("{}")
    command = [
        *ENGINE,
        f"--host=unix://{state}/docker.sock",
        f"--data-root={data}",
        f"--exec-root={state}/exec",
        f"--pidfile={state}/dockerd.pid",
        f"--config-file={state}/daemon.json",
        f"--cgroup-parent={cgroup}",
    ]
    with (state / "engine.log").open("ab") as log:
        subprocess.Popen(command, stdout=log, stderr=log)


class Init:
    """The request loop: one process, no threads, so that a spawn is a plain fork."""

    def __init__(self, state: Path) -> None:
        self.ended: dict[int, int] = {}
        self.waiting: dict[int, list[socket.socket]] = {}
        self.buffers: dict[socket.socket, bytes] = {}
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(state / "init.sock"))
        self.listener.listen(32)
        self.selector.register(self.listener, selectors.EVENT_READ)
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(wake_read, False)
        self.wake = wake_read
        self.selector.register(wake_read, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Answer requests and bury the dead until killed."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    client, _ = self.listener.accept()
                    self.buffers[client] = b""
                    self.selector.register(client, selectors.EVENT_READ)
                elif key.fileobj == self.wake:
                    os.read(self.wake, 4096)
                else:
                    self.read(key.fileobj)  # type: ignore[arg-type]  # only sockets are left
            self.bury()

    def read(self, client: socket.socket) -> None:
        """Take what a client sent; answer each whole line."""
        chunk = client.recv(65536)
        if not chunk:
            self.selector.unregister(client)
            del self.buffers[client]
            client.close()
            return
        *lines, self.buffers[client] = (self.buffers[client] + chunk).split(b"\n")
        for line in lines:
            answer = self.answer(json.loads(line), client)
            if answer is not None:
                client.sendall(json.dumps(answer).encode() + b"\n")

    def answer(self, request: dict[str, object], client: socket.socket) -> dict[str, object] | None:
        """Carry out one request; None when the answer comes later."""
        match request:
            case {"spawn": [*argv], "log": str(log), "net": net}:
                prefix = [] if net is None else ["nsenter", f"--net=/proc/{net}/ns/net", "--"]
                try:
                    with Path(log).open("ab") as out:
                        child = subprocess.Popen(
                            [*prefix, *map(str, argv)], stdout=out, stderr=out, stdin=subprocess.DEVNULL
                        )
                except OSError as error:
                    return {"error": str(error)}
                child.returncode = 0  # ours to bury, in bury(); keeps Popen from warning about it
                return {"pid": child.pid}
            case {"signal": [int(pid), int(number)]}:
                if pid not in self.ended:
                    os.kill(pid, number)
                return {}
            case {"wait": int(pid)}:
                if pid in self.ended:
                    return {"status": self.ended[pid]}
                self.waiting.setdefault(pid, []).append(client)
                return None
        return {"error": f"unknown request {request}"}

    def bury(self) -> None:
        """Reap every ended child, and every orphan that the namespace handed to process 1."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = os.waitstatus_to_exitcode(status)
            for client in self.waiting.pop(pid, []):
                if client in self.buffers:
                    client.sendall(json.dumps({"status": self.ended[pid]}).encode() + b"\n")


def main() -> None:
    """Usage: init.py STATE CGROUP DATA [STORE]; without a stored image DATA is kept on disk (image building)."""
    state, cgroup, data = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    run("ip", "link", "set", "lo", "up")
    data.mkdir(parents=True, exist_ok=True)
    if sys.argv[4:]:
        memory_disk(data, Path(sys.argv[4]))
    init = Init(state)
    start_engine(state, data, cgroup)
    init.serve()


if __name__ == "__main__":
    main()
