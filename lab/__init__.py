"""Bascule: break a replica of the hospital's infrastructure, say what the clinicians saw.

Names are loaded when first used: `import lab` stays cheap for whoever only collects tests.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.bench import Lab
    from lab.errors import Inconclusive, LabError, NotMet
    from lab.measure import History, Verdict
    from lab.service import Service

__all__ = ["History", "Inconclusive", "Lab", "LabError", "NotMet", "Service", "Verdict"]

_HOMES = {
    "History": "lab.measure",
    "Inconclusive": "lab.errors",
    "Lab": "lab.bench",
    "LabError": "lab.errors",
    "NotMet": "lab.errors",
    "Service": "lab.service",
    "Verdict": "lab.measure",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lab' has no attribute {name!r}; known: {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)
