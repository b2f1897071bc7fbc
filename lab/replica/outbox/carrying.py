"""Rows of an outbox, made from a record and put into another one: either way, on any database, each once."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, text

from ..emr import schema
from .core import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

ACCESS = "access"
"""The kind of a row that carries an audit row alone."""
_TABLES: dict[str, Table] = {"act": schema.acts, "prescription": schema.prescriptions}

Values = dict[str, Any]


def put(
    connection: Connection, kind: str, number: str, *, row: Values | None = None, access: Values | None = None
) -> Row:
    """Leave a row in the outbox, in the caller's transaction: what was written, its audit row, or both."""
    (at, *_) = (values["at"] for values in (row, access) if values)
    payload = json.dumps({"row": _written(row), "access": _written(access)}, ensure_ascii=False)
    values = {"kind": kind, "number": number, "payload": payload, "at": at}
    key: Any = connection.execute(insert(schema.outbox), values).inserted_primary_key
    return Row(key[0], kind, payload)


def oldest(connection: Connection, limit: int, now: dt.datetime) -> list[Row]:
    """The first rows of the outbox, in order."""
    table = schema.outbox.c
    wanted = select(table.seq, table.kind, table.payload, table.at).order_by(table.seq).limit(limit)
    return [
        Row(seq, kind, payload, (now - at).total_seconds()) for seq, kind, payload, at in connection.execute(wanted)
    ]


def settle(connection: Connection) -> None:
    """Return when what this connection has read is on the database's own disk.

    MariaDB shows a row to others before its log is there (S8: room three had acts that no member had after a loss of
    its storage). Whoever delivers what he just wrote has waited for that, whoever reads the table has not.
    """
    if connection.dialect.name in {"mysql", "mariadb"}:
        connection.execute(text("FLUSH LOCAL ENGINE LOGS"))


def find(connection: Connection, kind: str, number: str) -> Row | None:
    """The row of one write, if it is still in the outbox."""
    table = schema.outbox.c
    wanted = select(table.seq, table.kind, table.payload).where(table.number == number, table.kind == kind)
    found = connection.execute(wanted).first()
    return None if found is None else Row(*found)


def forget(connection: Connection, seqs: Iterable[int]) -> None:
    """Delete rows of the outbox."""
    connection.execute(delete(schema.outbox).where(schema.outbox.c.seq.in_(sorted(seqs))))


def fetch(connection: Connection, rows: Sequence[Row]) -> None:
    """Put rows of room three's outbox into the record of this connection, each once whoever else is at it.

    Raises:
        sqlalchemy.exc.DBAPIError: somebody else is; nothing was written.
    """
    table = schema.fetched
    seqs = [row.seq for row in rows]
    known = set(connection.execute(select(table.c.seq).where(table.c.seq.in_(seqs))).scalars())
    new = [row for row in rows if row.seq not in known]
    if new:
        connection.execute(insert(table), [{"seq": row.seq} for row in new])
        apply(connection, new)


def by_table(rows: Sequence[Row]) -> dict[str, str]:
    """What rows carry, as one JSON array for each table."""
    contents = [(row.kind, json.loads(row.payload)) for row in rows]
    found: dict[str, list[Values]] = {
        f"{kind}s": [content["row"] for of, content in contents if of == kind] for kind in _TABLES
    }
    found["trail"] = [content["access"] for _, content in contents if content["access"]]
    return {name: json.dumps(values, ensure_ascii=False) for name, values in found.items()}


def apply(connection: Connection, rows: Sequence[Row]) -> None:
    """Put rows into the record of this connection, in order; what it has is left alone.

    Nobody else may apply rows to it meanwhile.
    """
    known = {
        kind: _known(connection, table, [row for row in rows if row.kind == kind]) for kind, table in _TABLES.items()
    }
    traced = _traced(connection, rows)
    _insert(connection, rows, known, traced)


def _insert(
    connection: Connection,
    rows: Sequence[Row],
    known: dict[str, set[str]],
    traced: set[tuple[str, str]],
) -> None:
    care: dict[str, dict[str, Values]] = {kind: {} for kind in _TABLES}
    accesses: dict[tuple[str, str], Values] = {}
    for row in rows:
        content = json.loads(row.payload)
        if content["row"]:
            care[row.kind][content["row"]["number"]] = _read(content["row"])
        if content["access"]:
            access = _read(content["access"])
            accesses[access["access"], access["member"]] = access
    for kind, values in care.items():
        new = [value for number, value in values.items() if number not in known[kind]]
        if new:
            connection.execute(insert(_TABLES[kind]), new)
    new = [value for key, value in accesses.items() if key not in traced]
    if new:
        connection.execute(insert(schema.access_trail), new)


def _known(connection: Connection, table: Table, rows: Sequence[Row]) -> set[str]:
    numbers = [json.loads(row.payload)["row"]["number"] for row in rows]
    if not numbers:
        return set()
    return set(connection.execute(select(table.c.number).where(table.c.number.in_(numbers))).scalars())


def _traced(connection: Connection, rows: Sequence[Row]) -> set[tuple[str, str]]:
    accesses = [access for row in rows if (access := json.loads(row.payload)["access"])]
    table = schema.access_trail.c
    wanted = select(table.access, table.member).where(table.access.in_([access["access"] for access in accesses]))
    return {(access, member) for access, member in connection.execute(wanted)} if accesses else set()


def _written(values: Values | None) -> Values | None:
    return values and {**values, "at": values["at"].isoformat()}


def _read(values: Values) -> Values:
    return {**values, "at": dt.datetime.fromisoformat(values["at"])}
