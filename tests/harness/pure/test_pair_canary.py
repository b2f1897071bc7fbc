"""A server that gets too little processor notices, and leaves the address to one that could serve."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lab.replica.pair.canary import Lateness, note, noted
from lab.replica.pair.lateness import Canary
from lab.waiting import wait_until

USUAL = 0.051  # seconds that a sleep of 0.05 lasts


def late_at(sleeps: list[float]) -> list[float]:
    """At the end of which sleeps, one after the other, a server finds that it is late."""
    lateness, now, found = Lateness(), 0.0, []
    for length in sleeps:
        if lateness.slept(now, now + length):
            found.append(now + length)
        now += length
    return found


@pytest.mark.parametrize("sleep", [0.1, 0.2, 0.4])  # a turn in each period of a limit, in every second one, in four
def test_a_server_at_one_percent_of_a_processor_notices_within_a_second(sleep: float) -> None:
    assert late_at([USUAL] * 20 + [sleep] * 20)[0] < 20 * USUAL + 1


@pytest.mark.parametrize(
    "sleeps",
    [
        [USUAL] * 100,
        [0.07] * 100,  # a busy machine
        [*[USUAL] * 20, 2.0, *[USUAL] * 20],  # it stood still, as its twin did
    ],
)
def test_a_server_that_gets_its_turn_is_not_late(sleeps: list[float]) -> None:
    assert late_at(sleeps) == []


def test_a_server_is_well_again_three_seconds_after_its_last_late_turn() -> None:
    assert late_at([0.3] * 10 + [USUAL] * 200)[-1] == pytest.approx(3.0 + 3.0, abs=2.1 * USUAL + 1)


def test_who_has_no_spare_stays(tmp_path: Path) -> None:
    """The program itself: stopped again and again, it is late; it leaves only once another could serve."""
    canary = Canary(tmp_path)
    command = canary.child(tmp_path).command
    program = subprocess.Popen(command[command.index(sys.executable) :], cwd=Path(__file__).parents[3])

    def starved() -> bool:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            program.send_signal(number)
            threading.Event().wait(0.2 if number is signal.SIGSTOP else 0.02)
        return canary.is_late

    try:
        wait_until(starved, within=10, because="it does not notice")
        assert not noted(canary.leaves)
        canary.tell(has_spare=True)
        wait_until(lambda: starved() and noted(canary.leaves), within=10, because="it stays")
        canary.tell(has_spare=False)
        wait_until(lambda: not noted(canary.leaves), within=10, because="it does not come back")
    finally:
        program.kill()
        program.wait()


def test_what_is_noted_is_read_and_nothing_is_no(tmp_path: Path) -> None:
    assert not noted(tmp_path / "late")
    for value in (True, False):
        note(tmp_path / "late", value=value)
        assert noted(tmp_path / "late") is value
