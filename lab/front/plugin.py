"""The pytest plugin: the lab as fixtures, scenarios as tests, a run folder and a report as what is left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import Inconclusive, LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bench import Lab
    from lab.plan import Plan
    from lab.run import Run, Scenario

MARKERS = (
    "gate: played before every change, on the default plan",
    "nightly: played every night",
    "disaster: rooms burn",
    "scenario(id, fr): the scenario's identifier in the catalogue, and its title in French",
    "lab_defects(*names): plant defects in the replica of this module's lab",
)
# A scenario with one of these parameters is played for each element of the plan.
# Not `host`: pytest-testinfra has a fixture of that name.
TARGETS = ("esx_host", "switch", "cable", "parallel_cables", "room")

_scenario = pytest.StashKey["Scenario"]()
_run = pytest.StashKey["Run"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the bench."""
    group = parser.getgroup("bascule", "Bascule: break a replica, say what the clinicians saw")
    group.addoption("--plan", default="zero", help="a shipped plan or a file (default: zero)")
    group.addoption("--runs", default="runs", type=Path, help="where run folders go (default: runs)")
    group.addoption("--seed", default=1, type=int, help="seed of the wards' clients (default: 1)")
    group.addoption("--change", default=None, help="the change under test, named in the report")
    group.addoption("--lab-name", default=None, help="name of the lab, for two at a time (default: from the process)")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play a scenario for each element of the plan that its parameter names."""
    wanted = [name for name in TARGETS if name in metafunc.fixturenames]
    if wanted:
        plan = _load(metafunc.config)
        for name in wanted:
            values = _targets(plan, name)
            ids = ["+".join(value) if isinstance(value, tuple) else value for value in values]
            metafunc.parametrize(name, values, ids=ids)


def _targets(plan: Plan, name: str) -> list[Any]:
    match name:
        case "esx_host":
            return [host for room in plan.rooms.values() for host in room.hosts]
        case "switch":
            return list(plan.switches)
        case "cable":
            return list(plan.cables)
        case "room":
            return list(plan.rooms)
        case _:
            bundles = {cable.between: plan.cables_between(*cable.between) for cable in plan.cables.values()}
            return [tuple(cable.name for cable in cables) for cables in bundles.values() if len(cables) > 1]


def _load(config: pytest.Config) -> Plan:
    from lab.plan import PlanError, load  # noqa: PLC0415 - pytest starts without it when no scenario is collected

    try:
        return load(config.getoption("--plan"))
    except PlanError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def plan(request: pytest.FixtureRequest) -> Plan:
    """The plan under test."""
    return _load(request.config)


class Bench:
    """The session's lab, rebuilt when a scenario leaves it ill."""

    def __init__(self, config: pytest.Config, plan: Plan, run: Run, defects: tuple[str, ...]) -> None:
        self._config = config
        self._plan = plan
        self._run = run
        self._defects = defects
        self._lab: Lab | None = None

    def healthy(self) -> Lab:
        """A whole lab: the one that is up, or a new one.

        Raises:
            LabError: a new one does not become whole either.
        """
        if self._lab is not None:
            begun = time.monotonic()
            ailments = self._lab.ailments()
            self._lab.spent("health", time.monotonic() - begun)
            if not ailments:
                return self._lab
            self._say(f"the lab is ill ({'; '.join(ailments)}): building a new one")
            self.down()
        from lab.bench import Lab  # noqa: PLC0415 - only sessions with a scenario pay for it

        name = self._config.getoption("--lab-name") or f"pytest-{_worker(self._config)}"
        seed = self._config.getoption("--seed")
        self._lab = Lab.up(self._plan, name=name, seed=seed, defects=self._defects, say=self._say)
        return self._lab

    def down(self) -> None:
        """End the lab."""
        if self._lab is not None:
            for phase, seconds in self._lab.phases.items():
                self._run.spent(phase, seconds)
            self._lab.down()
            self._lab = None

    def _say(self, words: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"bascule: {words}")


def _worker(config: pytest.Config) -> str:
    import os  # noqa: PLC0415 - one use

    worker = getattr(config, "workerinput", {}).get("workerid", "main")
    return f"{worker}-{os.getpid()}"


@pytest.fixture(scope="session")
def bascule_run(request: pytest.FixtureRequest, plan: Plan) -> Iterator[Run]:
    """The run folder of this session."""
    from lab.run import Run  # noqa: PLC0415 - as above

    run = Run(request.config.getoption("--runs"), plan, request.config.getoption("--change"))
    request.config.stash[_run] = run
    yield run
    run.save(ended=True)
    from reports import write  # noqa: PLC0415 - as above

    write(run.folder)


@pytest.fixture(scope="module")
def bascule_bench(request: pytest.FixtureRequest, plan: Plan, bascule_run: Run) -> Iterator[Bench]:
    """The lab of a module: one for all modules that plant no defect would save seconds, and cost clarity."""
    marker = request.node.get_closest_marker("lab_defects")
    bench = Bench(request.config, plan, bascule_run, tuple(marker.args) if marker else ())
    yield bench
    bench.down()


@pytest.fixture
def lab(request: pytest.FixtureRequest, bascule_bench: Bench, bascule_run: Run) -> Iterator[Lab]:
    """A healthy lab in which this test's scenario has begun."""
    healthy = bascule_bench.healthy()
    marker = request.node.get_closest_marker("scenario")
    family = marker.args[0] if marker else "X"
    parameters = "-".join(request.node.callspec.id.split("-")) if hasattr(request.node, "callspec") else ""
    title = (request.function.__doc__ or request.node.name).strip().splitlines()[0]
    title_fr = marker.kwargs.get("fr", title) if marker else title
    scenario = bascule_run.begin("-".join(filter(None, [family, parameters])), family, title, title_fr)
    request.node.stash[_scenario] = scenario
    healthy.begin(scenario)
    yield healthy
    healthy.begin(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # the report goes through the generator
    """A scenario that ended without a verdict gets one: inconclusive, with the reason."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    error = call.excinfo.value if call.excinfo is not None else None
    scenario = item.stash.get(_scenario, None)
    if scenario is not None and scenario.verdict is None and error is not None:
        _close_inconclusive(scenario, error)
    if isinstance(error, (Inconclusive, LabError)):
        report.longrepr = str(error)
        if isinstance(error, Inconclusive):
            report.outcome = "skipped"
            report.longrepr = (str(item.path), item.location[1] or 0, f"inconclusive: {error}")
    elif isinstance(error, AssertionError) and type(error).__name__ == "NotMet":
        report.longrepr = f"not met: {error}"
    return report  # type: ignore[return-value]


def _close_inconclusive(scenario: Scenario, error: BaseException) -> None:
    from lab.measure import Outcome, Verdict  # noqa: PLC0415 - as above

    reason = str(error).strip() or type(error).__name__
    verdict = Verdict(
        scenario=scenario.id,
        service="dopasoins",
        verdict=Outcome.INCONCLUSIVE,
        as_predicted=None,
        observed=None,
        predicted=None,
        sentence=f"inconclusive: {reason}",
        sentence_fr=f"essai indéterminé, le banc ou la panne n'ont pas joué leur rôle : {reason}",
        evidence=tuple(scenario.evidence),
    )
    scenario.describe("dopasoins", {"interruption_s": None, "freeze_s": None, "loss": None})
    scenario.close(None, verdict)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A verdict for each scenario, where the time went, and where the report is."""
    run = config.stash.get(_run, None)
    if run is None:
        return
    terminalreporter.section("Bascule")
    for scenario in run.scenarios:
        if scenario.verdict is not None:
            terminalreporter.write_line(f"{scenario.verdict.verdict:13} {scenario.id}: {scenario.verdict.sentence}")
    spent = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in sorted(run.phases.items()))
    terminalreporter.write_line(f"time: {spent}")
    terminalreporter.write_line(f"report: {run.folder / 'rapport.html'}")
