"""Which class each set of failures should give, from the plan alone."""

from __future__ import annotations

from lab.expectation.cuts import smallest_cuts
from lab.expectation.deciding import Cut, Decided, cuts, decided
from lab.expectation.deriving import expect
from lab.expectation.prediction import Cause, Class, Prediction
from lab.expectation.storage import Storage, storage

__all__ = [
    "Cause",
    "Class",
    "Cut",
    "Decided",
    "Prediction",
    "Storage",
    "cuts",
    "decided",
    "expect",
    "smallest_cuts",
    "storage",
]
