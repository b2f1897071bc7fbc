"""Who decides in a running lab: what was found, held against what the plan says of a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.errors import LabError, NotMet
from lab.expectation import decided
from lab.plan import Continuity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bench import Lab
    from lab.expectation import Cut


@dataclass(frozen=True)
class Deciders:
    """Who serves the storage, who is master, and of each pair who writes and who has the address; None for nobody."""

    storage: str | None
    master: str | None
    placement: dict[str, str]
    writers: dict[str, frozenset[str]]
    holders: dict[str, str | None]

    def require(self, lab: Lab, cut: Cut) -> None:
        """Insist that it is as the plan says.

        Raises:
            NotMet: somebody else decides; the sentence says where.
        """
        wrong = list(self._wrong(lab, cut))
        if wrong:
            raise NotMet(f"cut between {cut.name}: {'; '.join(wrong)}")

    def _wrong(self, lab: Lab, cut: Cut) -> Iterator[str]:
        first, now = decided(lab.plan, cut), decided(lab.plan, cut, self.placement)
        if self.storage != first.storage.active:
            yield f"the storage is served by {self.storage}, not by {first.storage.active}"
        if self.master not in first.masters:
            yield f"the cluster's master is {self.master}, none of {', '.join(first.masters)}"
        for server in first.moves:
            if self.placement.get(server) == lab.plan.host_of(server):
                yield f"{server} was not restarted elsewhere"
        for name, writers in self.writers.items():
            if writers != frozenset(now.writers[name]):
                told = ", ".join(sorted(writers)) or "nobody"
                yield f"{name} is written on {told}, not {', '.join(now.writers[name])}"
            if self.holders[name] not in now.holders[name]:
                yield f"the address of {name} is on {self.holders[name]}, not on {' or '.join(now.holders[name])}"


def find(lab: Lab) -> Deciders:
    """Who decides now."""
    pairs = {
        service.name: service
        for service in lab.plan.services.values()
        if lab.plan.servers[service.runs_on[0]].continuity is Continuity.PAIR
    }
    writers = {
        name: frozenset(member for member in plan.runs_on if (lab.service(name).health(member) or {}).get("synced"))
        for name, plan in pairs.items()
    }
    return Deciders(
        lab.storage.active,
        lab.cluster.master,
        lab.cluster.placement(),
        writers,
        {name: _holder(lab, name) for name in pairs},
    )


def _holder(lab: Lab, service: str) -> str | None:
    try:
        return lab.service(service).active()
    except LabError:
        return None
