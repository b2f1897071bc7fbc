"""A repository that has the plugin installed, and a lab that is never built: each test says how it behaves."""

from __future__ import annotations

CONFTEST = """
from types import SimpleNamespace

import pytest
import lab.bench
import lab.calibration
from lab.errors import LabError
from lab.measure import Outcome, Verdict
from lab.waiting import WaitedInVainError

BUILT = []


class FakeLab:
    ill = False

    def __init__(self, plan, name, keep, defects):
        self.plan, self.phases, self.enclosure = plan, {"build": 1.0}, SimpleNamespace(name=name, release=lambda: None)
        self.scenario = None

    def preflight(self):
        return ()

    def ailments(self):
        return ["node esx-11 is off"] if self.ill else []

    def go_home(self):
        pass

    def begin(self, scenario):
        self.scenario = scenario

    def service(self, name):
        return SimpleNamespace(name=name, plan=self.plan.services[name])

    def spent(self, phase, seconds):
        self.phases[phase] = seconds

    def close(self):
        print("closed", self.enclosure.name)

    down = close

    def judge(self, outcome):
        verdict = Verdict(scenario=self.scenario.id, service="dopasoins", verdict=Outcome(outcome), as_predicted=None,
                          observed="A", predicted="A", sentence=f"dopasoins: {outcome}, in words.",
                          sentence_fr="En mots.")
        self.scenario.describe("dopasoins", {"interruption_s": 0, "freeze_s": 5, "loss": 0})
        self.scenario.event("inject", "PowerLoss", "panne")
        self.scenario.close(None, verdict)
        return verdict


def up(plan, *, name, keep, seed, defects, say, deviations=()):
    BUILT.append((name, defects))
    if len(BUILT) in UNBUILDABLE:
        raise WaitedInVainError("waited 90 s in vain: service dopasoins is not whole")
    return FakeLab(plan, name, keep, defects)


lab.bench.Lab.up = up


def play(course):
    raise LabError("the rig fell over")


lab.calibration.play = play


@pytest.fixture(scope="session", autouse=True)
def built(request):
    BUILT.clear()
    yield
    (request.config.rootpath / "built.txt").write_text(repr(BUILT))
"""

SCENARIOS = """
import pytest


@pytest.mark.gate
@pytest.mark.scenario("Z1", fr="Salle perdue")
def test_room(lab, room):
    \"\"\"Care goes on.\"\"\"
    lab.judge("met").require()


@pytest.mark.scenario("Z2")
def test_missed(lab):
    \"\"\"Care stops.\"\"\"
    lab.judge("not-met").require()


@pytest.mark.scenario("Z3")
def test_doubtful(lab):
    lab.judge("inconclusive").require()


@pytest.mark.scenario("Z4")
def test_broken(lab):
    from lab.errors import LabError

    raise LabError("the engine is gone")


@pytest.mark.scenario("Z5")
def test_silent(lab):
    pass


def test_of_something_else():
    assert True
"""


def conftest(*unbuildable: int) -> str:
    """The conftest of such a repository; the builds with these numbers fail."""
    return f"UNBUILDABLE = {set(unbuildable)!r}\n{CONFTEST}"
