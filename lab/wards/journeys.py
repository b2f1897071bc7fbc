"""Clinicians at work: each operation starts when it was intended to, and is tried until patience runs out."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from .client import token_of
from .grid import Grid
from .message import request
from .mix import Mix
from .recorder import quoted
from .under_way import UnderWay

if TYPE_CHECKING:
    from .checks import Clinician
    from .client import Client
    from .config import Config
    from .connection import Result
    from .mix import Intention
    from .recorder import Recorder

# Before a retry; jittered, so that a ward's clients do not come back all at once, and stretched up to five times:
# a hundred clients that are refused at once would otherwise ask 1,700 times a second, on the failover's own cores.
_PAUSE_S = (0.02, 0.1)
_MOST_STRETCHED = 5
_NS_IN_S = 1_000_000_000


@dataclass
class _Story:
    """An operation as it goes: tries so far, and whether one of them may have been done without our knowing."""

    intention: Intention
    intended_ns: int
    tries: int = 0
    doubt: bool = False
    asked_ns: int = 0
    ended_ns: int = 0
    """When the last attempt did: one instant for both lines, or a processor taken away between them would tell two."""
    saw: list[str] | None = None


class Journeys:
    """A ward's clinicians.

    Args:
        config: rate, seed, patience, and the planted defects.
        client: how they reach the service.
        recorder: where their history goes.
        tokens: each clinician's session.
    """

    def __init__(self, config: Config, client: Client, recorder: Recorder, tokens: dict[Clinician, str]) -> None:
        self._config = config
        self._client = client
        self._recorder = recorder
        self._tokens = tokens
        self._mix = Mix(config)
        # Pauses are drawn apart, so that they do not change the mix.
        self._draw = Random(config.seed)  # noqa: S311 - jitter, not a secret
        self._grid = Grid(client.loop, config.operation_interval_ns, self._begin)
        self._under_way = UnderWay()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin."""
        self._grid.start()

    async def stop(self) -> None:
        """Start nothing more, and finish what is under way: at most patience."""
        self._grid.stop()
        await self._under_way.none()
        self._client.close()

    def _begin(self, intended_ns: int) -> None:
        if self._config.closed_loop and self._under_way.count:
            return
        self._recorder.late_by(time.monotonic_ns() - intended_ns)
        self._under_way.begin()
        task = self._client.loop.create_task(self._live(_Story(self._mix.next(), intended_ns)))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._under_way.end()
        task.result()  # a defect of ours is shown; the operation that it left out makes a hole in the grid

    async def _live(self, story: _Story) -> None:
        deadline = story.intended_ns / _NS_IN_S + self._config.patience_ms / 1000
        while True:
            outcome = await self._try(story, deadline)
            pause = self._draw.uniform(*_PAUSE_S) * min(story.tries, _MOST_STRETCHED)
            if outcome in {"ok", "refused"} or not self._config.retry:
                break
            if self._client.loop.time() + pause >= deadline:
                break
            await asyncio.sleep(pause)
        self._record_operation(story, "ok" if outcome == "ok" else "unknown" if story.doubt else "failed")

    async def _try(self, story: _Story, deadline: float) -> str:
        """One attempt: `ok`, `refused` (asking again would not help), `failed` or `unknown`."""
        story.tries += 1
        intention = story.intention
        access = f"{self._client.prefix}{intention.id.rpartition('-')[2]}.{story.tries}"
        token = None if intention.journey.name == "sign-in" else self._tokens[intention.clinician]
        kept = self._client.session(intention.clinician) if intention.profession.keeps else None
        headers = self._client.headers(access, token, keep=kept is not None)
        message = request(intention.method, intention.path, headers, intention.body)
        start_ns = time.monotonic_ns()
        story.asked_ns = start_ns
        result = await self._client.ask(message, deadline, kept)
        story.ended_ns = time.monotonic_ns()
        outcome, why = verdict_on(result, writes=intention.key is not None)
        story.doubt = story.doubt or outcome == "unknown"
        if outcome == "ok" and token is None and result.answer is not None:
            self._tokens[intention.clinician] = token_of(result.answer.body)
        elif outcome == "ok" and intention.key is None and result.answer is not None:
            story.saw = shown_in(result.answer.body, self._config.tag)
        self._record_try(story, start_ns, access, "failed" if outcome == "refused" else outcome, why, result)
        return outcome

    def _record_try(  # noqa: PLR0913, PLR0917 - the fields of a line
        self, story: _Story, start_ns: int, access: str, outcome: str, why: str | None, result: Result
    ) -> None:
        member = result.answer.member if result.answer else None
        self._recorder.add(
            f'{{"k":"try","w":"{self._config.ward}","op":"{story.intention.id}","n":{story.tries},'
            f'"s":{start_ns},"e":{story.ended_ns},"o":"{outcome}","why":{quoted(why)},'
            f'"x":"{access}","m":{quoted(member)}}}'
        )

    def _record_operation(self, story: _Story, outcome: str) -> None:
        journey, profession = story.intention.journey, story.intention.profession
        saw = "" if story.saw is None else f',"saw":{json.dumps(story.saw)}'
        self._recorder.add(
            f'{{"k":"op","op":"{story.intention.id}","w":"{self._config.ward}","j":"{journey.name}",'
            f'"a":"{journey.kind}","key":{quoted(story.intention.key)},"t":{story.intended_ns},'
            f'"e":{story.ended_ns},"o":"{outcome}","n":{story.tries},'
            f'"p":{quoted(story.intention.patient)},"s":{story.asked_ns},"pr":"{profession.name}",'
            f'"c":"{"kept" if profession.keeps else "new"}"{saw}}}'
        )


def shown_in(body: bytes, tag: str) -> list[str] | None:
    """The client numbers that a read showed: all of a record's page; of a list of prescriptions those of this run."""
    try:
        content = json.loads(body)
        if isinstance(content, list):
            return [row["number"] for row in content if row["number"].startswith(tag)]
        return [row["number"] for row in content["acts"]]
    except (ValueError, KeyError, TypeError):  # another service than Dopasoins: what it shows is not ours to judge
        return None


def verdict_on(result: Result, *, writes: bool) -> tuple[str, str | None]:
    """Outcome of an attempt, and why it is not ok.

    A write that was sent and came back with no answer, or with 5xx, may have been done all the same: a server
    can fail between its commit and its answer. It is `unknown`. 4xx is `refused`: the same request would be
    refused again.
    """
    answer = result.answer
    if answer is not None and answer.status in {200, 201}:
        return "ok", None
    why = result.why or (f"status {answer.status}" if answer else None)
    if answer is not None and 400 <= answer.status < 500:  # noqa: PLR2004 - the classes of HTTP
        return "refused", why
    return ("unknown" if writes and result.sent else "failed"), why
