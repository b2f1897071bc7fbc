"""The history that wards append while a scenario runs."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .records import Beat, Operation, Probe, Try, Writer


@dataclass(frozen=True)
class History:
    """Everything the wards wrote during a scenario, in no particular order.

    Args:
        writers: one per start line.
        ended: names of the writers that wrote their end line.
        probes: attempts of the pulses.
        beats: attempts of the rounds.
        tries: attempts of operations.
        operations: user actions.
        damaged: numbers, from 1, of lines that are not records. A last line cut short is not among them: that
            is what a writer killed in the middle of a write leaves.
    """

    writers: tuple[Writer, ...] = ()
    ended: frozenset[str] = frozenset()
    probes: tuple[Probe, ...] = ()
    tries: tuple[Try, ...] = ()
    operations: tuple[Operation, ...] = ()
    damaged: tuple[int, ...] = ()
    beats: tuple[Beat, ...] = ()

    @classmethod
    def parse(cls, lines: Iterable[str]) -> History:
        """Read the lines of a history file. Lines of a kind not known here are left out."""
        with collector_resting():
            reading = Reading()
            reading.take(lines)
            return cls(
                writers=tuple(reading.writers),
                ended=frozenset(reading.ended),
                probes=tuple(reading.probes),
                tries=tuple(reading.tries),
                operations=tuple(reading.operations),
                beats=tuple(reading.beats),
                damaged=tuple(number for number in reading.damaged if number != reading.count),
            )

    @property
    def patience_ns(self) -> int | None:
        """How long the clients' operations might take, where the journeys said so."""
        return max((w.patience_ns for w in self.writers if w.patience_ns is not None), default=None)


@contextmanager
def collector_resting() -> Iterator[None]:
    """Millions of records that all stay: looking for garbage among them took a third of the reading time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
