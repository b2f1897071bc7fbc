"""The pytest plugin: the lab as fixtures, scenarios as tests, a run folder and a report as what is left.

Each part is a plugin of its own; pytest loads them with this one.
"""

from __future__ import annotations

pytest_plugins = [
    "lab.front.options",
    "lab.front.targets",
    "lab.front.choosing",
    "lab.front.fixtures",
    "lab.front.verdicts",
    "lab.front.campaign",
    "lab.front.summary",
]
