"""Whether this host is cut off: it hears nobody, and no isolation address answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .neighbours import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from .neighbours import Neighbours
    from .settings import Settings


class Isolation:
    """The verdict of one host on itself.

    Args:
        host: its name.
        neighbours: whom it hears.
        settings: the timers.
        event: told when the verdict changes.

    Attributes:
        declared: whether it takes itself for isolated.
        respond: whether it has been for so long that its policy applies.
    """

    def __init__(
        self, host: str, neighbours: Neighbours, settings: Settings, event: Callable[[str, str], None]
    ) -> None:
        self._host = host
        self._neighbours = neighbours
        self._settings = settings
        self._event = event
        self._answered = NEVER
        self.declared = self.respond = False

    def begin(self, now: float) -> None:
        """Silence counts from here."""
        self._answered = now

    def answered(self, now: float) -> None:
        """An isolation address did."""
        self._answered = now

    def forgive(self, seconds: float, now: float) -> None:
        """This host was asleep."""
        self._answered = min(self._answered + seconds, now)

    def tick(self, now: float, *, master: bool) -> None:
        """Judge anew. A master declares itself earlier, so that another may take its place."""
        settings = self._settings
        declares = settings.master_isolation_declared if master else settings.isolation_declared
        responds = settings.master_isolation_response if master else settings.isolation_response
        cut_off = min(self._neighbours.alone(now), now - self._answered)
        declared = bool(self._neighbours.others) and cut_off >= declares
        self.respond = declared and cut_off >= responds
        if declared != self.declared:
            self.declared = declared
            said = "hears nobody and reaches no isolation address" if declared else "is back"
            self._event("isolated" if declared else "returned", f"{self._host} {said}")
