"""Which class each set of failures should give, from the plan alone."""

from __future__ import annotations

from lab.expectation.cuts import smallest_cuts
from lab.expectation.deriving import expect
from lab.expectation.prediction import Class, Prediction

__all__ = ["Class", "Prediction", "expect", "smallest_cuts"]
