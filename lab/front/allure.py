"""The Allure face: steps, attachments and labels for the engineers' report; loaded only with `--alluredir`."""

from __future__ import annotations

import json
import platform
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import allure
import pytest

from lab.errors import LabError
from lab.front.campaign import campaign_of
from lab.front.options import plan_of
from lab.front.verdicts import listeners_key, scenario_key
from lab.plan import draw as picture
from lab.plan import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.plan import Plan
    from lab.run import Scenario

EPIC = "Continuity of care"
# The families of the catalogue, by their first letter.
FEATURES = {
    "H": "Hosts and switches",
    "V": "Cables",
    "S": "Several components at once",
    "R": "Rooms",
}
_SEVERITY = {"both rooms": "blocker", "a room": "blocker", "common mode": "critical", "one component": "normal"}


class AllureFace:
    """Tells Allure of each scenario, as it runs and once it is judged."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._step = ExitStack()
        config.stash.setdefault(listeners_key, []).append(self._heard)

    def _heard(self, _: Scenario, what: str, text: str) -> None:
        """One step after the other; each lasts until the next thing happens."""
        if what in {"steady", "unsteady"}:
            return
        self._step.close()
        if what == "proof":
            with allure.step(f"proof, {text}"):
                pass
            if text.startswith("after heal"):
                self._step.enter_context(allure.step("return: until the lab is whole"))
        elif what != "return":
            self._step.enter_context(allure.step(what if what == "heal" else f"{what}: {text}"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Close the step that is still open when the test ends; one that an exception left open bears it."""
        with self._step:
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Attach what the scenario left, once its verdict is there."""
        report = yield
        scenario = item.stash.get(scenario_key, None)
        if scenario is not None and (call.when == "call" or (call.when == "setup" and call.excinfo)):
            label(scenario, plan_of(self._config))
            attach(scenario, plan_of(self._config))
        return report

    def pytest_sessionfinish(self) -> None:
        """Say where it was played."""
        if not campaign_of(self._config).is_worker:
            target = Path(self._config.getoption("--alluredir"))
            target.mkdir(parents=True, exist_ok=True)
            lines = [f"{key}={value}\n" for key, value in environment(self._config).items()]
            (target / "environment.properties").write_text("".join(lines), encoding="utf-8")


def environment(config: pytest.Config) -> dict[str, Any]:
    """What a run depends on, a line each."""
    options = config.option
    plan = plan_of(config)
    return {
        "plan": plan.name,
        "time_scale": f"{plan.time_scale:g}",
        "seed": options.seed,
        "change": options.change or "none",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def label(scenario: Scenario, plan: Plan) -> None:
    """Severity by scope, epic, feature and story by family, the rooms and components that were lost."""
    dynamic: Any = allure.dynamic  # published without types
    dynamic.severity(_SEVERITY.get(scenario.scope, "normal"))
    dynamic.epic(EPIC)
    dynamic.feature(FEATURES.get(scenario.family[:1], "Other scenarios"))
    dynamic.story(f"{scenario.family}: {scenario.title}")
    for name in sorted(scenario.lost):
        dynamic.label("component", name)
    for room in sorted(rooms(scenario.lost, plan)):
        dynamic.label("room", room)


def rooms(lost: frozenset[str], plan: Plan) -> set[str]:
    """The rooms and sites that a loss touches; a cable touches both of its ends."""
    places = {name for name in lost if name in plan.places}
    places |= {plan.nodes[name].place for name in lost if name in plan.nodes}
    places |= {plan.switches[name].place for name in lost if name in plan.switches}
    return places.union(*(plan.cables[name].between for name in lost if name in plan.cables))


def attach(scenario: Scenario, plan: Plan) -> None:
    """Attach verdict, evidence, plan, its picture, the timeline; histories stay in the run folder."""
    kinds = allure.attachment_type
    if scenario.verdict is not None:
        allure.attach(scenario.verdict.to_json(), "verdict.json", kinds.JSON)
    evidence = [vars(item) for item in scenario.evidence]
    allure.attach(json.dumps(evidence, ensure_ascii=False, indent=2), "evidence.json", kinds.JSON)
    allure.attach(dumps(plan), "plan.yaml", kinds.YAML)
    allure.attach(picture(plan), "plan.svg", kinds.SVG)
    with suppress(LabError):
        for service, drawn in timelines(scenario):
            allure.attach(drawn, f"timeline-{service}.svg", kinds.SVG)


def timelines(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """The figure of each service that was observed, where there is something to draw."""
    from reports.figures import timeline as draw  # noqa: PLC0415 - templates and locales, once a scenario has ended
    from reports.language import speak  # noqa: PLC0415 - as above
    from reports.scenario import load_scenario  # noqa: PLC0415 - as above

    for result in load_scenario(scenario.folder.parent, scenario.folder.name):
        drawn = str(draw(result, speak("en")))
        if drawn:
            own = drawn if "xmlns=" in drawn else drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
            yield result.description.service if result.description else "", own
