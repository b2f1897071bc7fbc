"""Whether a kernel answers, and whether it answers each time: told on echoes and their answers."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from lab.replica.pair.reach import Reach

if TYPE_CHECKING:
    import pytest

TWIN = IPv4Address("10.77.4.20")


def looks(monkeypatch: pytest.MonkeyPatch, lost: set[int], *, late: float = 0.001) -> dict[int, tuple[bool, bool]]:
    """At each second, whether the twin is reached, and whether nothing is lost, at ten echoes a second."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    watched, found = Reach((TWIN,), 0.1), {}
    for turn in range(1, 151):
        clock[0] = turn / 10
        number = watched.asks(clock[0])
        clock[0] += late
        if turn not in lost:
            watched.heard(TWIN.packed, number, clock[0])
        if turn % 10 == 0:
            found[turn // 10] = watched.is_reached, watched.loses_nothing
    return found


def test_a_kernel_that_answers_each_time_loses_nothing_once_it_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks(monkeypatch, set())
    assert all(reached for reached, _ in found.values())
    assert [second for second, (_, clean) in found.items() if not clean] == [1, 2, 3, 4]


def test_one_answer_that_does_not_come_counts_for_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks(monkeypatch, {81})
    assert all(reached for reached, _ in found.values())
    assert [second for second, (_, clean) in found.items() if not clean] == [1, 2, 3, 4, 9, 10, 11, 12, 13]


def test_a_kernel_that_falls_silent_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks(monkeypatch, set(range(81, 151)))
    assert [second for second, (reached, _) in found.items() if not reached] == [9, 10, 11, 12, 13, 14, 15]


def test_somebody_elses_answer_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 9.0)
    watched = Reach((TWIN,))
    number = watched.asks(9.0)
    watched.heard(IPv4Address("10.77.4.21").packed, number, 9.1)
    watched.asks(9.4)
    assert not watched.loses_nothing
