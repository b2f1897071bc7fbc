"""An arbiter: one member of etcd. `python3 -m replica.arbiter CONFIG.json`.

`{"name": …, "address": …, "peers": {name: address, …}, "folder": …, "logs": …, "defects": […]}`; the folder
keeps what the member promised, and must survive a loss of power.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

CLIENTS, PEERS = 2379, 2380
# Milliseconds. Some heartbeats may be late on a busy machine before an election. Loss or hang of the leader: 0.86 s
# without an answer (own lab, November 2026), half of what a lease lasts, so that it costs no lease.
HEARTBEAT, ELECTION = 100, 500
_KEPT_REVISIONS = 1000  # a lease is renewed every 0.25 s: without compaction an idle lab would grow for ever


def command(config: dict[str, Any]) -> list[str]:
    """The command that runs the member."""
    own = config["address"]
    cluster = ",".join(f"{name}=http://{address}:{PEERS}" for name, address in config["peers"].items())
    told = {
        "name": config["name"],
        "data-dir": f"{config['folder']}/data",
        "listen-client-urls": f"http://{own}:{CLIENTS},http://127.0.0.1:{CLIENTS}",
        "advertise-client-urls": f"http://{own}:{CLIENTS}",
        "listen-peer-urls": f"http://{own}:{PEERS}",
        "initial-advertise-peer-urls": f"http://{own}:{PEERS}",
        "initial-cluster": cluster,
        "initial-cluster-token": "bascule",
        "heartbeat-interval": HEARTBEAT,
        "election-timeout": ELECTION,
        # Or a member that comes back from a cut deposes a leader who serves.
        "pre-vote": str("no-pre-vote" not in config["defects"]).lower(),
        "auto-compaction-mode": "revision",
        "auto-compaction-retention": _KEPT_REVISIONS,
        "logger": "zap",
        "log-outputs": f"{config['logs']}/etcd.log",
    }
    # Its turn first: a late heartbeat is an election for everybody.
    return ["nice", "-n", "-10", "etcd", *(f"--{name}={value}" for name, value in told.items())]


def main() -> None:
    """Become etcd."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(config["logs"]).mkdir(parents=True, exist_ok=True)
    words = command(config)
    os.execvp(words[0], words)  # noqa: S606 - a list of our own


if __name__ == "__main__":
    main()
