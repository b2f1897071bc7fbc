"""The segments of a failover: as the bench marked them in its log, else as the pulse saw them from outside. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.model import Segment, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reports.model import Event, Lane

MARKED = ("detect", "decide", "fence", "boot", "reconnect")
"""Events that end a segment: what a failover is made of."""
SEEN = ("noticed", "unanswered", "redundant")
"""What can be told of a failover from outside: until it was felt, without an answer, until all is whole again."""


def segments(
    events: Iterable[Event], lanes: Iterable[Lane], injected: float | None, healed: float | None, returned: float | None
) -> tuple[Segment, ...]:
    """Return the segments of a scenario; none where nothing was broken."""
    if injected is None:
        return ()
    marks = [event for event in events if event.what in MARKED and event.at >= injected]
    return tuple(_marked(marks, injected) if marks else _seen(lanes, injected, healed, returned))


def _marked(marks: Sequence[Event], injected: float) -> Iterator[Segment]:
    begun = injected
    for mark in marks:
        yield Segment(mark.what, begun, mark.at - begun)
        begun = mark.at


def _seen(lanes: Iterable[Lane], injected: float, healed: float | None, returned: float | None) -> Iterator[Segment]:
    """Yield what the pulse on new connections saw: its longest stretch without an answer while the fault held."""
    outages = [
        span
        for lane in lanes
        if lane.journey == "pulse"
        for span in lane.spans
        if span.state is State.INTERRUPTED and span.end > injected and (healed is None or span.start < healed)
    ]
    if not outages:
        return
    longest = max(outages, key=lambda span: (span.end - span.start, -span.start))
    yield Segment("noticed", injected, max(0.0, longest.start - injected))
    yield Segment("unanswered", longest.start, longest.end - longest.start)
    if returned is not None:
        yield Segment("redundant", longest.end, max(0.0, returned - longest.end))
