"""What room three's database holds besides the record: who serves, and when it lacked something."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String, Table

metadata = MetaData()


class Standing(StrEnum):
    """What room three does for a service."""

    BY = "standing by"
    SERVES = "serves"
    CLOSED = "closed"  # serves no more, and waits until rooms one and two have all that it recorded


charge = Table(
    "charge",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("standing", String(16), nullable=False),
    Column("heard_at", DateTime),  # the last sign of life of rooms one and two
    Column("complete_at", DateTime),  # the last time they said that room three has all
    Column("lacking", Integer, nullable=False),  # acknowledged rows that were missing at the last sign of life
)

unprotected = Table(
    "unprotected",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("member", String(64), nullable=False),
    Column("since", DateTime, nullable=False),
    Column("until", DateTime, nullable=False),
    Column("number_of_rows", Integer, nullable=False),
)
