"""What the runs before this one gave: kept in the run's own folder, so that the document does not change with them.

`earlier.json` is written once, from the runs beside it on the same plan; a copy of the run folder still holds it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping  # noqa: TC003 - pydantic inspects the annotations of the class at run time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from lab.measure import Outcome
from reports.model import Gap, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EARLIER = "earlier.json"
VERSION = 1
KEPT = 12
"""Plays of a scenario that are kept by name, beside the last conforming one."""


@dataclass(frozen=True)
class Played:
    """One play of a scenario, as its verdict recorded it."""

    id: str
    family: str
    run: str
    at: datetime
    plan: str
    """The beginning of the SHA-256 of the plan as used."""
    outcome: Outcome
    observed: str | None = None
    accepted: bool = False
    interruption: timedelta = timedelta()
    freeze: timedelta = timedelta()
    harmed: int = 0
    """Acknowledged writes lost or there twice."""
    without_redundancy: timedelta | None = None


@dataclass(frozen=True)
class Past:
    """The plays of one scenario, oldest first."""

    count: int
    last: tuple[Played, ...]
    conforming: Played | None = None
    """The last that met its objective."""


@dataclass(frozen=True)
class Earlier:
    """The runs before this one."""

    runs: int = 0
    first: datetime | None = None
    scenarios: Mapping[str, Past] = field(default_factory=dict)
    """By identifier."""

    def of(self, scenario: str) -> Past | None:
        """Return the past of a scenario; None where it was never played before."""
        return self.scenarios.get(scenario)


_ADAPTER = TypeAdapter(Earlier)


def gathered(plays: Iterable[Played]) -> Earlier:
    """Return what plays amount to, in whatever order they come."""
    by_scenario: dict[str, list[Played]] = defaultdict(list)
    ordered = sorted(plays, key=lambda play: (play.at, play.run, play.id))
    for play in ordered:
        by_scenario[play.id].append(play)
    pasts = {name: Past(len(of), tuple(of[-KEPT:]), _conforming(of)) for name, of in sorted(by_scenario.items())}
    first = ordered[0].at if ordered else None
    return Earlier(len({play.run for play in ordered}), first, pasts)


def _conforming(plays: list[Played]) -> Played | None:
    return next((play for play in reversed(plays) if play.outcome is Outcome.MET), None)


def to_json(earlier: Earlier) -> str:
    """Return the text of `earlier.json`: durations in seconds."""
    content: dict[str, Any] = {"version": VERSION, **_ADAPTER.dump_python(earlier, mode="python")}
    return json.dumps(content, ensure_ascii=False, indent=1, default=_plain) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} does not go into {EARLIER}")


def read(run_folder: Path) -> tuple[Earlier | None, tuple[Gap, ...]]:
    """Return what a run folder keeps of the runs before it."""
    try:
        content = json.loads((run_folder / EARLIER).read_text("utf-8"))
        if not isinstance(content, dict) or content.pop("version", None) != VERSION:
            return None, (Gap(EARLIER, Problem.OTHER_FORMAT),)
        return _ADAPTER.validate_python(content), ()
    except FileNotFoundError:
        return None, ()
    except (OSError, ValueError, ValidationError):
        return None, (Gap(EARLIER, Problem.UNREADABLE),)
