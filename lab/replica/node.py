"""What a node does when it gets power: wait for its wires, then start what its specification names.

`python3 -m replica.node node.json`, under tini. `{"name": …, "wires": [interface, …], "firmware": [config, …],
"programs": [{"program": module, "config": {…}, "disk": {…} or null}, …], "loops": [number, …]}`.

A program's disk is the node's own, `{"mount": folder, "size": bytes, "template": path}`: like a volume it forgets at a
loss of power what was not flushed. Firmware and programs are started again when they end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import netlink

if TYPE_CHECKING:
    from collections.abc import Coroutine

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


async def boot(spec: dict[str, Any]) -> None:
    """Start everything, then mind it until the power goes."""
    kept: list[Coroutine[Any, Any, object]] = [
        keep("replica.cabled", command("replica.cabled", f"firmware{rank}", config))
        for rank, config in enumerate(spec["firmware"])
    ]
    for rank, item in enumerate(spec["programs"]):
        words = command(item["program"], f"program{rank}", item["config"])
        if item.get("disk"):
            words = on_disk(spec, f"disk{rank}", item["disk"], words)
        kept.append(keep(item["program"], words))
    kept.append(asyncio.Event().wait())  # a node without programs is on as well
    await asyncio.gather(*kept)


def main() -> None:
    """Wait for the wires, then boot."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    CONFIGS.mkdir(exist_ok=True)
    wait_for_wires(set(spec["wires"]))
    asyncio.run(boot(spec))


if __name__ == "__main__":
    main()
