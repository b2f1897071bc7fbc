"""Orders of humans: anyone may write one into the record, the master obeys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .catalogue import Catalogue
    from .record import Order, Record

KINDS = ("move", "start", "maintenance", "service")


def move(server: str, host: str) -> Order:
    """Stop a server where it is, start it on this host."""
    return {"kind": "move", "server": server, "host": host}


def start(server: str) -> Order:
    """Try a server again that was given up."""
    return {"kind": "start", "server": server}


def maintenance(host: str, *, on: bool) -> Order:
    """Empty a host and give it nothing; or take it back into service."""
    return {"kind": "maintenance" if on else "service", "host": host}


def wrong(order: Order, catalogue: Catalogue) -> str:
    """Why nobody could obey, "" if the master can."""
    if order.get("kind") not in KINDS:
        return f"no order is called {order.get('kind')!r}; known: {', '.join(KINDS)}"
    server, host = order.get("server"), order.get("host")
    if order["kind"] in {"move", "start"} and server not in catalogue.servers:
        return f"no server is called {server!r}; known: {', '.join(sorted(catalogue.servers))}"
    if order["kind"] != "start" and host not in catalogue.hosts:
        return f"no host is called {host!r}; known: {', '.join(sorted(catalogue.hosts))}"
    return ""


def obey(record: Record, catalogue: Catalogue, event: Callable[[str, str], None]) -> Record:
    """Take the orders out of the record, into what they ask for."""
    if not record.orders:
        return record
    for order in record.orders:
        refused = wrong(order, catalogue)
        event("refused" if refused else "order", refused or " ".join(order.values()))
        record = record if refused else _obeyed(record, order)
    return replace(record, orders=())


def _obeyed(record: Record, order: Order) -> Record:
    match order:
        case {"kind": "move", "server": server, "host": host} if server in record.servers:
            if record.servers[server].host != host:
                return replace(_again(record, server), moves={**record.moves, server: host})
        case {"kind": "start", "server": server} if server in record.servers:
            return _again(record, server)
        case {"kind": "maintenance", "host": host}:
            return replace(record, maintenance=record.maintenance | {host})
        case {"kind": "service", "host": host}:
            return replace(record, maintenance=record.maintenance - {host})
    return record


def _again(record: Record, server: str) -> Record:
    """One that was given up gets all its attempts anew: the next one is the first."""
    if not record.servers[server].given_up:
        return record
    again = replace(record.servers[server], attempt=-1, given_up=False)
    return replace(record, servers={**record.servers, server: again})
