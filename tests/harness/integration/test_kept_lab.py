"""A lab that is kept on purpose: another process finds it, breaks it, mends it, ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from faults import PowerLoss
from lab.bench import Lab
from lab.enclosure import is_alive
from lab.enclosure.doctor import leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = f"kept-{os.getpid()}"


def bascule(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would."""
    command = [sys.executable, "-m", "lab.front.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def kept() -> Iterator[str]:
    """The name of a kept `tiny` lab."""
    up = bascule("up", "tiny", "--name", NAME)
    assert up.returncode == 0, up.stderr
    yield NAME
    if is_alive(NAME):
        bascule("down", "--name", NAME)


def test_a_lab_of_that_name_is_not_built_twice(kept: str) -> None:
    again = bascule("up", "tiny", "--name", kept)
    assert again.returncode == 4
    assert (
        f"is up already: `bascule status --name {kept}` shows it, `bascule down --name {kept}` ends it" in again.stderr
    )


def test_whoever_broke_it_anybody_can_heal_it(kept: str) -> None:
    breaker = Lab.attach(kept)
    PowerLoss("salle-2").inject(breaker)
    breaker.close()
    ill = bascule("status", "--name", kept)
    assert "esx-21 (down)" in ill.stdout
    assert "not whole:\n    node off: " in ill.stdout
    healed = bascule("heal", "--name", kept)
    assert healed.returncode == 0, healed.stderr
    assert "switch off sw-servers-2" in healed.stdout
    assert bascule("heal", "--name", kept).stdout == "nothing was broken\n"
    assert bascule("status", "--name", kept).stdout.endswith("  whole\n")


def test_a_person_goes_to_room_three_and_back(kept: str) -> None:
    refused = bascule("recover", "--name", kept)
    assert refused.returncode == 2
    assert "could serve; --override goes to room three all the same" in refused.stderr
    breaker = Lab.attach(kept)
    for room in ("salle-1", "salle-2"):
        PowerLoss(room).inject(breaker)
    breaker.close()

    gone = bascule("recover", "--name", kept)
    assert gone.returncode == 0, gone.stderr
    assert "room three has all that was acknowledged" in gone.stdout
    assert "after the loss" in gone.stdout

    healed = bascule("heal", "--name", kept)
    assert "room three still serves dopasoins, imagerie: bascule give-back" in healed.stdout
    assert "room three serves dopasoins" in bascule("status", "--name", kept).stdout
    back = bascule("give-back", "--name", kept)
    assert back.returncode == 0, back.stderr
    assert bascule("heal", "--name", kept).stdout == "nothing was broken\n"
    assert bascule("status", "--name", kept).stdout.endswith("  whole\n")


def test_after_down_nothing_is_left(kept: str) -> None:
    assert bascule("down", "--name", kept).returncode == 0
    assert not is_alive(kept)
    assert not [item for item in leftovers() if item.name == kept]
    gone = bascule("status", "--name", kept)
    assert gone.returncode == 4
    assert gone.stderr == f"bascule: no lab named {kept} is up: `bascule up --name {kept}` starts one\n"
