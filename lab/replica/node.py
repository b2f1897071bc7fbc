"""What a node does when it gets power: wait for its wires, then start what its specification names.

`python3 -m replica.node node.json`, under tini. `{"name": …, "wires": [interface, …], "firmware": [config, …],
"servers": [{"name": …, "address": …, "mac": …, "program": module, "config": {…}, "disk": {…} or null}, …],
"programs": [{"program": module, "config": {…}, "disk": {…} or null}, …]}`; what a disk is says `replica.disk`.

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

CONFIGS = Path("/run/bascule")
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


async def serve(server: dict[str, Any], rank: int) -> None:
    """Run a server to its end."""
    await wire(server, rank)
    words = command(server["program"], server["name"], server["config"])
    status = await run("ip", "netns", "exec", server["name"], *words)
    print(f"server {server['name']} ended with {status}", flush=True)  # noqa: T201 - as above


async def boot(spec: dict[str, Any]) -> None:
    """Start everything, then mind it until the power goes."""
    firmware = [("replica.cabled", f"firmware{rank}", config) for rank, config in enumerate(spec["firmware"])]
    programs = [(item["program"], f"program{rank}", item["config"]) for rank, item in enumerate(spec["programs"])]
    await asyncio.gather(
        *(keep(told[0], command(*told)) for told in [*firmware, *programs]),
        *(serve(server, rank) for rank, server in enumerate(spec["servers"])),
    )


def main() -> None:
    """Wait for the wires, then boot."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    CONFIGS.mkdir(exist_ok=True)
    wait_for_wires(set(spec["wires"]))
    asyncio.run(boot(spec))


if __name__ == "__main__":
    main()
