"""Room three as an operator sees it: what it does for each service, and how far behind it is."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.nodes import NodeError
from lab.nodes.specs import principal, rescue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.nodes import Containers
    from lab.plan import Plan

BY = "standing by"


@dataclass(frozen=True)
class Unprotected:
    """A time during which room three lacked something that a clinician had been told was recorded (monotonic ns)."""

    member: str
    since_ns: int
    until_ns: int
    rows: int

    @property
    def length(self) -> timedelta:
        """How long."""
        return timedelta(microseconds=(self.until_ns - self.since_ns) / 1000)


class Rescue:
    """Room three of a lab; `node` is None where the plan has none, or no service for it."""

    def __init__(self, plan: Plan, nodes: Containers) -> None:
        self._nodes = nodes
        self.node = rescue(plan)
        self.services = principal(plan) if self.node else []

    def status(self, service: str) -> dict[str, Any] | None:
        """How a service stands in room three; None when that does not answer."""
        return self._status().get(service)

    def answers(self) -> bool:
        """Whether room three says how each of its services stands; true where a plan has no room three."""
        return not self.services or self._status().keys() >= set(self.services)

    def serving(self) -> list[str]:
        """The services that room three has in its charge, as far as it answers."""
        return [name for name, said in self._status().items() if said["standing"] != BY]

    def order(self, line: str) -> None:
        """Give an order: `take SERVICE`, `close SERVICE`, `give-back SERVICE`.

        Raises:
            NodeError: room three does not answer, or refuses; the sentence says why.
        """
        if self.node is None:
            raise NodeError("the plan has no rescue node: there is no room three to go to")
        self._nodes.ask(self.node, "rescue", line)

    def rehearse(self, service: str) -> dict[str, Any]:
        """Restart a service from a copy, where no wire leads: what `replica.rescue.bubble` prints.

        Raises:
            NodeError: it could not be restarted so; the sentence ends with the last words of who tried.
        """
        if self.node is None or service not in self.services:
            raise NodeError(f"{service} is no principal service of room three: {', '.join(self.services) or 'none is'}")
        config = f"/run/bascule/{self.node}-{service}.json"
        ran = self._nodes.execute(self.node, "python3", "-m", "replica.rescue.bubble", config, f"/srv/bubble-{service}")
        if ran.status:
            words = ran.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise NodeError(f"{service} does not restart from a copy of room three: {''.join(words)}")
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    def ailments(self) -> Iterator[str]:
        """What is not as it should be, in sentences."""
        found = self._status()
        for service in self.services:
            said = found.get(service)
            if said is None:
                yield f"room three does not answer for {service}"
            elif said["standing"] != BY:
                yield f"room three serves {service}"

    def unprotected(self, service: str, since_ns: int = 0) -> list[Unprotected]:
        """The times during which room three lacked something, that ended after an instant (monotonic ns)."""
        said = self.status(service)
        found = [
            Unprotected(row["member"], monotonic(row["since"]), monotonic(row["until"]), row["number_of_rows"])
            for row in (said or {}).get("unprotected", ())
        ]
        return [one for one in found if one.until_ns > since_ns]

    def complete_ns(self, service: str) -> int | None:
        """When rooms one and two last said that room three has all (monotonic ns); None if they never did."""
        at = (self.status(service) or {}).get("complete_at")
        return None if at is None else monotonic(at)

    def heard_ns(self, service: str) -> int | None:
        """The last sign of life of rooms one and two (monotonic ns); None if there was none."""
        at = (self.status(service) or {}).get("heard_at")
        return None if at is None else monotonic(at)

    def _status(self) -> dict[str, dict[str, Any]]:
        if self.node is None:
            return {}
        try:
            found: dict[str, dict[str, Any]] = self._nodes.ask(self.node, "rescue")["services"]
        except NodeError:
            return {}
        return found


def monotonic(instant: str) -> int:
    """The monotonic instant (ns) of an instant that a database wrote in UTC: all nodes share this machine's clock."""
    ago = datetime.now(UTC) - datetime.fromisoformat(instant).replace(tzinfo=UTC)
    return time.monotonic_ns() - int(ago.total_seconds() * 1e9)
