"""Who decides in a running lab: what was found, held against what the plan says of a cut."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import NotMet
from lab.expectation import decided
from lab.measure.wording import Words
from lab.nodes import NodeError
from lab.plan import Continuity
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.bench import Lab
    from lab.expectation import Cut

SETTLED_WITHIN = 40.0
"""Seconds after a hold: a master of the losing room is replaced (35 s), then what it ran boots (60 s), both divided by
the time scale of 3; what is left is for a busy machine."""
_EVERY = 0.5
OF_ITSELF = """
import http.client, json, subprocess, sys
link = http.client.HTTPConnection("127.0.0.1", 80, timeout=0.5)
try:
    link.request("GET", "/health")
    answer = link.getresponse()
    said = json.loads(answer.read()) if answer.status == 200 else {}
except (OSError, http.client.HTTPException):
    said = {}
own = subprocess.run(["ip", "-o", "-4", "address"], capture_output=True, text=True, check=True).stdout
print(json.dumps({"writes": bool(said.get("synced")), "holds": f" {sys.argv[1]}/" in own}))
"""
"""What is run in a member, with the service's address: it says whether it writes, and whether it has that address."""


@dataclass(frozen=True)
class Deciders:
    """Who serves the storage, who is master (None for nobody), and of each pair who writes and who has the address."""

    storage: str | None
    master: str | None
    placement: dict[str, str]
    writers: dict[str, frozenset[str]]
    holders: dict[str, frozenset[str]]

    def require(self, lab: Lab, cut: Cut) -> None:
        """Insist that it is as the plan says.

        Raises:
            NotMet: somebody else decides; the sentence says where.
        """
        wrong = list(self.wrong(lab, cut))
        if wrong:
            english, french = "; ".join(words.en for words in wrong), " ; ".join(words.fr for words in wrong)
            raise NotMet(f"cut between {cut.name}: {english}", f"coupure entre {cut.name} : {french}")

    def wrong(self, lab: Lab, cut: Cut) -> Iterator[Words]:
        """Where somebody else decides than the plan says."""
        first, now = decided(lab.plan, cut), decided(lab.plan, cut, self.placement)
        if self.storage != first.storage.active:
            words = ("the storage is served by", "le stockage est servi par")
            yield _instead(words, [self.storage], [first.storage.active])
        if self.master not in first.masters:
            yield _instead(("the cluster's master is", "le maître du cluster est"), [self.master], first.masters)
        for server in first.moves:
            if self.placement.get(server) == lab.plan.host_of(server):
                yield Words(f"{server} was not restarted elsewhere", f"{server} n'a pas été redémarré ailleurs")
        for name, writers in self.writers.items():
            if writers != frozenset(now.writers[name]):
                yield _instead((f"{name} is written on", f"on écrit {name} sur"), writers, now.writers[name])
            if not self.holders[name] or not self.holders[name] <= set(now.holders[name]):
                words = (f"the address of {name} is on", f"l'adresse de {name} est sur")
                yield _instead(words, self.holders[name], now.holders[name])


def _instead(words: tuple[str, str], found: Iterable[str | None], planned: Iterable[str | None]) -> Words:
    seen, wanted = sorted(filter(None, found)), sorted(filter(None, planned))
    english = f"{words[0]} {', '.join(seen) or 'nobody'}, not {' or '.join(wanted) or 'nobody'}"
    return Words(english, f"{words[1]} {', '.join(seen) or 'personne'}, pas {' ou '.join(wanted) or 'personne'}")


def settled(lab: Lab, cut: Cut, within: float = SETTLED_WITHIN) -> Deciders:
    """Who decides once it is as the plan says, or after so many seconds: some decisions follow from others."""
    found = [find(lab)]

    def as_planned() -> bool:
        if any(found[-1].wrong(lab, cut)):
            found.append(find(lab))
        return not any(found[-1].wrong(lab, cut))

    with suppress(WaitedInVainError):  # `require` says who does instead
        wait_until(as_planned, within=within, because="others decide", every=_EVERY)
    return found[-1]


def find(lab: Lab) -> Deciders:
    """Who decides now. Members are asked within themselves: a cut may part them from any ward."""
    pairs = {
        service.name: service
        for service in lab.plan.services.values()
        if lab.plan.servers[service.runs_on[0]].continuity is Continuity.PAIR
    }
    placement = lab.cluster.placement()
    said = {
        name: {member: _of_itself(lab, placement.get(member), member, str(plan.address)) for member in plan.runs_on}
        for name, plan in pairs.items()
    }

    def those_that(does: str, name: str) -> frozenset[str]:
        return frozenset(member for member, told in said[name].items() if told.get(does))

    return Deciders(
        lab.storage.active,
        lab.cluster.master,
        placement,
        {name: those_that("writes", name) for name in pairs},
        {name: those_that("holds", name) for name in pairs},
    )


def _of_itself(lab: Lab, host: str | None, member: str, address: str) -> dict[str, Any]:
    """Whether a member writes and holds the address; nothing of one that runs nowhere, or on a host that is dead."""
    if host is None:
        return {}
    try:
        ran = lab.nodes.run(host, "ip", "netns", "exec", member, "python3", "-c", OF_ITSELF, address)
    except NodeError:
        return {}
    told: dict[str, Any] = {} if ran.status else json.loads(ran.output)
    return told
