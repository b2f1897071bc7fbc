"""Recovery plans: what people and machines do, in which order, once rooms one and two are gone; and the way back."""

from lab.recovery.model import Runbook, Step
from lab.recovery.reading import load, loads, shipped
from lab.recovery.walking import Done, Recovery, RefusedError, declared, walk

__all__ = [
    "Done",
    "Recovery",
    "RefusedError",
    "Runbook",
    "Step",
    "declared",
    "load",
    "loads",
    "shipped",
    "walk",
]
