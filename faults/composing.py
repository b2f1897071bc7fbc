"""What composed faults have in common: each part is felt before the next, within a time; steps for the prediction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lab.faulting import FaultNotFeltError, Stepwise
from lab.waiting import WaitedInVainError, wait_until

if TYPE_CHECKING:
    from datetime import timedelta

    from lab.faulting import Fault, Site
    from lab.plan import Plan

FELT_WITHIN = 5.0
GONE_WITHIN = 10.0


@runtime_checkable
class Composed(Protocol):
    """A fault made of others."""

    @property
    def parts(self) -> tuple[Fault, ...]:
        """Those others, in the order in which they are first injected."""


def steps_of(fault: Fault, plan: Plan) -> tuple[frozenset[str], ...]:
    """What a fault takes, step by step."""
    return fault.steps(plan) if isinstance(fault, Stepwise) else (fault.lost(plan),)


@dataclass(frozen=True)
class Clock:
    """How long a composition may take until its last part holds.

    A machine too slow for the pauses that were asked for plays another scenario than the one that was named.
    """

    end: float

    @classmethod
    def of(cls, deadline: timedelta) -> Clock:
        """Start it."""
        return cls(time.monotonic() + deadline.total_seconds())

    def check(self, doing: str) -> None:
        """Go on only in time.

        Raises:
            FaultNotFeltError: the deadline has passed.
        """
        if time.monotonic() > self.end:
            raise FaultNotFeltError(f"the deadline passed before {doing}: this machine is too slow for these pauses")

    def pause(self, lasts: timedelta) -> None:
        """Let some time pass."""
        end = time.monotonic() + lasts.total_seconds()
        wait_until(lambda: time.monotonic() >= end, within=lasts.total_seconds() + 5, because="time stands still")


def begin(fault: Fault, lab: Site) -> None:
    """Inject a part and wait until it is felt.

    Raises:
        FaultNotFeltError: it was not.
    """
    fault.inject(lab)
    lab.count_from_now()
    try:
        wait_until(partial(_bites, fault, lab), within=FELT_WITHIN, because="nothing bites")
    except WaitedInVainError as error:
        raise FaultNotFeltError(f"{fault} was not felt: {fault.holds(lab).detail}") from error


def end(fault: Fault, lab: Site) -> None:
    """Prove that a part still bites, heal it, and wait until it is gone.

    Raises:
        FaultNotFeltError: it had stopped biting, or did not stop.
    """
    if not _bites(fault, lab):
        raise FaultNotFeltError(f"{fault} had stopped before it was healed: {fault.holds(lab).detail}")
    fault.heal(lab)
    try:
        wait_until(lambda: not _bites(fault, lab), within=GONE_WITHIN, because="it still bites")
    except WaitedInVainError as error:
        raise FaultNotFeltError(f"{fault} was healed and is still felt: {fault.holds(lab).detail}") from error


def _bites(fault: Fault, lab: Site) -> bool:
    return fault.holds(lab).holds


def seconds(time: timedelta) -> str:
    """How the report writes a time."""
    return f"{time.total_seconds():g} s".replace(".", ",")
