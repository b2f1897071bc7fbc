"""The tables of the record, the access trail and the outbox."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import mysql

metadata = MetaData()

_ID = 16
_NUMBER = 64  # a client's own number of a write, or of an access
_WORD = 64
_INSTANT = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")  # UTC
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only plain integers by itself

clinicians = Table(
    "clinicians",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("family_name", String(_WORD), nullable=False),
    Column("given_name", String(_WORD), nullable=False),
    Column("role", String(_WORD), nullable=False),
    Column("ward", String(_WORD), nullable=False),
    Column("digest", String(_WORD), nullable=False),
)

patients = Table(
    "patients",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("family_name", String(_WORD), nullable=False),
    Column("given_name", String(_WORD), nullable=False),
    Column("born", Date, nullable=False),
    Column("sex", String(1), nullable=False),
    Column("ward", String(_WORD), nullable=False),
    Column("bed", String(_ID), nullable=False),
    Column("allergies", String(200), nullable=False),
    Column("history", String(200), nullable=False),
)

acts = Table(
    "acts",
    metadata,
    Column("number", String(_NUMBER), primary_key=True),
    Column("patient", String(_ID), nullable=False),
    Column("clinician", String(_ID), nullable=False),
    Column("kind", String(_WORD), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("at", _INSTANT, nullable=False),
    Index("acts_of_patient", "patient", "at"),
)

prescriptions = Table(
    "prescriptions",
    metadata,
    Column("number", String(_NUMBER), primary_key=True),
    Column("patient", String(_ID), nullable=False),
    Column("clinician", String(_ID), nullable=False),
    Column("drug", String(_WORD), nullable=False),
    Column("dose", String(_WORD), nullable=False),
    Column("per_day", Integer, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Index("prescriptions_of_patient", "patient", "at"),
)

# An access id that comes twice (a proxy, a careless client) must not refuse care: the key is ours, not the client's.
access_trail = Table(
    "access_trail",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("access", String(_NUMBER), nullable=False),
    Column("member", String(_WORD), nullable=False),
    Column("clinician", String(_ID), nullable=False),
    Column("patient", String(_ID)),
    Column("action", String(_WORD), nullable=False),
    Column("at", _INSTANT, nullable=False),
    Index("trail_of_access", "access", "member"),
)

# What was fetched from room three, by its numbers there. Two members, or one whose commit hung on a frozen disk
# and is tried again, collide here: nothing is fetched twice.
fetched = Table(
    "fetched",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("kind", String(_WORD), nullable=False),
    Column("number", String(_NUMBER), nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Index("outbox_of_number", "number"),
)
