"""What the copies hold and what the trail says, read once everything is back to normal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lab.errors import LabError

Copies = Mapping[str, Mapping[str, Mapping[str, int]]]


FORMAT = 2  # of readback.json; none written before November 2026, which is format 1


class ReadbackError(LabError):
    """A stored read-back cannot be read: not JSON, or of another shape."""


class Trace(NamedTuple):
    """A row of the trail: which access did what to whom, and when by the member's clock (microseconds of 1970)."""

    access: str
    action: str
    patient: str | None
    at_us: int


@dataclass(frozen=True)
class Readback:
    """The writes found in each copy, and the access ids of the trail.

    Args:
        copies: per copy (a server's name), per kind (`acts`, `prescriptions`), how many times each client
            number is there.
        trail: every access id that was traced.
        traces: the rows of the trail in each copy; empty where they were not read back (before November 2026).
    """

    copies: Copies
    trail: frozenset[str]
    traces: Mapping[str, tuple[Trace, ...]] = field(default_factory=dict)

    def held(self, copy: str) -> set[str]:
        """Client numbers that a copy holds, whatever the kind of write."""
        return {key for counts in self.copies[copy].values() for key, count in counts.items() if count}

    def repeated(self) -> set[str]:
        """Client numbers that a copy holds more than once."""
        kinds = (counts for copy in self.copies.values() for counts in copy.values())
        return {key for counts in kinds for key, count in counts.items() if count > 1}

    @classmethod
    def from_json(cls, text: str) -> Readback:
        """Read `readback.json`.

        Raises:
            ReadbackError: the text is not a read-back.
        """
        try:
            stored = json.loads(text)
            copies, trail = stored["copies"], stored["trail"]
            return cls(
                {
                    copy: {
                        kind: {str(key): int(count) for key, count in counts.items()} for kind, counts in kinds.items()
                    }
                    for copy, kinds in copies.items()
                },
                frozenset(trail),
                {copy: rows_of(rows) for copy, rows in stored.get("traces", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReadbackError(f"not a stored read-back: {error!r}") from error

    def to_json(self) -> str:
        """The text of `readback.json`."""
        content: dict[str, Any] = {"format": FORMAT, "copies": self.copies, "trail": sorted(self.trail)}
        if self.traces:
            content["traces"] = self.traces
        return json.dumps(content, default=dict)


def rows_of(rows: Iterable[Iterable[Any]]) -> tuple[Trace, ...]:
    """Rows of a trail as they come from a copy or from a file: access, action, patient, instant.

    Raises:
        ValueError, TypeError: they are not such rows.
    """
    return tuple(
        Trace(str(access), str(action), patient, int(at_us)) for access, action, patient, at_us in map(tuple, rows)
    )
