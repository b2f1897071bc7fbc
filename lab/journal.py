"""What is broken at this moment, on disk before it is broken, so that anybody can put it right."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Harm(StrEnum):
    """The primitive things that are ever done to a lab; each has exactly one undoing."""

    NODE_OFF = "node off"
    SWITCH_OFF = "switch off"
    UNPLUGGED = "unplugged"
    SILENCED = "silenced"
    FROZEN = "frozen"
    SPOILED = "spoiled"
    CRASHING = "crashing"
    STALLED = "stalled"
    LOSSY = "lossy"
    HOLLOW = "hollow"
    QUEUED = "queued"
    DELAYED = "delayed"
    FLAPPING = "flapping"
    STARVED = "starved"
    SQUEEZED = "squeezed"
    FILLED = "filled"
    ROTTEN = "rotten"
    THROTTLED = "throttled"
    WITHHELD = "withheld"
    MAINTENANCE = "in maintenance"
    REPLACED = "replaced"
    TAKEN_IN = "taken-in"


class Journal:
    """A set of (harm, name) that survives whoever wrote it: one JSON line for each change, synced before the act."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[Harm, set[str]] = {harm: set() for harm in Harm}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Take up a journal where its last writer left it; a line cut short by his death was never acted upon."""
        text = path.read_text() if path.exists() else ""
        if text and not text.endswith("\n"):
            with path.open("ab") as file:
                file.write(b"\n")  # or the next line would be lost with this one
        self = cls(path)
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            names = self._open[Harm(entry["harm"])]
            (names.update if entry["done"] else names.difference_update)(entry["names"])
        return self

    def open(self, harm: Harm) -> frozenset[str]:
        """What suffers this harm now."""
        return frozenset(self._open[harm])

    def items(self) -> list[tuple[Harm, frozenset[str]]]:
        """Every harm with what suffers it."""
        return [(harm, self.open(harm)) for harm in Harm]

    @property
    def is_clear(self) -> bool:
        """Whether nothing is broken."""
        return not any(self._open.values())

    def add(self, harm: Harm, names: Iterable[str]) -> None:
        """Write down what is about to be done."""
        self._write(harm, list(names), done=True)

    def strike(self, harm: Harm, names: Iterable[str]) -> None:
        """Write down what has been put right."""
        self._write(harm, list(names), done=False)

    def _write(self, harm: Harm, names: list[str], *, done: bool) -> None:
        if not names:
            return
        with self._path.open("ab") as file:
            file.write(json.dumps({"harm": harm, "names": names, "done": done}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        (self._open[harm].update if done else self._open[harm].difference_update)(names)
