"""The segments of a failover, from what the agents noted: detect, decide, fence, boot, and then reconnect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DETECTED = ("dead", "crash", "reset", "release")
_FRENCH = (
    (re.compile(r"^(\S+) is dead, says (\S+)$"), r"\1 déclaré mort par \2"),
    (re.compile(r"^(\S+) failed on (\S+) \(\d+\)$"), r"\1 s'est arrêté sur \2"),
    (re.compile(r"^(\S+) gives no sign on (\S+)$"), r"\1 ne donne plus signe de vie sur \2"),
    (re.compile(r"^(\S+) gives up (\S+): .*$"), r"\1 abandonne \2"),
    (re.compile(r"^(\S+) on (\S+), session (\d+)$"), r"\1 attribué à \2, session \3"),
    (re.compile(r"^session (\d+) of (\S+) ends the one of (\S+)$"), r"la session \1 de \2 met fin à celle de \3"),
    (re.compile(r"^(\S+) serves on (\S+)$"), r"\1 rend son service sur \2"),
)


@dataclass(frozen=True)
class Mark:
    """The end of a segment.

    Args:
        what: `detect`, `decide`, `fence` or `boot`.
        at: when, monotonic ns.
        text: what happened then.
    """

    what: str
    at: int
    text: str

    @property
    def french(self) -> str:
        """The same for the report."""
        for shape, words in _FRENCH:
            if shape.match(self.text):
                return shape.sub(words, self.text)
        return self.text


def marks(events: Iterable[dict[str, Any]], since: int) -> Iterator[Mark]:
    """The ends of the segments of the failover that began after an instant; none where no server was restarted.

    Of several servers that were lost together: the first detection, decision and fence, and the last that serves.
    """
    told = sorted((event for event in events if event["at"] >= since), key=lambda event: int(event["at"]))
    started = [event for event in told if event["kind"] == "start"]
    served = [event for event in told if event["kind"] == "boot"]
    if not started or not served:
        return
    for what, kinds in (("detect", _DETECTED), ("fence", ("fence",)), ("decide", ("decide",))):
        first = next((event for event in told if event["kind"] in kinds and event["at"] <= started[0]["at"]), None)
        if first is not None:
            yield Mark(what, int(first["at"]), str(first["detail"]))
    yield Mark("boot", int(served[-1]["at"]), str(served[-1]["detail"]))
