"""What an agent asks of the world besides the store (`..mirror.store`)."""

from __future__ import annotations

from typing import Protocol


class Outside(Protocol):
    """The hypervisor, and whoever notes the events. None of these calls back before it returns.

    Orders may be given twice: a start of what runs with this number, a stop of what does not run, do nothing. A server
    that failed is shown as failed until it is started anew or stopped.
    """

    def start(self, server: str, number: int) -> None:
        """Start a server in this session; `Agent.saw` shows it booting, or failed."""

    def stop(self, server: str, reason: str, *, hard: bool) -> None:
        """Stop a server: hard is its power; otherwise its guest is asked. `Agent.saw` shows it no more."""

    def event(self, kind: str, detail: str) -> None:
        """Something happened that explains an outage; see `docs/cluster.md` for the kinds."""
