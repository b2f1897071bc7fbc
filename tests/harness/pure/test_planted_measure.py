"""Defects planted in the instrument and in the measure: each must turn a verdict. docs/track-record.md lists them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import msgspec
import pytest

from lab.measure import History, Operation, Outcome, Readback, Verdict, judge
from lab.measure.availability import apart
from lab.wards import journeys, pulse
from lab.wards.journeys import verdict_on
from lab.wards.message import request
from tests.harness.pure.test_wards_service import Promise, config, played

if TYPE_CHECKING:
    from lab.wards import Config
    from lab.wards.connection import Result

__all__ = ["config"]  # a fixture

LONG = Promise(interruption=timedelta(minutes=1))


def judged(history: History, readback: Readback, window: tuple[int, int] | None = None) -> Verdict:
    bound = timedelta(seconds=30)  # this machine may do other things
    return judge(history, readback, LONG, scenario="defect", service="dopasoins", fault_window=window, lag_bound=bound)


def test_a_pulse_that_waits_for_its_answers_is_noticed(config: Config) -> None:
    """Closed loop: what it left out during the outage would have been the evidence."""
    history, service = asyncio.run(played(replace(config, closed_loop=True), "serve", "silent", "serve"))
    seen = judged(history, service.readback())

    assert seen.verdict is Outcome.INCONCLUSIVE
    assert "not open loop" in seen.sentence


def test_stamps_of_the_wall_clock_are_noticed(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that may be set while a scenario runs: its starts lie years from the instants they were meant for."""
    wall = SimpleNamespace(monotonic_ns=time.time_ns)
    monkeypatch.setattr(pulse, "time", wall)
    monkeypatch.setattr(journeys, "time", wall)
    begun = time.monotonic_ns()
    history, service = asyncio.run(played(config, "serve"))
    seen = judged(history, service.readback(), (begun + 200_000_000, time.monotonic_ns()))

    assert seen.verdict is Outcome.INCONCLUSIVE
    assert "the pulse itself was late" in seen.sentence


def test_time_outs_counted_ok_are_noticed(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes silence for consent: its acts are nowhere, and its accesses in no trail."""

    def hopeful(result: Result, *, writes: bool) -> tuple[str, str | None]:
        return ("ok", None) if result.why == "answer timeout" else verdict_on(result, writes=writes)

    monkeypatch.setattr(journeys, "verdict_on", hopeful)
    history, service = asyncio.run(played(config, "serve", "silent", "serve", lasting=0.6))
    seen = judged(history, service.readback())

    assert seen.verdict is Outcome.NOT_MET
    assert seen.untraced


def test_retries_that_are_new_writes_are_noticed(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that numbers each attempt anew: the record holds an act twice, under numbers which nobody asked for."""

    def renumbering(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
        attempt = headers["X-Access"].rpartition(".")[2]
        return request(method, path if attempt == "1" or method == "GET" else f"{path}-{attempt}", headers, body)

    monkeypatch.setattr(journeys, "request", renumbering)
    history, service = asyncio.run(played(config, "serve", "commit-and-close", "serve"))
    seen = judged(history, service.readback())

    assert seen.verdict is Outcome.NOT_MET
    assert seen.unasked
    assert "no client asked for" in seen.sentence


def test_without_that_defect_a_retry_changes_nothing(config: Config) -> None:
    history, service = asyncio.run(played(config, "serve", "commit-and-close", "serve"))
    seen = judged(history, service.readback())

    assert (seen.lost, seen.duplicated, seen.unasked) == ((), (), ())
    assert "late" not in seen.sentence, "nor does an honest clock"


def test_unknown_counted_lost_is_noticed() -> None:
    """Two measures of one history: the honest one is met, and one that takes *unknown* for *acknowledged* is not."""
    unknown = Operation("w1", "cardiologie", "record-act", "write", "a", 0, 10, "unknown", 1)
    readback = Readback({"dopasoins-1": {"acts": {}}}, frozenset())

    assert judged(History(operations=(unknown,)), readback).lost == ()
    assert judged(History(operations=(msgspec.structs.replace(unknown, outcome="ok"),)), readback).lost == ("a",)


def test_percentiles_from_the_actual_start_are_noticed() -> None:
    """One stall of two seconds: a client that waits and starts late says 10 ms; the grid says what people waited."""
    ms = 1_000_000
    waits = {at * ms: max(10, 2_010 - at) * ms for at in range(0, 20_000, 100)}
    rows = [Operation(f"o{at}", "w", "read", "read", None, at, at + wait, "ok", 1) for at, wait in waits.items()]
    late = [msgspec.structs.replace(op, intended_ns=op.end_ns - 10 * ms) for op in rows]

    assert apart(rows, [], None)[0].p99_s > 1.5
    assert apart(late, [], None)[0].p99_s == pytest.approx(0.01)
