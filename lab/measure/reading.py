"""From lines of JSON to records."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from .records import OUTCOMES, Beat, Operation, Probe, Try, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Row = dict[str, Any]

FORMAT = 1  # `v` of the start lines
_OUTCOMES = {word: word for word in OUTCOMES}  # refuses other words, and keeps one object of each
_BATCH = 2000  # lines; one JSON array of them is read in half the time of as many single lines (measured)


class Reading:
    """Records gathered so far, `count` lines read, and the numbers of those that are not records."""

    def __init__(self) -> None:
        self.count = 0
        self.damaged: list[int] = []
        self.writers: list[Writer] = []
        self.ended: list[str] = []
        self.probes: list[Probe] = []
        self.beats: list[Beat] = []
        self.tries: list[Try] = []
        self.operations: list[Operation] = []
        self._one = _One()
        self._takers: dict[str, Callable[[Row], None]] = {
            "start": self._start,
            "pulse": self._probe,
            "try": self._try,
            "beat": self._beat,
            "op": self._operation,
            "end": lambda row: self.ended.append(row["writer"]),
        }

    def take(self, lines: Iterable[str]) -> None:
        """Add lines."""
        source = iter(lines)
        while batch := list(islice(source, _BATCH)):
            for row in _rows(batch):
                self.count += 1
                try:
                    taker = self._takers.get(row["k"])
                    if taker is not None:
                        taker(row)
                except (KeyError, TypeError, ValueError):
                    self.damaged.append(self.count)

    def _start(self, row: Row) -> None:
        if row["v"] != FORMAT:
            raise ValueError(row["v"])
        grid = [row.get(f"{name}_ns") for name in ("interval", "timeout", "kept_interval", "patience")]
        self.writers.append(Writer(row["writer"], row["t"], *grid))

    # By position and without helpers: these three run a million times.
    def _probe(self, row: Row) -> None:
        one, start, end = self._one, row["s"], row["e"]
        if start > end:  # raises on what is not a number, too
            raise ValueError(end)
        ward, outcome, why, member = (
            one[row["w"]],
            _OUTCOMES[row["o"]],
            one[row.get("why")],
            one[row.get("m")],
        )
        seen = one[row.get("ver")]
        self.probes.append(Probe(ward, row["t"], start, end, outcome, one[row["c"]], why, row["x"], member, seen))

    def _beat(self, row: Row) -> None:
        one, start, end = self._one, row["s"], row["e"]
        if start > end:
            raise ValueError(end)
        ward, address, outcome = one[row["w"]], one[row["a"]], _OUTCOMES[row["o"]]
        told = one[row.get("why")], one[row.get("m")]
        self.beats.append(Beat(ward, row["b"], address, row["t"], start, end, outcome, *told))

    def _try(self, row: Row) -> None:
        one, start, end = self._one, row["s"], row["e"]
        if start > end:
            raise ValueError(end)
        ward, outcome, why, member = (
            one[row["w"]],
            _OUTCOMES[row["o"]],
            one[row.get("why")],
            one[row.get("m")],
        )
        self.tries.append(Try(ward, row["op"], row["n"], start, end, outcome, why, row["x"], member))

    def _operation(self, row: Row) -> None:
        one, start, end = self._one, row["t"], row["e"]
        if start > end:
            raise ValueError(end)
        ward, journey, kind, outcome = one[row["w"]], one[row["j"]], one[row["a"]], _OUTCOMES[row["o"]]
        saw = row.get("saw")
        more = (
            one[row.get("p")],
            row.get("s"),
            None if saw is None else tuple(saw),
            one[row.get("pr")],
            one[row.get("c")],
        )
        self.operations.append(
            Operation(row["op"], ward, journey, kind, row.get("key"), start, end, outcome, row["n"], *more)
        )


class _One(dict[Any, Any]):
    """One object for each word that comes back on every line: wards, journeys, members."""

    def __missing__(self, word: str | None) -> str | None:
        self[word] = word
        return word


def _rows(lines: list[str]) -> list[Any]:
    try:
        rows: list[Any] = json.loads(f"[{','.join(lines)}]")
    except ValueError:
        return [_row(line) for line in lines]
    # Two records glued on one line read well as an array, and would shift every number after them.
    return rows if len(rows) == len(lines) else [_row(line) for line in lines]


def _row(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
