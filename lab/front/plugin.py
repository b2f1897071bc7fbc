"""The pytest plugin: the lab as fixtures, scenarios as tests, a run folder and a report as what is left.

Each part is a plugin of its own, registered here rather than named in `pytest_plugins`: pytest would want to rewrite
the asserts of modules so named, and warns, an error in many suites, about each that another has imported already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.front import campaign, choosing, fixtures, options, summary, targets, verdicts

if TYPE_CHECKING:
    import pytest

PARTS = (options, targets, choosing, fixtures, verdicts, campaign, summary)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:  # noqa: ARG001 - pytest's
    """Register the parts; each then adds its own options."""
    for part in PARTS:
        pluginmanager.register(part, part.__name__)
