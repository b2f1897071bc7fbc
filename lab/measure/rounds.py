"""Who was away, by the rounds: the longest time during which no pulse at an address succeeded."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from .interruption import longest_gap
from .records import Probe

if TYPE_CHECKING:
    from .history import History

_NS_IN_S = 1_000_000_000


class Away(NamedTuple):
    """An address, how many attempts were made at it, how many failed, and the longest outage they saw (seconds).

    The outage is known to within `resolution_s`: an address that one pulse asks is asked once a second.
    """

    address: str
    attempts: int
    failed: int
    longest_s: float
    resolution_s: float


def away(history: History, since_ns: int = 0) -> tuple[Away, ...]:
    """Every address that the rounds asked, by address: what ended after an instant, the injection."""
    asked: dict[str, list[Probe]] = defaultdict(list)
    pulses: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for beat in history.beats:
        if beat.end_ns <= since_ns:
            continue
        # One series for each address, whichever pulse asked: several of them look closer together.
        asked[beat.address].append(
            Probe("", beat.intended_ns, beat.start_ns, beat.end_ns, beat.outcome, "new", beat.why, "", beat.member)
        )
        pulses[beat.address].add((beat.ward, beat.pulse))
    found = []
    for address, probes in sorted(asked.items()):
        interval = _NS_IN_S // len(pulses[address])
        failed = sum(probe.outcome != "ok" for probe in probes)
        found.append(Away(address, len(probes), failed, longest_gap(probes, interval) / 1e9, interval / 1e9))
    return tuple(found)
