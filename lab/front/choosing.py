"""Choose scenarios by the identifiers that the report gives them."""

from __future__ import annotations

import sys

import pytest

from lab.front.targets import named


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the scenarios that `--scenario` names: by identifier (H1-esx-11) or by family (H1).

    Raises:
        pytest.UsageError: one of them is not known; the sentence lists the known ones.
    """
    asked = config.getoption("--scenario")
    if not asked:
        return
    names = {item: named(item) for item in items}
    known = {word for name in names.values() if name.marked for word in (name.id, name.family)}
    wanted = {word.strip() for word in asked.split(",") if word.strip()}
    for word in sorted(wanted - known):
        from lab.plan.errors import unknown  # noqa: PLC0415 - said once, then the session ends

        if not hasattr(config, "workeroutput"):
            raise pytest.UsageError(unknown("scenario", word, known))
        # The controller of pytest-xdist collects nothing itself: it says it for its workers.
        config.workeroutput["bascule_misuse"] = unknown("scenario", word, known)
    kept = [item for item in items if names[item].marked and wanted & {names[item].id, names[item].family}]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let hypothesis's plugin go when a mere listing needs nothing of it.

    It imports the whole of hypothesis (0.6 s) for a summary of properties, when no test has imported hypothesis.
    """
    manager = session.config.pluginmanager
    if session.config.option.collectonly and "hypothesis" not in sys.modules and manager.hasplugin("hypothesispytest"):
        manager.unregister(name="hypothesispytest")
