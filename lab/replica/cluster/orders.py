"""Orders of humans: anyone may write one into the record, the master obeys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..mirror.store import REFUSED, UNKNOWN
from .record import CLUSTER, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..mirror.store import Entry, Store
    from .catalogue import Catalogue
    from .record import Order

_TRIES = 50
_REMEMBERED = 32
"""Orders that the record remembers to have seen obeyed: one whose writing was not confirmed is not given twice."""
KINDS = ("move", "start", "stop", "maintenance", "service")


def move(server: str, host: str) -> Order:
    """Stop a server where it is, start it on this host."""
    return {"kind": "move", "server": server, "host": host}


def start(server: str, room: str = "") -> Order:
    """Try a server again that was given up or stopped; in this room from now on, if one is named."""
    return {"kind": "start", "server": server, **({"room": room} if room else {})}


def stop(server: str) -> Order:
    """Stop a server, and start it nowhere until that is ordered."""
    return {"kind": "stop", "server": server}


def maintenance(host: str, *, on: bool) -> Order:
    """Empty a host and give it nothing; or take it back into service."""
    return {"kind": "maintenance" if on else "service", "host": host}


def wrong(order: Order, catalogue: Catalogue) -> str:
    """Why nobody could obey, "" if the master can."""
    if order.get("kind") not in KINDS:
        return f"no order is called {order.get('kind')!r}; known: {', '.join(KINDS)}"
    server, host = order.get("server"), order.get("host")
    if order["kind"] in {"move", "start", "stop"} and server not in catalogue.servers:
        return f"no server is called {server!r}; known: {', '.join(sorted(catalogue.servers))}"
    rooms = {about.room for about in catalogue.hosts.values()}
    if order.get("room", "") not in {"", *rooms}:
        return f"no host stands in {order['room']!r}; known: {', '.join(sorted(rooms))}"
    if order["kind"] not in {"start", "stop"} and host not in catalogue.hosts:
        return f"no host is called {host!r}; known: {', '.join(sorted(catalogue.hosts))}"
    return ""


def write(store: Store, order: Order, then: Callable[[str], None], tries: int = _TRIES) -> None:
    """Write an order with an id of its own into the record; `then` hears "" or why it was not written."""

    def read(found: Mapping[str, Entry] | None, now: float) -> None:
        if found is None or not found[CLUSTER].revision:
            again(UNKNOWN, now)
            return
        record = Record.from_json(found[CLUSTER].value)
        if order in record.orders or order["id"] in record.obeyed:
            then("")
            return
        put = {CLUSTER: replace(record, orders=(*record.orders, order)).to_json()}
        store.swap({CLUSTER: found[CLUSTER].revision}, put, again)

    def again(outcome: int, _now: float) -> None:
        if outcome not in {REFUSED, UNKNOWN}:
            then("")
        elif tries:
            write(store, order, then, tries - 1)
        else:
            then("the arbiters do not answer: whether the order was written is not known")

    store.read((CLUSTER,), read)


def obey(record: Record, catalogue: Catalogue, event: Callable[[str, str], None]) -> Record:
    """Take the orders out of the record, into what they ask for."""
    if not record.orders:
        return record
    for order in record.orders:
        refused = wrong(order, catalogue)
        event("refused" if refused else "order", refused or " ".join(v for k, v in order.items() if k != "id"))
        record = record if refused else _obeyed(record, order, catalogue)
    seen = (*record.obeyed, *(order.get("id", "") for order in record.orders))
    return replace(record, orders=(), obeyed=seen[-_REMEMBERED:])


def _obeyed(record: Record, order: Order, catalogue: Catalogue) -> Record:  # noqa: PLR0911 - one for each order
    match order:
        case {"kind": "move", "server": server, "host": host} if server in record.servers:
            if record.servers[server].host != host:
                return replace(_again(record, server), moves={**record.moves, server: host})
        case {"kind": "start", "server": server, "room": room} if server in record.servers:
            return _sent(_again(record, server), server, room, catalogue)
        case {"kind": "start", "server": server} if server in record.servers:
            return _again(record, server)
        case {"kind": "stop", "server": server} if server in record.servers:
            stopped = replace(record.servers[server], given_up=True)
            servers = {**record.servers, server: stopped}
            return replace(record, servers=servers, moves={**record.moves, server: ""})
        case {"kind": "maintenance", "host": host}:
            return replace(record, maintenance=record.maintenance | {host})
        case {"kind": "service", "host": host}:
            return replace(record, maintenance=record.maintenance - {host})
    return record


def _sent(record: Record, server: str, room: str, catalogue: Catalogue) -> Record:
    """A server starts in this room from now on. Its next session is fence enough: nobody waits for its old host."""
    rooms, one = {**record.rooms, server: room}, record.servers[server]
    host = catalogue.hosts.get(one.host)
    if host is not None and host.room == room:
        return replace(record, rooms=rooms)
    moves = {name: to for name, to in record.moves.items() if name != server}
    return replace(record, servers={**record.servers, server: replace(one, host="")}, moves=moves, rooms=rooms)


def _again(record: Record, server: str) -> Record:
    """One that was given up gets all its attempts anew: the next one is the first."""
    if not record.servers[server].given_up:
        return record
    again = replace(record.servers[server], attempt=-1, given_up=False)
    return replace(record, servers={**record.servers, server: again})
