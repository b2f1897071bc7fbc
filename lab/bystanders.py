"""Services that a fault should leave alone and nobody observes: if one of them stops, the fault goes no further."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.errors import Inconclusive
from lab.expectation import Class, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from lab.plan import Plan

EVERY = 0.5  # seconds between two looks


class BlastRadiusError(Inconclusive):
    """A service that the fault should not touch was not served: the fault is healed, and nothing is concluded."""


class Bystanders:
    """Those services, and since when each has not answered.

    Args:
        plan: the plan.
        steps: what the fault takes, step by step.
        placement: by server, the host where it runs.
        observed: services whose clients are judged anyway.
        answers: whether a service answers a ward now.
        clock: seconds, monotonic.
    """

    def __init__(  # noqa: PLR0913 - all are named at the call
        self,
        plan: Plan,
        steps: Sequence[AbstractSet[str]],
        *,
        placement: Mapping[str, str],
        observed: AbstractSet[str],
        answers: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers = answers
        self._clock = clock
        self._next = self._begun = clock()
        self._allowed = {
            name: service.accepted_freeze.total_seconds()
            for name, service in plan.services.items()
            if name not in observed and expect(plan, name, *steps, placement=placement).klass is Class.A
        }
        self._seen = dict.fromkeys(self._allowed, self._begun)

    def check(self) -> None:
        """Ask them, if it is time.

        Raises:
            BlastRadiusError: one has not answered for longer than its plan calls working.
        """
        if self._clock() < self._next:
            return
        for name, allowed in self._allowed.items():
            if self._answers(name):
                self._seen[name] = self._clock()
            elif (silent := self._clock() - self._seen[name]) > allowed:
                raise BlastRadiusError(
                    f"{name} should not be touched and has not answered for {silent:.1f} s: the fault goes no further"
                )
        self._next = self._clock() + EVERY
