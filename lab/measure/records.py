"""What a line of the history says. All instants are nanoseconds of the machine's one monotonic clock."""

from __future__ import annotations

from typing import NamedTuple

OK = "ok"
OUTCOMES = frozenset({OK, "failed", "unknown"})


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


class Probe(NamedTuple):
    """One attempt of the pulse; `connection` is `new` or `kept`, `version` the instant of the newest act shown."""

    ward: str
    intended_ns: int
    start_ns: int
    end_ns: int
    outcome: str
    connection: str
    why: str | None
    access: str
    member: str | None
    version: str | None = None


class Beat(NamedTuple):
    """One attempt of the rounds: pulse number `pulse` of a ward, at an address of its own."""

    ward: str
    pulse: int
    address: str
    intended_ns: int
    start_ns: int
    end_ns: int
    outcome: str
    why: str | None
    member: str | None


class Try(NamedTuple):
    """One attempt of an operation."""

    ward: str
    operation: str
    number: int
    start_ns: int
    end_ns: int
    outcome: str
    why: str | None
    access: str
    member: str | None


class Operation(NamedTuple):
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
    outcome: str
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
