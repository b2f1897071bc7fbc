"""What a node does when it gets power: wait for its wires, then start what its specification names.

`python3 -m replica.node node.json`, under tini. `{"name": …, "wires": [interface, …], "firmware": [config, …],
"servers": [{"name": …, "address": …, "mac": …, "program": module, "config": {…}, "volume": {…} or null}, …],
"programs": [{"program": module, "config": {…}, "disk": {…} or null}, …], "arbiters": [URL, …], "loops": [number, …]}`.

A server's volume is `{"mount": folder, "nodes": {virtualiser: [address, port], …}}`: the node takes its session, and
`replica.path` holds it. A program's disk is the node's own, `{"mount": folder, "size": bytes, "template": path}`: like
a volume it forgets at a loss of power what was not flushed.

Firmware and programs are started again when they end; a server is not: where it runs is not the node's to say.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from . import netlink
from .arbiter.kv import Kv, KvUnreachableError
from .arbiter.sessions import take

CONFIGS = Path("/run/bascule")
DISKS = Path("/srv/disks")
SPECIFICATION = Path("/etc/bascule")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0  # seconds before a program that ended is started again; doubled each time
_SETTLED = 5.0  # seconds after which a start is no longer the cause of an end


def wait_for_wires(names: set[str]) -> None:
    """Return when every wire is plugged in: whoever plugs them brings each up last. Lit or not is not asked."""
    news, ask = netlink.connect(netlink.RTMGRP_LINK), netlink.connect()
    while not names <= {link.name for link in netlink.links(ask).values() if link.up}:
        try:
            list(netlink.changes(news))
        except OSError:  # news lost: the next look at all links makes up for it
            continue


async def run(*command: str) -> int:
    """Run a program to its end, as a process group of its own; returns its exit status."""
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
    return await process.wait()


async def checked(*command: str) -> None:
    """Run a program that must succeed."""
    if status := await run(*command):
        raise RuntimeError(f"{' '.join(command)} ended with {status}")


def command(module: str, name: str, config: dict[str, Any]) -> tuple[str, ...]:
    """The command of one of the replica's programs, its configuration written down."""
    path = CONFIGS / f"{name}.json"
    path.write_text(json.dumps(config))
    return sys.executable, "-m", module, str(path)


async def keep(module: str, words: tuple[str, ...]) -> None:
    """Keep a program running. One with a bug (a lab puts a file beside the specification) dies as it starts."""
    pause = _FIRST_PAUSE
    while True:
        begun = time.monotonic()
        status = await run(*(("false",) if (SPECIFICATION / f"bug-{module}").exists() else words))
        ran = time.monotonic() - begun
        pause = _FIRST_PAUSE if ran > _SETTLED else min(2 * pause, _LONGEST_PAUSE)
        print(f"{module} ended with {status} after {ran:.1f} s", flush=True)  # noqa: T201 - the node's console
        await asyncio.sleep(pause)


def on_disk(spec: dict[str, Any], name: str, disk: dict[str, Any], words: tuple[str, ...]) -> tuple[str, ...]:
    """The command that runs a program on a disk of the node's own."""
    socket = str(CONFIGS / f"disk-{name}.sock")
    local = {"socket": socket, "file": str(DISKS / name), "size": disk["size"], "template": disk["template"]}
    backing = command("replica.array.local", f"disk-{name}", local)
    told = {"name": name, "socket": socket, "mount": disk["mount"], "backing": backing, "program": words}
    return command("replica.disk.carrier", f"carrier-{name}", {**told, "loops": spec["loops"]})


async def on_volume(spec: dict[str, Any], server: dict[str, Any], words: tuple[str, ...]) -> tuple[str, ...]:
    """The command that runs a server on its mirrored volume, whose session is this node's from now on."""
    name, volume = server["name"], server["volume"]
    socket = str(CONFIGS / f"volume-{name}.sock")
    session = await session_of(name, spec)
    path = {"volume": name, "session": session, "nodes": volume["nodes"], "socket": socket}
    backing = command("replica.path", f"path-{name}", path)
    told = {"name": name, "socket": socket, "mount": volume["mount"], "backing": backing, "program": words}
    return command("replica.disk.carrier", f"carrier-{name}", {**told, "loops": spec["loops"], "network": name})


async def session_of(volume: str, spec: dict[str, Any]) -> int:
    """Take the session of a volume, as soon as the arbiters answer."""
    kv = Kv(spec["arbiters"])
    try:
        while True:
            try:
                return await take(kv, volume, spec["name"])
            except KvUnreachableError:
                await asyncio.sleep(_FIRST_PAUSE)
    finally:
        await kv.close()


async def wire(server: dict[str, Any], rank: int) -> None:
    """Give a server its network namespace, on the bridge that stretches over the rooms."""
    name = server["name"]
    commands = f"""
        netns add {name}
        link add vm{rank} type veth peer name eth0 address {server["mac"]} netns {name}
        link set vm{rank} master br-servers up
        -n {name} address add {server["address"]} dev eth0
        -n {name} link set lo up
        -n {name} link set eth0 up
    """
    for line in commands.strip().splitlines():
        await checked("ip", *line.split())


async def serve(spec: dict[str, Any], server: dict[str, Any], rank: int) -> None:
    """Run a server to its end."""
    await wire(server, rank)
    words = command(server["program"], server["name"], server["config"])
    if server.get("volume"):
        words = await on_volume(spec, server, words)
    else:
        words = ("ip", "netns", "exec", server["name"], *words)
    status = await run(*words)
    print(f"server {server['name']} ended with {status}", flush=True)  # noqa: T201 - as above


async def boot(spec: dict[str, Any]) -> None:
    """Start everything, then mind it until the power goes."""
    kept = [
        keep("replica.cabled", command("replica.cabled", f"firmware{rank}", config))
        for rank, config in enumerate(spec["firmware"])
    ]
    for rank, item in enumerate(spec["programs"]):
        words = command(item["program"], f"program{rank}", item["config"])
        if item.get("disk"):
            words = on_disk(spec, f"disk{rank}", item["disk"], words)
        kept.append(keep(item["program"], words))
    await asyncio.gather(*kept, *(serve(spec, server, rank) for rank, server in enumerate(spec["servers"])))


def main() -> None:
    """Wait for the wires, then boot."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    CONFIGS.mkdir(exist_ok=True)
    wait_for_wires(set(spec["wires"]))
    asyncio.run(boot(spec))


if __name__ == "__main__":
    main()
