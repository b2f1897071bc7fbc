"""What `bench_storage` runs inside a host node, where only the replica's own package is: not imported, but sent there.

`python3 -c TEXT VERB JSON`: `carry` a program on a disk, hold a `path` alone, `pulse`: write and flush all the time,
`dirty` grains of a volume through its path's socket.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import random
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

_SPECIFICATION = Path("/etc/bascule/node.json")
_EVERY = 0.005  # seconds between two writes
_BLOCK = 4096
_GRAIN = 64 << 10
_PIECE = 1 << 20
_NETWORK = "bench"  # not the server's own: its hypervisor takes all that runs there for the server


def carry(told: dict[str, Any]) -> None:
    """Become a disk's carrier, as a node does for a server (mirrored) or for a program of its own (local)."""
    node = importlib.import_module("replica.node")
    spec, name, program = json.loads(_SPECIFICATION.read_text()), told["name"], tuple(told["program"])
    Path(told["mount"]).mkdir(parents=True, exist_ok=True)
    if "nodes" in told:
        subprocess.run(
            ["ip", "netns", "add", _NETWORK], stderr=subprocess.DEVNULL, check=False
        )  # there since last time
        socket = f"/run/bascule/volume-{name}.sock"
        backing = _path(node, spec, told, socket)
        disk = {"name": name, "socket": socket, "mount": told["mount"], "backing": backing, "program": program}
        more = {"loops": _hypervisor(spec)["loops"], "network": _NETWORK}
        words = node.command("replica.disk.carrier", f"carrier-{name}", {**disk, **more})
    else:
        words = node.on_disk(spec, name, told, program)
    os.execvp(words[0], words)  # noqa: S606 - no shell is the point


def path(told: dict[str, Any]) -> None:
    """Become the path of a volume, with a new session."""
    node = importlib.import_module("replica.node")
    words = _path(node, json.loads(_SPECIFICATION.read_text()), told, told["socket"])
    os.execvp(words[0], words)  # noqa: S606 - as above


def _hypervisor(spec: dict[str, Any]) -> dict[str, Any]:
    """What the host's hypervisor is told."""
    return next(item["config"] for item in spec["programs"] if item["program"] == "replica.hypervisor")


def _path(node: Any, spec: dict[str, Any], told: dict[str, Any], socket: str) -> tuple[str, ...]:  # noqa: ANN401 - a module
    """The command of a path with a new session, whoever had the volume."""
    kv, sessions = (importlib.import_module(f"replica.arbiter.{module}") for module in ("kv", "sessions"))
    host, name = _hypervisor(spec), told["name"]

    async def take() -> int:
        arbiters = kv.Kv(tuple(host["arbiters"]))
        try:
            return int(await sessions.take(arbiters, name, host["name"]))
        finally:
            await arbiters.close()

    config = {"volume": name, "session": asyncio.run(take()), "nodes": told["nodes"], "socket": socket}
    words: tuple[str, ...] = node.command("replica.path", f"path-{name}", config)
    return words


def pulse(told: dict[str, Any]) -> None:
    """Write a block and flush it every 5 ms; note when each began and ended, in ns of the machine's clock.

    If `fill` is told, so many bytes that no disk can leave out go to a file beside it first.
    """
    if "fill" in told:
        with Path(f"{told['file']}-fill").open("wb") as beside:
            beside.writelines(os.urandom(_PIECE) for _ in range(told["fill"] // _PIECE))
            os.fsync(beside.fileno())
    file = os.open(told["file"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    notes = os.open(told["notes"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)
    pause, due = threading.Event(), time.monotonic()
    os.pwrite(file, bytes(256 * _BLOCK), 0)
    os.fsync(file)
    count = 0
    while True:
        begun = time.monotonic_ns()
        os.pwrite(file, count.to_bytes(8, "big") * (_BLOCK // 8), count % 256 * _BLOCK)
        os.fdatasync(file)
        os.write(notes, struct.pack("<QQ", begun, time.monotonic_ns()))
        count += 1
        due = max(due + _EVERY, time.monotonic())
        pause.wait(due - time.monotonic())


async def _dirty(told: dict[str, Any]) -> None:
    client, protocol = (importlib.import_module(f"replica.nbd.{name}") for name in ("client", "protocol"))
    session = await client.connect(told["socket"], "", within=5.0)
    loop = asyncio.get_running_loop()

    async def ask(kind: int, offset: int, length: int, data: bytes = b"") -> None:
        done: asyncio.Future[int] = loop.create_future()
        session.submit(kind, offset, length, lambda error, _data: done.set_result(error), data=data)
        if error := await done:
            raise OSError(error, "the volume refuses")

    for grain in random.Random(told["seed"]).sample(range(session.offer.size // _GRAIN), told["grains"]):  # noqa: S311 - no secret
        await ask(protocol.Kind.WRITE, grain * _GRAIN, _BLOCK, random.randbytes(_BLOCK))  # noqa: S311 - as above
    await ask(protocol.Kind.FLUSH, 0, 0)
    session.leave()


def dirty(told: dict[str, Any]) -> None:
    """Write a block in so many grains, drawn by seed, then flush."""
    asyncio.run(_dirty(told))


if __name__ == "__main__":
    {"carry": carry, "path": path, "pulse": pulse, "dirty": dirty}[sys.argv[1]](json.loads(sys.argv[2]))
