"""From a configuration to a client at work, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from enum import StrEnum
from typing import TYPE_CHECKING

from .client import Client
from .journeys import Journeys
from .pulse import Pulse
from .recorder import Recorder
from .rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .config import Config

_NS_IN_MS = 1_000_000
_URGENT = 10  # real-time priority: the instrument gets its turn before what it measures


class Kind(StrEnum):
    """Which instrument."""

    PULSE = "pulse"
    JOURNEYS = "journeys"
    ROUNDS = "rounds"


async def run(kind: Kind, config: Config) -> None:
    """Sign in, work until SIGTERM or SIGINT, finish what is under way, and say that the history is whole."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    recorder = Recorder(config.history, f"{kind}@{config.ward}", loop)
    recorder.start(**grid(kind, config))
    instrument = await _unless(stop, _signed_in(kind, config, recorder))
    if instrument is not None:
        _rest_the_collector(kind)
        instrument.start()
        await stop.wait()
        await instrument.stop()
    recorder.end()


def grid(kind: Kind, config: Config) -> dict[str, int]:
    """The grids of an instrument, as its start line tells them."""
    if kind is Kind.PULSE:
        return {
            "interval_ns": config.interval_ns,
            "timeout_ns": round(config.connect_ms * _NS_IN_MS),
            "kept_interval_ns": config.kept_interval_ns,
        }
    if kind is Kind.ROUNDS:
        return {
            "interval_ns": config.rounds_interval_ns * config.rounds,
            "timeout_ns": round(config.connect_ms * _NS_IN_MS),
        }
    return {
        "interval_ns": config.operation_interval_ns,
        "timeout_ns": round(config.answer_ms * _NS_IN_MS),
        "patience_ns": round(config.patience_ms * _NS_IN_MS),
    }


async def _signed_in(kind: Kind, config: Config, recorder: Recorder) -> Pulse | Journeys | Rounds:
    client = Client(config, kind[0])
    if kind is Kind.ROUNDS:
        return Rounds(config, client, recorder)
    if kind is Kind.PULSE:
        return Pulse(config, client, recorder, await client.sign_in(config.clinicians[0]))
    tokens = {clinician: await client.sign_in(clinician) for clinician in config.clinicians}
    return Journeys(config, client, recorder, tokens)


async def _unless(
    stop: asyncio.Event, work: Coroutine[None, None, Pulse | Journeys | Rounds]
) -> Pulse | Journeys | Rounds | None:
    """The work's result, or None when we are told to stop before it is done."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    return None


def _rest_the_collector(kind: Kind) -> None:
    """Keep the garbage collector from stopping the instrument.

    What is loaded stays loaded. An attempt of the pulse or of the rounds leaves no cycles behind, so these need no
    collector at all; journeys make tasks, whose exceptions may.
    """
    gc.collect()
    gc.freeze()
    if kind is not Kind.JOURNEYS:
        gc.disable()
        with contextlib.suppress(PermissionError):  # without the right, the recorded lag says what it cost
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_URGENT))
