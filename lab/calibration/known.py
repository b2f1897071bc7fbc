"""From known outages and freezes, and a history, to what the instrument is worth. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.measure.instrument import closed_loops, lag_ns, pulse_interval_ns
from lab.measure.interruption import longest_gap
from lab.measure.judging import LAG_BOUND
from lab.measure.records import OK
from lab.measure.wording import Words, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.measure import History

_BEFORE_NS = 100_000_000  # attempts that were under way when it began
_AFTER_NS = 100_000_000  # until the first good one
_FREEZE = "freeze"


class Known(NamedTuple):
    """Something that was done to the cable or to the service: `drop`, `cut` or `freeze`; monotonic ns."""

    how: str
    asked_s: float
    begin_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How long it truly lasted."""
        return self.end_ns - self.begin_ns


class Seen(NamedTuple):
    """What the wards' clients saw of it, in seconds; `measured_s` is 0 where they saw nothing."""

    how: str
    asked_s: float
    true_s: float
    measured_s: float

    @property
    def found(self) -> bool:
        """Whether it was seen at all."""
        return self.measured_s > 0


@dataclass(frozen=True)
class Calibration:
    """What the instrument is worth on this machine; durations in seconds.

    Args:
        seen: each known outage and freeze, with what was measured.
        lag_s: how late the pulse began its attempts, 99.9th percentile.
        trouble: why nothing can be concluded; empty when something can.
    """

    seen: tuple[Seen, ...]
    lag_s: float
    trouble: str = ""
    trouble_fr: str = ""

    @property
    def outages(self) -> list[Seen]:
        """The known outages."""
        return [one for one in self.seen if one.how != _FREEZE]

    @property
    def freezes(self) -> list[Seen]:
        """The known freezes."""
        return [one for one in self.seen if one.how == _FREEZE]

    @property
    def smallest_gap_s(self) -> float | None:
        """The shortest length from which on every outage was seen; None when not even the longest were."""
        smallest = None
        for asked, ones in sorted(_by_length(self.outages).items(), reverse=True):
            if not all(one.found for one in ones):
                break
            smallest = asked
        return smallest

    @property
    def conclusive(self) -> bool:
        """Whether the figures may be believed."""
        return not self.trouble

    @property
    def words(self) -> Words:
        """One sentence in both languages."""
        if self.trouble:
            return Words(f"calibration inconclusive, {self.trouble}", f"étalonnage indéterminé, {self.trouble_fr}")
        found, count = sum(one.found for one in self.outages), len(self.outages)
        off, wide = (f"{figure * 1000:.0f} ms" for figure in worst(self.outages))
        gap = self.smallest_gap_s
        least, least_fr = ("no length", "aucune longueur") if gap is None else (f"{gap * 1000:.0f} ms",) * 2
        return Words(
            f"{found} of {count} known outages seen, length off by {off} at most (spread {wide}), "
            f"all seen from {least} on",
            f"{found} coupures connues vues sur {count}, longueur à {off} près (dispersion {wide}), "
            f"toutes vues à partir de {least_fr}",
        )

    def rows(self) -> list[dict[str, Any]]:
        """By kind and length: how many, how many were seen, bias, spread, worst error; in seconds."""
        kinds: dict[tuple[str, float], list[Seen]] = defaultdict(list)
        for one in self.seen:
            kinds[one.how, one.asked_s].append(one)
        return [{"how": how, "asked_s": asked, **_figures(ones)} for (how, asked), ones in sorted(kinds.items())]

    def stored(self) -> dict[str, Any]:
        """What `campaign.json` keeps of it."""
        return {
            "conclusive": self.conclusive,
            "smallest_gap_s": self.smallest_gap_s,
            "lag_s": self.lag_s,
            "rows": self.rows(),
            "sentence": self.words.en,
            "sentence_fr": self.words.fr,
        }


def _by_length(seen: Iterable[Seen]) -> dict[float, list[Seen]]:
    lengths: dict[float, list[Seen]] = defaultdict(list)
    for one in seen:
        lengths[one.asked_s].append(one)
    return lengths


def worst(seen: Sequence[Seen]) -> tuple[float, float]:
    """The largest error of those that were seen, and how far their errors lie apart (standard deviation)."""
    errors = [one.measured_s - one.true_s for one in seen if one.found]
    return max(map(abs, errors), default=0.0), statistics.pstdev(errors) if errors else 0.0


def _figures(seen: Sequence[Seen]) -> dict[str, Any]:
    errors = [one.measured_s - one.true_s for one in seen if one.found]
    off, spread = worst(seen)
    bias = statistics.fmean(errors) if errors else None
    return {"count": len(seen), "seen": len(errors), "bias_s": bias, "spread_s": spread, "worst_s": off}


def calibration(history: History, known: Iterable[Known], lag_bound: timedelta = LAG_BOUND) -> Calibration:
    """Compare what was done with what was seen."""
    lag = lag_ns(history.probes)
    seen = tuple(_seen(history, one) for one in known)
    trouble = Words("", "")
    if not history.probes:
        trouble = Words("the pulse wrote nothing", "le pouls n'a rien écrit")
    elif left_out := closed_loops(history):
        trouble = Words(f"{left_out[0]} left out starts that it intended", f"{left_out[0]} a sauté des départs prévus")
    elif lag > lag_bound.total_seconds() * 1e9:
        late = spoken(timedelta(microseconds=lag / 1000))
        trouble = Words(f"the pulse itself was late by {late.en}", f"le pouls lui-même avait {late.fr} de retard")
    return Calibration(seen, lag / 1e9, trouble.en, trouble.fr)


def _seen(history: History, known: Known) -> Seen:
    begin, end = known.begin_ns - _BEFORE_NS, known.end_ns + _AFTER_NS
    if known.how == _FREEZE:
        waits = [
            op.latency_ns
            for op in history.operations
            if op.outcome == OK and op.end_ns > known.begin_ns and op.intended_ns < known.end_ns
        ]
        measured = max((wait for wait in waits if wait > _BEFORE_NS), default=0)
    else:
        around = [row for row in history.probes if row.connection == "new" and begin <= row.intended_ns <= end]
        measured = longest_gap(around, pulse_interval_ns(history))
    return Seen(known.how, known.asked_s, known.length_ns / 1e9, measured / 1e9)
