"""The session's run folder and report. With pytest-xdist the controller leads it and its workers join it."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import LabError
from lab.front.options import deviations_of, people_of, plan_of
from lab.front.targets import named

if TYPE_CHECKING:
    from lab.plan import Plan
    from lab.run import Run
    from reports import Published

CLEAR = "\r\x1b[K"
"""Back to the start of a terminal's line, which is wiped: a scenario's live line may stand there."""

_campaign = pytest.StashKey["Campaign"]()


class Campaign:
    """What a session leaves behind."""

    def __init__(self, config: pytest.Config) -> None:
        told: dict[str, Any] = getattr(config, "workerinput", {})
        here = told.get("bascule_machine") == socket.gethostname()
        self.worker: str = told.get("workerid", "main")
        self.is_worker = bool(told)
        self.joins = Path(told["bascule_run"]) if here else None
        self.run: Run | None = None
        self.report: Published | None = None
        self.trouble: str | None = None
        self.catalogue: list[dict[str, str]] = []
        self.misuse: str | None = None
        self.kept: str | None = None
        self.kept_elsewhere: list[str] = []
        self._config = config

    def open(self, plan: Plan) -> Run:
        """Open the run folder. A worker of another machine has its own, with its own report."""
        from lab.run import Run  # noqa: PLC0415 - sessions without a scenario do without it

        if self.run is None:
            options = self._config.option
            runs = Path(tempfile.mkdtemp(prefix="bascule-dry-")) if options.dry_run else options.runs
            self.run = Run(runs, plan, options.change, joins=self.joins)
            self.run.deviations = deviations_of(self._config)
            self._keep("people.yaml", people_of(self._config))
            catalogue = json.dumps(self.catalogue, ensure_ascii=False, indent=1) + "\n" if self.catalogue else ""
            self._keep("catalogue.json", catalogue)
        return self.run

    def _keep(self, name: str, content: str) -> None:
        """Write what the report wants beside the facts; of several workers the first does."""
        assert self.run is not None, "nothing is kept without a run"  # noqa: S101 - an invariant
        if content and not (self.run.folder / name).exists():
            (self.run.folder / name).write_text(content, encoding="utf-8")

    def calibrate(self) -> None:
        """Before a gate's first lab: what the instrument is worth on this machine today."""
        is_gate = "gate" in (self._config.getoption("-m") or "")
        if not is_gate or self.run is None or self.run.calibration is not None or self.is_worker:
            return
        from lab import calibration  # noqa: PLC0415 - as above

        begun = time.monotonic()
        try:
            found = calibration.play(calibration.SHORT)
        except (LabError, OSError) as error:
            self.run.calibration = {"conclusive": False, "sentence": f"calibration inconclusive, {error}"}
        else:
            self.run.calibration = found.stored()
        self.say(str(self.run.calibration["sentence"]))
        self.run.spent("calibrate", time.monotonic() - begun)

    def say(self, words: str) -> None:
        """Tell whoever looks at the terminal what the bench does."""
        self.print(f"bascule: {words}")

    def print(self, line: str) -> None:
        """Put a line on the terminal, though pytest captures what tests print."""
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if self.is_worker or self._config.option.verbose < 0 or capture is None:
            return
        writer = self._config.get_terminal_writer()
        with capture.global_and_fixture_disabled():
            if writer.width_of_current_line:
                writer.line()
            writer.line(f"{CLEAR if writer.hasmarkup else ''}{line}")
            writer.flush()

    def gather(self, output: dict[str, Any]) -> None:
        """Take in what a worker that joined the run did."""
        self.misuse = output.get("bascule_misuse", self.misuse)
        if self.run is not None:
            self.run.played_elsewhere += output.get("bascule_played", [])
            for phase, seconds in output.get("bascule_phases", {}).items():
                self.run.spent(phase, seconds)
            self.kept_elsewhere += filter(None, [output.get("bascule_kept")])

    def finish(self) -> None:
        """Close the run folder and write the report; a folder in which nothing was played goes."""
        if self.run is None:
            return
        if not self.run.scenarios and not self.run.played_elsewhere:
            shutil.rmtree(self.run.folder)
            if self._config.option.dry_run:
                self.run.folder.parent.rmdir()
            self.run = None
            return
        if not self.run.verify():
            self.trouble = f"{self.run.folder / 'verify.py'} derives other figures than the verdicts have: run it"
        self.run.save(ended=True)
        from reports import publish  # noqa: PLC0415 - as above

        try:
            self.report = publish(self.run.folder)
        except LabError as error:
            self.trouble = f"no report: {error}"


def campaign_of(config: pytest.Config) -> Campaign:
    """The campaign of a session."""
    return config.stash[_campaign]


def pytest_configure(config: pytest.Config) -> None:
    """Make the session's campaign; nothing is written before the first scenario."""
    config.stash[_campaign] = Campaign(config)


@pytest.hookimpl(tryfirst=True)  # before anything is deselected: the report says what was left out, too
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note every scenario that was found."""
    found = {(name.family, name.title_fr): name for name in map(named, items) if name.marked}
    campaign_of(config).catalogue = [
        {"family": name.family, "title": name.title, "title_fr": name.title_fr} for name in found.values()
    ]


@pytest.hookimpl(trylast=True)  # after the last fixtures, hence after the labs' end
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report, or tell the controller what this worker did."""
    config = session.config
    campaign = campaign_of(config)
    if not campaign.is_worker or campaign.joins is None:
        campaign.finish()
    elif campaign.run is not None:
        output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]
        output["bascule_played"] = [scenario.id for scenario in campaign.run.scenarios]
        output["bascule_phases"] = campaign.run.phases
        output["bascule_kept"] = campaign.kept


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - pytest-xdist, if it is there, has the type
    """Tell a worker where the run folder is, and on which machine."""
    campaign = campaign_of(node.config)
    run = campaign.open(plan_of(node.config))
    campaign.calibrate()
    node.workerinput["bascule_run"] = str(run.folder)
    node.workerinput["bascule_machine"] = socket.gethostname()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - as above
    """Take in what a worker did."""
    campaign_of(node.config).gather(getattr(node, "workeroutput", None) or {})
