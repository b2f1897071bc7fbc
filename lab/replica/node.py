"""What a node does when it gets power: wait for its wires, then start what its specification names.

`python3 -m replica.node node.json`, under tini. `{"name": …, "wires": [interface, …], "firmware": [config, …],
"servers": [{"name": …, "address": …, "mac": …, "program": module, "config": {…}}, …],
"programs": [{"program": module, "config": {…}}, …]}`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import netlink

CONFIGS = Path("/run/bascule")


def wait_for_wires(names: set[str]) -> None:
    """Return when every wire is plugged in: whoever plugs them brings each up last. Lit or not is not asked."""
    news, ask = netlink.connect(netlink.RTMGRP_LINK), netlink.connect()
    while not names <= {link.name for link in netlink.links(ask).values() if link.up}:
        try:
            list(netlink.changes(news))
        except OSError:  # news lost: the next look at all links makes up for it
            continue


def start(module: str, name: str, config: dict[str, Any], *, namespace: str | None = None) -> subprocess.Popen[bytes]:
    """Start one of the replica's programs as a process group of its own."""
    path = CONFIGS / f"{name}.json"
    path.write_text(json.dumps(config))
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    return subprocess.Popen([*prefix, sys.executable, "-m", module, str(path)], start_new_session=True)


def wire_server(server: dict[str, Any], rank: int) -> None:
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
        subprocess.run(["ip", *line.split()], check=True)


def main() -> None:
    """Boot, then wait for children until the power goes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    spec = json.loads(Path(sys.argv[1]).read_text())
    CONFIGS.mkdir(exist_ok=True)
    wait_for_wires(set(spec["wires"]))
    children = [start("replica.cabled", f"firmware{rank}", firmware) for rank, firmware in enumerate(spec["firmware"])]
    for rank, server in enumerate(spec["servers"]):
        wire_server(server, rank)
        children.append(start(server["program"], server["name"], server["config"], namespace=server["name"]))
    children += [start(item["program"], f"program{rank}", item["config"]) for rank, item in enumerate(spec["programs"])]
    for child in children:
        status = child.wait()
        print(child.args, "ended with", status, flush=True)  # noqa: T201 - the node's console
    signal.pause()


if __name__ == "__main__":
    main()
