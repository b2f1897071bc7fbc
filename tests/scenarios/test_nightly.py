"""Every night: the critical scenarios, again and again, each time at another moment of what the replica is doing.

BASCULE_REPETITIONS says how often (5). The moments are drawn from `--seed`: give each night its own, and the same
again to replay a night.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from faults import PowerLoss
from lab.measure.repetition import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab
    from lab.run import Run, Scenario

pytestmark = [pytest.mark.nightly, pytest.mark.disaster]

LONGEST_PHASE = (
    2.0  # seconds; longer than every period of the replica (advertisement 0.2 s, keep-alive 0.15 s, flush 1 s)
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play each scenario of this module so many times."""
    asked = metafunc.config.getoption("--repetitions", None) or os.environ.get("BASCULE_REPETITIONS", "5")
    times = range(1, int(asked) + 1)
    metafunc.parametrize("repetition", times, ids=[f"active-{number:02}" for number in times])


@dataclass(frozen=True)
class Moment:
    """A random wait between the steady state and the fault."""

    lab: Lab
    seed: str

    @property
    def seconds(self) -> float:
        """How long it is; the same for the same seed."""
        return random.Random(self.seed).uniform(0, LONGEST_PHASE)  # noqa: S311 - to be played again, not to be secret

    def pass_(self) -> None:
        """Let it pass, and write it down."""
        told = f"{self.seconds:.3f} s"
        english = f"broken {told} after the wards were steady (seed {self.seed!r})"
        french = f"panne {told.replace('.', ',')} après la stabilité du service (graine {self.seed!r})"
        self.lab.scenario.event("phase", english, french)
        Event().wait(self.seconds)


@dataclass(frozen=True, eq=False)
class Told:
    """Says at the end of the session what follows from the repetitions."""

    lines: list[str]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one line a scenario."""
        terminalreporter.section("Repetitions")
        for line in self.lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, bascule_run: Run) -> Iterator[dict[str, list[tuple[Scenario, Moment]]]]:
    """The repetitions of this session by family; when they are over, what follows from them is said and kept."""
    repetitions: dict[str, list[tuple[Scenario, Moment]]] = {}
    yield repetitions
    tallies = {
        family: Tally.of(family, [scenario.verdict for scenario, _ in all_]) for family, all_ in repetitions.items()
    }
    content = {
        "version": 1,
        "seed": request.config.getoption("--seed"),
        "scenarios": [
            {**tally.stored(), "repetitions": [_kept(*one) for one in repetitions[family]]}
            for family, tally in tallies.items()
        ],
    }
    (bascule_run.folder / "repetition.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    lines = [f"{tally.words.en}, seed {content['seed']}" for tally in tallies.values()]
    request.config.pluginmanager.register(Told(lines))


def _kept(scenario: Scenario, moment: Moment) -> dict[str, Any]:
    verdict = scenario.verdict
    return {
        "id": scenario.id,
        "fault": scenario.fault,
        "phase_s": round(moment.seconds, 3),
        "verdict": verdict and str(verdict.verdict),
        "interruption_s": verdict and verdict.interruption.total_seconds(),
        "freeze_s": verdict and verdict.freeze.total_seconds(),
    }


@pytest.fixture
def moment(
    request: pytest.FixtureRequest, lab: Lab, played: dict[str, list[tuple[Scenario, Moment]]], repetition: int
) -> Moment:
    """The moment of this repetition."""
    drawn = Moment(lab, f"{request.config.getoption('--seed')} {lab.scenario.family} {repetition}")
    played.setdefault(lab.scenario.family, []).append((lab.scenario, drawn))
    return drawn


@pytest.mark.scenario("H1", fr="Perte du serveur physique du membre actif, à un instant quelconque")
def test_care_goes_on_when_the_host_of_the_active_member_dies(lab: Lab, moment: Moment) -> None:
    """Care goes on when the physical server of the active member loses its power at any moment."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history:
        moment.pass_()
        with lab.fault(PowerLoss(lab.plan.host_of(dopasoins.active()))):
            lab.hold()

    dopasoins.judge(history).require()


@pytest.mark.scenario("R1", fr="Perte de la salle du membre actif, à un instant quelconque")
def test_care_goes_on_when_the_room_of_the_active_member_burns(lab: Lab, moment: Moment) -> None:
    """Care goes on when the room of the active member goes dark at any moment."""
    dopasoins = lab.service("dopasoins")

    with dopasoins.observed() as history:
        moment.pass_()
        with lab.fault(PowerLoss(lab.plan.nodes[lab.plan.host_of(dopasoins.active())].place)):
            lab.hold()

    dopasoins.judge(history).require()
