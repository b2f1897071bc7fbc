"""Run the application of a server, in a pair or alone, or in room three: `python3 -m replica.emr.serve CONFIG.json`.

Until SIGTERM. In room three it serves on the service's address alone, over PostgreSQL.
"""

from __future__ import annotations

import gc
import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from ..outbox import bound
from ..outbox.feed import Feed
from ..outbox.room_three import RoomThree
from .access import Trail
from .app import Member
from .gate import Gate
from .store import THREADS, Store, engine_of, postgresql
from .tokens import Tokens
from .watch import LIVES, STATUS, DatabaseWatch, Elsewhere, judge, judge_alone
from .writing import Kept

if TYPE_CHECKING:
    from .watch import Watch

PORT = 80
_FREEBIND = 15  # IP_FREEBIND: the address may come later


def main(config: dict[str, Any]) -> None:
    """Serve on every address of this server, the virtual one included while it is here."""
    is_room_three = bool(config.get("postgresql"))
    defects = frozenset(config.get("defects") or ())
    store = Store(engine_of(config))
    watch = DatabaseWatch(
        engine_of(config),
        store.engine,
        judge if config.get("twin") else judge_alone,
        LIVES if is_room_three else STATUS,
    )
    feed = feed_of(config, watch, defects)
    name = str(config["server"])
    member = Member(
        name=name,
        store=store,
        trail=Trail(name, defects, hands_on=is_room_three),
        tokens=Tokens(str(config["secret"])),
        watch=Elsewhere(watch, lambda: feed.reason) if feed else watch,
        gate=Gate(THREADS),
        feed=Kept() if is_room_three else feed,
        room_three=feed.status if feed else None,
    )
    watch.start()
    if feed:
        feed.start()
    # What is loaded now stays for ever: collecting it again would only make some requests late.
    gc.freeze()
    told = uvicorn.Config(
        member.app(),
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=60,
    )
    uvicorn.Server(told).run(sockets=[listener(str(config.get("listens", "0.0.0.0")))])  # noqa: S104 - the virtual address comes and goes
    if feed:
        feed.stop()
    watch.stop()


def feed_of(config: dict[str, Any], watch: Watch, defects: frozenset[str]) -> Feed | None:
    """What brings this application's writes to room three; None where the plan has none for it."""
    told = config.get("rescue")
    if not told:
        return None
    bound.waits()
    engine = postgresql(told["address"], told["database"], password=told["password"], threads=1, patient=False)
    room = RoomThree(engine, str(config["server"]))
    charge = Path(str(config["folder"])) / "charge"
    return Feed(engine_of(config), room, lambda: watch.state, charge, defects)


def listener(address: str) -> socket.socket:
    """Listen on an address, be it here or not yet."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.IPPROTO_IP, _FREEBIND, 1)
    found.bind((address, PORT))
    found.listen(512)
    return found


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
