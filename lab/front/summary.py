"""A line a scenario, a summary, and an exit status that no inconclusive run makes green."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from lab.front.campaign import campaign_of
from lab.front.verdicts import ACCEPTED, BENCH_ERROR, INCONCLUSIVE, MET, NOT_MET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.front.campaign import Campaign
    from reports import Published

_COLOURS: dict[str, dict[str, bool]] = {
    MET: {"green": True},
    ACCEPTED: {"green": True},
    NOT_MET: {"red": True},
    INCONCLUSIVE: {"yellow": True},
    BENCH_ERROR: {"purple": True},
}
_tally = pytest.StashKey[dict[str, dict[str, Any]]]()


def tally_of(config: pytest.Config) -> dict[str, dict[str, Any]]:
    """What the reports of this session carried, by test; in the order of playing."""
    return config.stash[_tally]


def results(config: pytest.Config) -> set[str]:
    """Which results this session has seen."""
    return {told["result"] for told in tally_of(config).values()}


def pytest_configure(config: pytest.Config) -> None:
    """Count from nothing; the terminal, if any, gets its lines from here."""
    config.stash[_tally] = {}
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Lines(config), "bascule-lines")
        if sys.stdout.isatty() and config.option.verbose >= 0:
            from lab.front.progress import Live  # noqa: PLC0415 - only where somebody watches

            config.pluginmanager.register(Live(config), "bascule-live")
    if config.getoption("--alluredir", None):
        from lab.front.allure import AllureFace  # noqa: PLC0415 - only where it was asked for

        config.pluginmanager.register(AllureFace(config), "bascule-allure")


class _Lines:
    """Reports as they come in, and what is said of them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """A scenario's line replaces its dot."""
        told = dict(getattr(report, "user_properties", ()))
        if "result" not in told or self._config.option.verbose < 0 or (report.when != "call" and report.passed):
            return None
        if report.when == "teardown" or hasattr(report, "wasxfail"):
            return None
        category = "error" if report.failed and report.when == "setup" else report.outcome
        result = told["result"]
        return category, "", (result.upper(), _COLOURS[result])

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a scenario once it is judged, and print its line."""
        told = dict(report.user_properties)
        if "result" not in told or (report.when != "call" and report.passed):
            return
        tally_of(self._config)[report.nodeid] = told
        if self._config.option.verbose >= 0:
            self._write(told)

    def _write(self, told: dict[str, Any]) -> None:
        writer = self._config.get_terminal_writer()
        if writer.width_of_current_line:
            writer.line()
        for line in lines(told, shutil.get_terminal_size().columns):
            writer.line(line, **_COLOURS[told["result"]])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A scenario that says nothing is no success; nor is a report that could not be written."""
        campaign = campaign_of(self._config)
        trouble = campaign.trouble is not None
        if campaign.misuse is not None:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if session.exitstatus == pytest.ExitCode.OK and (trouble or results(self._config) - {MET, ACCEPTED}):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A verdict for each scenario, where the time went, and where the report is."""
        campaign = campaign_of(self._config)
        if campaign.misuse is not None:
            terminalreporter.write_line(f"ERROR: {campaign.misuse}", red=True)
        if not tally_of(self._config):
            return
        terminalreporter.section("Bascule")
        for told in tally_of(self._config).values():
            terminalreporter.write_line(f"{told['result']:13} {told['scenario']}: {told['sentence']}")
        for line in _end(campaign):
            terminalreporter.write_line(line)


def lines(told: dict[str, Any], columns: int) -> list[str]:
    """The result of a scenario and its sentence, within the terminal's width."""
    head = f"  {told['result']:13} {told['scenario']}"
    wrapped = textwrap.wrap(told["sentence"], columns - 5, initial_indent=" " * 4, subsequent_indent=" " * 4)
    return [head, *wrapped]


def _end(campaign: Campaign) -> Iterator[str]:
    if campaign.run is not None:
        spent = sorted(campaign.run.phases.items())
        yield "time: " + ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in spent)
        if campaign.run.calibration is not None:
            yield f"instrument: {campaign.run.calibration['sentence']}"
        yield from (f"deviation {listed.standing}: {listed.sentence}" for listed in campaign.run.listed())
    if campaign.report is not None:
        yield f"report: {campaign.report.document}"
        yield from (f"{what}: {path}" for what, path in _others(campaign.report) if path is not None)
        yield from campaign.report.missing
    if campaign.trouble is not None:
        yield campaign.trouble
    for name in filter(None, [campaign.kept, *campaign.kept_elsewhere]):
        yield f"the lab stays up: bascule status --name {name}, bascule down --name {name}"


def _others(report: Published) -> tuple[tuple[str, Path | None], ...]:
    return ("to sign", report.pdf), ("for the job's page", report.summary), ("second by second", report.allure)
