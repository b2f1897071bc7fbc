"""What a line of the history says. All instants are nanoseconds of the machine's one monotonic clock.

The records that come by the million are decoded straight from their lines, by the names in the `rename` of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import msgspec

OK = "ok"
FOREVER_NS = 1 << 62
if TYPE_CHECKING:
    Outcome: TypeAlias = str
else:  # refuses other words, and keeps one object of each
    Outcome = Literal["ok", "failed", "unknown"]


class Writer(NamedTuple):
    """A start line: who wrote, since when, and on which grid.

    `name` is `pulse@<ward>` or `journeys@<ward>`; `interval_ns` the grid of its attempts or operations;
    `kept_interval_ns` the grid of a pulse's kept connections; `patience_ns` how long its operations may take
    before a user gives up. None where it did not say.
    """

    name: str
    started_ns: int
    interval_ns: int | None
    timeout_ns: int | None
    kept_interval_ns: int | None
    patience_ns: int | None

    @property
    def ward(self) -> str:
        """The ward it stands in."""
        return self.name.partition("@")[2]

    @property
    def is_pulse(self) -> bool:
        """Whether it is a pulse rather than journeys."""
        return self.name.startswith("pulse@")


_PROBE = {
    "ward": "w",
    "intended_ns": "t",
    "start_ns": "s",
    "end_ns": "e",
    "outcome": "o",
    "connection": "c",
    "access": "x",
    "member": "m",
    "version": "ver",
}


class Probe(msgspec.Struct, tag_field="k", tag="pulse", rename=_PROBE, gc=False):
    """One attempt of the pulse; `connection` is `new` or `kept`, `version` the instant of the newest act shown."""

    ward: str
    intended_ns: int
    start_ns: int
    end_ns: int
    outcome: Outcome
    connection: str
    why: str | None
    access: str
    member: str | None
    version: str | None = None


_BEAT = {
    "ward": "w",
    "intended_ns": "t",
    "start_ns": "s",
    "end_ns": "e",
    "outcome": "o",
    "pulse": "b",
    "address": "a",
    "member": "m",
}


class Beat(msgspec.Struct, tag_field="k", tag="beat", rename=_BEAT, gc=False):
    """One attempt of the rounds: pulse number `pulse` of a ward, at an address of its own."""

    ward: str
    pulse: int
    address: str
    intended_ns: int
    start_ns: int
    end_ns: int
    outcome: Outcome
    why: str | None
    member: str | None


_TRY = {
    "ward": "w",
    "operation": "op",
    "number": "n",
    "start_ns": "s",
    "end_ns": "e",
    "outcome": "o",
    "access": "x",
    "member": "m",
}


class Try(msgspec.Struct, tag_field="k", tag="try", rename=_TRY, gc=False):
    """One attempt of an operation."""

    ward: str
    operation: str
    number: int
    start_ns: int
    end_ns: int
    outcome: Outcome
    why: str | None
    access: str
    member: str | None


_OPERATION = {
    "id": "op",
    "ward": "w",
    "journey": "j",
    "kind": "a",
    "intended_ns": "t",
    "end_ns": "e",
    "outcome": "o",
    "tries": "n",
    "patient": "p",
    "asked_ns": "s",
    "profession": "pr",
    "connection": "c",
}


class Operation(msgspec.Struct, tag_field="k", tag="op", rename=_OPERATION, gc=False):
    """One user action; `kind` is `read` or `write`, `key` the client number of a write.

    `patient` is whose record it was about, `asked_ns` when its last attempt began, `saw` the numbers that a read was
    shown: all of a record's first page; of a list of prescriptions those of this run; `profession` who did it, and
    `connection` whether their session keeps one (`kept`) or makes one each time (`new`). None before November 2026.
    """

    id: str
    ward: str
    journey: str
    kind: str
    key: str | None
    intended_ns: int
    end_ns: int
    outcome: Outcome
    tries: int
    patient: str | None = None
    asked_ns: int | None = None
    saw: tuple[str, ...] | None = None
    profession: str | None = None
    connection: str | None = None

    @property
    def latency_ns(self) -> int:
        """What the user waited, from the intended start."""
        return self.end_ns - self.intended_ns

    def served(self, patience_ns: int | None) -> bool:
        """Whether it succeeded before the user lost patience."""
        return self.outcome == OK and (patience_ns is None or self.latency_ns <= patience_ns)
