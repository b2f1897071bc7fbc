"""What the lab does after a fault was healed, until all is as before."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from lab.bench import Lab
from lab.faulting import Felt
from lab.plan import load
from lab.run import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from lab.faulting import Fault


class Healed:
    """A fault that is gone when it is healed."""

    french = "une panne"

    def heal(self, _lab: Lab) -> None:
        pass

    def holds(self, _lab: Lab) -> Felt:
        return Felt(holds=False, detail="gone", detail_fr="réparé")


class Silent:
    """A room three that has the charge of a service, and answers nobody for the first questions."""

    def __init__(self, silent: int) -> None:
        self.silent = silent

    def answers(self) -> bool:
        self.silent -= 1
        return self.silent < 0

    def serving(self) -> list[str]:
        return ["dopasoins"] if self.silent <= 0 else []


@pytest.mark.parametrize("silent", [0, 1, 5])
def test_room_three_is_asked_to_give_back_however_late_it_answers(
    silent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(Lab, "give_back", lambda _: done.append("gives back"))
    monkeypatch.setattr(Lab, "wait_whole", lambda _: done.append("whole"))
    lab = object.__new__(Lab)
    vars(lab).update(plan=load("zero"), rescue=Silent(silent), phases={}, nodes=SimpleNamespace())
    lab.begin(Scenario("U1", "rooms", "both rooms", "deux salles", tmp_path, window=(0, time.monotonic_ns())))
    lab._heal(cast("Fault", Healed()), lab.scenario)
    assert done == ["gives back", "whole"]
