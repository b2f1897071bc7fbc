"""A service of any continuity, in a lab that answers what it is told: who is asked, and which files are whose."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import LabError
from lab.measure import FailedCheck, Outcome, Readback, Verdict
from lab.plan import Plan, load
from lab.replica.emr.people import secret_of
from lab.run import Run
from lab.service import Observation, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.run import Scenario

TINY = load("tiny")
ALONE: dict[str, Any] = {"group_size": 1, "synced": True}
GROUP: dict[str, Any] = {"group_size": 3, "synced": True}


@dataclass
class FakeLab:
    """What a service asks of a lab."""

    plan: Plan = TINY
    seed: int = 1
    health: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    rescue: Any = field(default_factory=lambda: SimpleNamespace(node="secours", services=["dopasoins"]))
    places: dict[str, str] = field(default_factory=lambda: {name: TINY.host_of(name) for name in TINY.servers})

    @property
    def cluster(self) -> FakeLab:
        return self

    def placement(self) -> dict[str, str]:
        return self.places

    def host_of(self, server: str) -> str:
        if server not in self.places:
            raise LabError(f"server {server} runs on no host that answers")
        return self.places[server]

    def from_ward(self, _work: Callable[..., Any], address: str, _path: str) -> dict[str, Any] | None:
        return self.health.get(address)

    def run_in(self, node: str, *command: str) -> str:
        self.asked.append((node, command[3]))
        return json.dumps({"acts": {"t-1": 1}, "prescriptions": {}, "trail": ["t-1.1"], "traces": []})


def service(name: str, lab: FakeLab) -> Service:
    return Service(lab, lab.plan.services[name])  # type: ignore[arg-type]  # the little of a lab that it needs


def answering(**said: dict[str, Any]) -> FakeLab:
    """A lab whose servers say this, and whose services answer at their addresses."""
    names = {name.replace("_", "-"): health for name, health in said.items()}
    health = {str(TINY.address(name, "servers").ip): answer for name, answer in names.items()}
    return FakeLab(health=health | {str(found.address): {} for found in TINY.services.values()})


@pytest.mark.parametrize(
    ("name", "lab", "whole"),
    [
        ("dopasoins", answering(dopasoins_1=GROUP, dopasoins_2=GROUP), True),
        ("dopasoins", answering(dopasoins_1=GROUP | {"group_size": 2}, dopasoins_2=GROUP), False),
        ("dopasoins", answering(dopasoins_1=GROUP), False),
        ("dopasoins", answering(dopasoins_1=GROUP, dopasoins_2=GROUP | {"room_three": {"complete": False}}), False),
        ("imagerie", answering(imagerie=ALONE), True),
        ("imagerie", answering(imagerie=GROUP), False),
        ("imagerie", answering(dopasoins_1=GROUP, dopasoins_2=GROUP), False),
    ],
)
def test_a_service_is_whole_when_each_of_its_servers_says_so(name: str, lab: FakeLab, *, whole: bool) -> None:
    assert service(name, lab).is_whole() is whole


def test_a_service_whose_address_does_not_answer_is_not_whole() -> None:
    lab = answering(imagerie=ALONE)
    del lab.health[str(TINY.services["imagerie"].address)]
    assert not service("imagerie", lab).is_whole()


def test_servers_are_read_back_at_home() -> None:
    lab = FakeLab()
    readback = service("dopasoins", lab).read_back("t")

    assert lab.asked == [
        ("esx-11", "/run/bascule/dopasoins-1.json"),
        ("esx-21", "/run/bascule/dopasoins-2.json"),
        ("secours", "/run/bascule/secours-dopasoins.json"),
    ]
    assert readback.held("secours") == {"t-1"}
    assert set(readback.traces) == {"dopasoins-1", "dopasoins-2"}
    assert readback.held("dopasoins-2") == {"t-1"}


def test_servers_are_read_back_where_they_run_now() -> None:
    lab = FakeLab(places={"imagerie": "esx-11", "dopasoins-1": "esx-11"})
    service("imagerie", lab).read_back("t")

    assert lab.asked == [("esx-11", "/run/bascule/imagerie.json")]
    assert service("imagerie", lab).placement() == {"dopasoins-1": "esx-11", "imagerie": "esx-11"}
    with pytest.raises(LabError, match="dopasoins-2 runs on no host"):
        service("dopasoins", lab).read_back("t")


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return Run(tmp_path, TINY).begin("R1-salle-1", "R1", "A room burns.", "Une salle brûle.")


def test_two_services_observed_in_one_scenario_have_files_of_their_own(scenario: Scenario) -> None:
    lab = FakeLab()
    told = {
        name: found.client_config(Observation(found, scenario), "cardiologie", 0, frozenset())
        for name, found in ((name, service(name, lab)) for name in ("dopasoins", "imagerie"))
    }
    assert [Path(config["history"]).name for config in told.values()] == ["history.jsonl", "history-imagerie.jsonl"]
    assert [config["url_host"] for config in told.values()] == ["10.78.4.10", "10.78.4.9"]
    again = Observation(service("dopasoins", lab), scenario)
    assert again.path == scenario.history, "observed twice, a service goes on in its own"


def test_clinicians_secrets_stay_with_the_lab_and_out_of_the_run_folder(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    spawned: list[str] = []
    lab: Any = FakeLab()
    lab.wards = {"cardiologie": 7}
    lab.enclosure = SimpleNamespace(state=tmp_path / "state", spawn=lambda *argv, **_: spawned.append(argv[-1]))
    found = Observation(service("dopasoins", lab), scenario)
    scenario.history.write_text('{"k":"pulse"\n')  # no history: it ends the wait for one
    with pytest.raises(json.JSONDecodeError):
        found.start(frozenset())

    assert sorted(Path(path).name for path in spawned) == ["journeys-cardiologie.json", "pulse-cardiologie.json"]
    for path in map(Path, spawned):
        assert path.parent.parent == tmp_path / "state"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert secret_of("c001") in path.read_text()
    left = [path.read_bytes() for path in scenario.folder.parent.rglob("*") if path.is_file()]
    assert left
    assert not [content for content in left if secret_of("c001").encode() in content]


def verdict(name: str, outcome: Outcome) -> Verdict:
    return Verdict(
        scenario="R1-salle-1", service=name, verdict=outcome, as_predicted=None, observed=None, predicted=None,
        sentence=f"{name}: {outcome}", sentence_fr=f"{name} : {outcome}",
    )  # fmt: skip


MET, DOUBT, MISSED = Outcome.MET, Outcome.INCONCLUSIVE, Outcome.NOT_MET


@pytest.mark.parametrize(
    ("first", "second", "whose"),
    [
        (MET, MET, "dopasoins"),
        (MET, MISSED, "imagerie"),
        (MET, DOUBT, "imagerie"),
        (DOUBT, MISSED, "imagerie"),
        (MISSED, DOUBT, "dopasoins"),
        (MISSED, MET, "dopasoins"),
    ],
)
def test_the_verdict_of_a_scenario_is_the_worst_of_its_services(
    scenario: Scenario, first: Outcome, second: Outcome, whose: str
) -> None:
    for name, outcome in (("dopasoins", first), ("imagerie", second)):
        scenario.claim(name)
        scenario.describe(name, {"interruption_s": 0, "freeze_s": 5, "loss": 0})
        scenario.close(Readback({name: {"acts": {}}}, frozenset()), verdict(name, outcome))

    told = {path.name: json.loads(path.read_text()).get("service") for path in scenario.folder.glob("*.json")}
    assert told["verdict.json"] == whose
    assert (told["verdict-dopasoins.json"], told["verdict-imagerie.json"]) == ("dopasoins", "imagerie")
    assert (told["scenario.json"], told["scenario-imagerie.json"]) == ("dopasoins", "imagerie")
    assert {"readback.json", "readback-imagerie.json"} <= set(told)
    assert scenario.verdict is not None
    assert scenario.verdict.service == whose


@pytest.mark.parametrize(("outcomes", "whose"), [((MET, MET), "dopasoins"), ((MET, DOUBT), "imagerie")])
def test_a_check_that_fails_is_filed_with_the_verdict_of_the_scenario(
    scenario: Scenario, outcomes: tuple[Outcome, Outcome], whose: str
) -> None:
    for name, outcome in zip(("dopasoins", "imagerie"), outcomes, strict=True):
        scenario.claim(name)
        scenario.close(None, verdict(name, outcome))
    scenario.fail(FailedCheck("the copies differ", "les copies diffèrent", MISSED))
    scenario.fail(FailedCheck("the lab is gone", "le banc n'est plus là", DOUBT))

    files = {path.name: Verdict.from_json(path.read_text("utf-8")) for path in scenario.folder.glob("verdict*.json")}
    (other,) = {"dopasoins", "imagerie"} - {whose}
    assert files["verdict.json"] == files[f"verdict-{whose}.json"] == scenario.verdict
    assert files["verdict.json"].sentence.startswith(f"{whose}: ")
    assert files["verdict.json"].sentence.endswith(" A check of the scenario failed: the copies differ.")
    assert files["verdict.json"].verdict is MISSED
    assert files[f"verdict-{other}.json"].failed_check is None


def test_a_scenario_of_one_service_has_the_files_that_it_always_had(scenario: Scenario) -> None:
    scenario.claim("imagerie")
    scenario.describe("imagerie", {"interruption_s": 0, "freeze_s": 5, "loss": 0})
    scenario.close(Readback({}, frozenset()), verdict("imagerie", MISSED))

    names = {path.name for path in scenario.folder.iterdir()}
    assert names == {"scenario.json", "readback.json", "verdict.json"}
