"""What one member's own database holds, straight through SQL and not through the application.

`python3 -m replica.emr.readback CONFIG.json [--prefix TAG]` prints one line of JSON:
`{"acts": {number: count}, "prescriptions": {number: count}, "trail": [access ids],
"traces": [[access id, action, patient, microseconds of 1970]]}`, restricted to the numbers and access ids which begin
with TAG. Reading waits until this member has applied all that the pair committed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from . import schema
from .store import engine_of

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.engine import Connection

_1970 = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the tables hold UTC without saying so
_MICROSECOND = dt.timedelta(microseconds=1)


def read(connection: Connection, prefix: str = "") -> dict[str, Any]:
    """The copy that this connection sees, in the shape of the bench's `readback.json`."""
    traces = _traces(connection, prefix)
    return {
        "acts": _counts(connection, schema.acts.c.number, prefix),
        "prescriptions": _counts(connection, schema.prescriptions.c.number, prefix),
        "trail": [row[0] for row in traces],
        "traces": traces,
    }


def main(arguments: list[str] | None = None) -> None:
    """Print what the member of this configuration holds."""
    parser = argparse.ArgumentParser(prog="replica.emr.readback", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--prefix", default="")
    options = parser.parse_args(arguments)
    config = json.loads(options.config.read_text(encoding="utf-8"))
    engine = engine_of(config, wait=60.0)
    with engine.connect() as connection:
        print(json.dumps(read(connection, options.prefix)))  # noqa: T201 - the answer is what is printed


def _counts(connection: Connection, number: Column[Any], prefix: str) -> dict[str, int]:
    wanted = select(number, func.count()).where(number.startswith(prefix, autoescape=True)).group_by(number)
    return {row[0]: row[1] for row in connection.execute(wanted)}


def _traces(connection: Connection, prefix: str) -> list[tuple[str, str, str | None, int]]:
    table = schema.access_trail.c
    wanted = select(table.access, table.action, table.patient, table.at)
    mine = wanted.where(table.access.startswith(prefix, autoescape=True)).order_by(table.seq)
    rows = connection.execute(mine)
    return [(access, action, patient, (at - _1970) // _MICROSECOND) for access, action, patient, at in rows]


if __name__ == "__main__":
    main()
