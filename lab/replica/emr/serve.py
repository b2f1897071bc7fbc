"""Run the application of a server, in a pair or alone: `python3 -m replica.emr.serve CONFIG.json`, until SIGTERM."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import uvicorn

from .access import Trail
from .app import Member
from .gate import Gate
from .store import THREADS, Store, mariadb
from .tokens import Tokens
from .watch import DatabaseWatch, judge, judge_alone

PORT = 80


def main(config: dict[str, object]) -> None:
    """Serve on every address of this server, the virtual one included while it is here."""
    socket = f"{config['folder']}/mariadb.sock"
    defects = config.get("defects")
    store = Store(mariadb(socket))
    watch = DatabaseWatch(mariadb(socket), store.engine, judge if config.get("twin") else judge_alone)
    name = str(config["server"])
    member = Member(
        name=name,
        store=store,
        trail=Trail(name, frozenset(defects if isinstance(defects, list) else ())),
        tokens=Tokens(str(config["secret"])),
        watch=watch,
        gate=Gate(THREADS),
    )
    watch.start()
    # What is loaded now stays for ever: collecting it again would only make some requests late.
    gc.freeze()
    uvicorn.run(
        member.app(),
        host="0.0.0.0",  # noqa: S104 - the virtual address comes and goes
        port=PORT,
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=60,
        backlog=512,
    )
    watch.stop()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
