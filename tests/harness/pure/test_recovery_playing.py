"""Going to room three and back in a lab that answers what it is told: what is refused, said first, and done."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.cluster import Running
from lab.front import recovery as front
from lab.front.commands import MisuseError
from lab.plan import load
from lab.recovery import RefusedError, playing

if TYPE_CHECKING:
    from pathlib import Path

    from lab.bench import Lab

TINY = load("tiny")
HERE = [Running("dopasoins-2", "esx-21", 1, "running", healthy=True)]


@dataclass
class ThirdRoom:
    """Room three of such a lab."""

    services: list[str] = field(default_factory=lambda: ["dopasoins", "imagerie"])
    node: str = "secours"
    orders: list[str] = field(default_factory=list)
    standing: dict[str, str] = field(default_factory=dict)
    complete: int = 0
    heard: int = 0
    answers: bool = True
    owed: int = 0

    def status(self, service: str) -> dict[str, Any] | None:
        return {"standing": self.standing.get(service), "owed": self.owed} if self.answers else None

    def complete_ns(self, _service: str) -> int:
        return self.complete

    def heard_ns(self, _service: str) -> int:
        return self.heard

    def serving(self) -> list[str]:
        return [name for name, word in self.standing.items() if word != "by"]

    def order(self, line: str) -> None:
        self.orders.append(line)
        verb, _, service = line.partition(" ")
        self.standing[service] = {"take": "serves", "close": "closed", "give-back": "by"}[verb]


@dataclass
class FakeLab:
    """What the runbooks ask of a lab."""

    rescue: ThirdRoom = field(default_factory=ThirdRoom)
    running: list[Running] = field(default_factory=list)
    active: str | None = "svc-1"
    plan: Any = TINY
    programs: list[str] = field(default_factory=lambda: ["postgres"])

    @property
    def cluster(self) -> Any:  # noqa: ANN401 - the little of a cluster that is needed
        return SimpleNamespace(running=lambda: self.running)

    @property
    def storage(self) -> Any:  # noqa: ANN401 - the little of a storage that is needed
        return SimpleNamespace(active=self.active)

    def service(self, name: str) -> Any:  # noqa: ANN401 - the little of a service that is needed
        there = self.rescue.standing.get(name) == "serves"
        return SimpleNamespace(served_by=lambda: "secours" if there else TINY.services[name].runs_on[0])

    def host(self, _name: str) -> Any:  # noqa: ANN401 - the little of testinfra that is needed
        return SimpleNamespace(process=SimpleNamespace(filter=lambda comm: [comm] if comm in self.programs else []))

    def is_fit(self, _server: str) -> bool:
        return True


@dataclass
class Told:
    """What was told, in order."""

    events: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, what: str, text: str, _text_fr: str) -> None:
        self.events.append((what, text))


def recovered(lab: FakeLab, folder: Path, told: Told, **given: Any) -> Any:  # noqa: ANN401 - a Recovery
    asked = {"loss_ns": None, "runbook": "ultime-secours", "override": "", **given}
    return playing.recover(cast("Lab", lab), told, folder, **asked)


def test_principal_services_are_taken_in_order_of_priority_and_all_is_written_down(tmp_path: Path) -> None:
    lab, told = FakeLab(), Told()

    found = recovered(lab, tmp_path, told, loss_ns=time.monotonic_ns())

    assert lab.rescue.orders == ["take dopasoins", "take imagerie"]
    stored = json.loads((tmp_path / "recovery.json").read_text())
    assert [step["step"] for step in stored["steps"]] == [step.name for step in found.runbook.ordered]
    assert stored["human_s"] == 15 * 60
    assert [what for what, _ in told.events] == ["age", "runbook", *["step"] * 6]


def test_it_is_refused_while_a_room_lives_and_an_override_is_recorded(tmp_path: Path) -> None:
    lab, told = FakeLab(running=HERE), Told()
    with pytest.raises(RefusedError, match="salle-2 lives: dopasoins-2 runs on esx-21 and could serve; --override"):
        recovered(lab, tmp_path, told)
    assert lab.rescue.orders == []
    assert told.events == []

    found = recovered(lab, tmp_path, told, override="marie")

    assert found.overridden == "marie"
    assert told.events[0][1].startswith("marie overrides: salle-2 lives")


def test_servers_whose_storage_nobody_serves_are_no_living_room(tmp_path: Path) -> None:
    lab = FakeLab(running=HERE, active=None)

    assert not recovered(lab, tmp_path, Told(), override="marie").overridden


def test_it_says_first_by_how_much_room_three_is_older(tmp_path: Path) -> None:
    now = time.monotonic_ns()
    lab, told = FakeLab(rescue=ThirdRoom(complete=now - 61_000_000_000, heard=now)), Told()

    found = recovered(lab, tmp_path, told, loss_ns=now)

    assert told.events[0] == ("age", "room three may be 61 s older than production")
    assert found.older.total_seconds() == 61
    assert lab.rescue.orders


@pytest.mark.parametrize(
    ("lab", "runbook", "sentence"),
    [
        (FakeLab(), "retour", "forgets dopasoins, imagerie"),
        (FakeLab(ThirdRoom(services=["dopasoins"])), "ultime-secours", "unknown principal service 'imagerie'"),
        (FakeLab(ThirdRoom(services=[])), "ultime-secours", "there is no room three"),
        (FakeLab(ThirdRoom(answers=False)), "ultime-secours", "room three does not answer for dopasoins"),
    ],
)
def test_what_cannot_be_begun_is_refused(lab: FakeLab, runbook: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=sentence):
        recovered(lab, tmp_path, Told(), runbook=runbook)
    assert lab.rescue.orders == []


def test_a_step_whose_check_fails_ends_the_recovery(tmp_path: Path) -> None:
    lab = FakeLab(programs=[])

    with pytest.raises(RefusedError, match="step record: postgres does not run in room three"):
        recovered(lab, tmp_path, Told())
    assert lab.rescue.orders == ["take dopasoins"]


def test_each_service_is_closed_before_it_is_given_back(tmp_path: Path) -> None:
    lab = FakeLab(ThirdRoom(standing={"dopasoins": "serves", "imagerie": "serves"}))

    playing.give_back(cast("Lab", lab), Told(), tmp_path, runbook="retour")

    assert lab.rescue.orders == [
        "close dopasoins",
        "give-back dopasoins",
        "close imagerie",
        "give-back imagerie",
    ]
    assert lab.rescue.serving() == []


def test_nothing_is_given_back_where_nothing_was_taken(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="room three serves nothing"):
        playing.give_back(cast("Lab", FakeLab()), Told(), tmp_path, runbook="retour")


def test_who_overrides_types_the_name_of_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = cast("Lab", FakeLab(running=HERE))
    monkeypatch.setattr("builtins.input", lambda _: "lab")
    assert front._asked(lab, "lab")  # noqa: SLF001 - the question itself

    monkeypatch.setattr("builtins.input", lambda _: "yes")
    with pytest.raises(MisuseError, match="not overridden, nothing was done"):
        front._asked(lab, "lab")  # noqa: SLF001 - as above


def test_nobody_on_the_terminal_is_no_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    with pytest.raises(MisuseError, match="nobody answers"):
        front._asked(cast("Lab", FakeLab(running=HERE)), "lab")  # noqa: SLF001 - as above
