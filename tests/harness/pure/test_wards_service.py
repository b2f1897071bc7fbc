"""The wards against a small service that drops, delays, refuses and closes; and what is then judged of them."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lab import private
from lab.measure import History, Outcome, Readback, Verdict, judge
from lab.wards import Clinician, Config
from lab.wards.client import Client
from lab.wards.connection import Connection, Limits, Result
from lab.wards.journeys import Journeys
from lab.wards.message import request
from lab.wards.pulse import Pulse
from lab.wards.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

NURSE = Clinician("c001", "secret")


@dataclass(frozen=True)
class Promise:
    """What the plan of these tests promises."""

    interruption: timedelta | None = timedelta()
    freeze: timedelta | None = timedelta(seconds=5)
    loss: int | None = 0


@dataclass
class Service:
    """A record of one member. `mode` is what it does with the next request; what it did is in `acts` and `trail`."""

    mode: str = "serve"
    port: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    trail: set[str] = field(default_factory=set)
    connections: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; on the same port as before, if it did."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more, and break every connection."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    def readback(self) -> Readback:
        """As the bench would read it."""
        return Readback({"dopasoins-1": {"acts": dict(self.acts)}}, frozenset(self.trail))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split()
        if self.mode == "refuse":
            return await self._answer(writer, 503, b"{}")
        if self.mode == "close":
            return False
        if self.mode == "silent" or (self.mode == "silent-writes" and method == "PUT"):
            return True
        if self.mode == "slow":
            await asyncio.sleep(0.3)
        self.trail.add(headers["x-access"])
        if method == "PUT":
            self.acts[path.rpartition("/")[2]] = 1
        if self.mode == "commit-and-close" and method == "PUT":
            return False
        return await self._answer(writer, 201 if method != "GET" else 200, b'{"token":"t"}')

    async def _answer(self, writer: asyncio.StreamWriter, status: int, body: bytes) -> bool:
        head = f"HTTP/1.1 {status} -\r\nx-member: dopasoins-1\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return True


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    service = Service()
    await service.open()
    try:
        yield service
    finally:
        await service.close()


@dataclass
class Ward:
    """A ward at work for the length of a `with`; its history is there afterwards."""

    config: Config
    history: History = field(default_factory=History)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Sign in, run both instruments."""
        loop = asyncio.get_running_loop()
        beat = Recorder(self.config.history, "pulse@cardiologie", loop)
        care = Recorder(self.config.history, "journeys@cardiologie", loop)
        beat.start(interval_ns=self.config.interval_ns, kept_interval_ns=self.config.kept_interval_ns)
        patience_ns = round(self.config.patience_ms * 1e6)
        care.start(interval_ns=self.config.operation_interval_ns, patience_ns=patience_ns)
        client = Client(self.config, "p")
        pulse = Pulse(self.config, client, beat, await client.sign_in(NURSE))
        journeys = Journeys(self.config, Client(self.config, "j"), care, {NURSE: "t"})
        pulse.start()
        journeys.start()
        yield
        await pulse.stop()
        await journeys.stop()
        beat.end()
        care.end()
        with open(self.config.history, encoding="utf-8") as lines:  # noqa: ASYNC230, PTH123 - all is over by now
            self.history = History.parse(lines)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        history=str(tmp_path / "history.jsonl"),
        ward="cardiologie",
        url_host="127.0.0.1",
        clinicians=(NURSE,),
        patients=("p0001",),
        answer_ms=400,
        patience_ms=3000,
        interval_ms=20,
        rate=40,
    )


def judged(history: History, readback: Readback, promise: Promise | None = None) -> Verdict:
    # These tests run on machines that do other things: only the planted defects may decide.
    return judge(
        history,
        readback,
        promise or Promise(),
        scenario="H1",
        service="dopasoins",
        lag_bound=timedelta(seconds=30),
    )


async def played(config: Config, *modes: str, lasting: float = 0.4) -> tuple[History, Service]:
    """A ward's history over a service that goes through these modes."""
    async with serving() as service:
        ward = Ward(replace(config, port=service.port))
        async with ward.at_work():
            for mode in modes:
                service.mode = mode
                await asyncio.sleep(lasting)
            service.mode = "serve"
        return ward.history, service


def test_a_service_that_serves_is_class_a(config: Config) -> None:
    history, service = asyncio.run(played(replace(config, connect_ms=2000), "serve"))
    seen = judged(history, service.readback())

    assert (seen.verdict, seen.observed) == (Outcome.MET, "A")
    assert {probe.connection for probe in history.probes} == {"new", "kept"}
    assert {probe.member for probe in history.probes} == {"dopasoins-1"}
    assert len(service.acts) == sum(op.kind == "write" for op in history.operations) > 0


def test_every_start_is_on_the_grid_whatever_the_service_does(config: Config) -> None:
    history, _ = asyncio.run(played(config, "serve", "silent", "refuse", "close", "serve"))
    starts = sorted(op.intended_ns for op in history.operations)

    assert starts == list(range(starts[0], starts[0] + 25_000_000 * len(starts), 25_000_000))


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("silent", "answer timeout"), ("refuse", "status 503"), ("close", "connection closed")],
)
def test_an_outage_shorter_than_patience_is_carried_by_retries(config: Config, mode: str, reason: str) -> None:
    history, service = asyncio.run(played(config, "serve", mode, "serve"))
    seen = judged(history, service.readback())

    assert (seen.verdict, seen.observed) == (Outcome.MET, "B")
    assert timedelta(seconds=0.1) < seen.interruption_without_retries < timedelta(seconds=3)
    assert reason in {probe.why for probe in history.probes}
    assert max(op.tries for op in history.operations) > 1


def test_an_operation_ends_when_its_last_attempt_does(config: Config) -> None:
    history, _ = asyncio.run(played(config, "serve", "refuse", "serve"))
    ended = {attempt.operation: attempt.end_ns for attempt in sorted(history.tries, key=lambda attempt: attempt.end_ns)}

    assert history.operations
    assert {op.id: op.end_ns for op in history.operations} == ended


def test_an_outage_longer_than_patience_is_an_interruption(config: Config) -> None:
    impatient = replace(config, patience_ms=300)
    history, service = asyncio.run(played(impatient, "serve", "refuse", "serve", lasting=1))
    seen = judged(history, service.readback())

    assert (seen.verdict, seen.observed) == (Outcome.NOT_MET, "C")
    assert timedelta(seconds=0.4) < seen.interruption < timedelta(seconds=3)


def test_a_slow_service_freezes_and_is_class_a_while_no_client_gives_up(config: Config) -> None:
    patient = replace(config, answer_ms=2000)  # on a busy machine a slow answer came too late otherwise
    history, service = asyncio.run(played(patient, "serve", "slow", "serve", lasting=0.6))
    seen = judged(history, service.readback(), Promise(freeze=timedelta(milliseconds=200)))

    assert seen.freeze >= timedelta(milliseconds=300)
    assert seen.verdict is Outcome.NOT_MET
    assert seen.observed == "A"


def test_a_write_that_times_out_to_the_end_is_unknown_and_not_lost(config: Config) -> None:
    impatient = replace(config, patience_ms=900)
    history, service = asyncio.run(played(impatient, "serve", "silent-writes", "silent-writes", "silent-writes"))
    seen = judged(history, service.readback())

    assert seen.unknown > 0
    assert seen.lost == ()
    assert {op.outcome for op in history.operations if op.kind == "read"} == {"ok"}


def test_a_write_done_without_an_answer_is_retried_and_there_once(config: Config) -> None:
    history, service = asyncio.run(played(config, "serve", "commit-and-close", "serve"))
    seen = judged(history, service.readback())

    assert "unknown" in {attempt.outcome for attempt in history.tries}
    assert (seen.verdict, seen.observed, seen.unknown) == (Outcome.MET, "B", 0)


def test_kept_connections_are_kept_and_made_again_when_they_break(config: Config) -> None:
    history, _ = asyncio.run(played(replace(config, connect_ms=2000), "serve", "close", "serve"))
    kept = sorted((p for p in history.probes if p.connection == "kept"), key=lambda p: p.intended_ns)

    assert [kept[0].outcome, kept[-1].outcome] == ["ok", "ok"]
    assert "failed" in {probe.outcome for probe in kept}


# --- planted defects ------------------------------------------------------------------------------------------------


def test_planted_a_client_without_retry_is_not_met(config: Config) -> None:
    history, service = asyncio.run(played(replace(config, retry=False), "serve", "refuse", "serve"))
    seen = judged(history, service.readback())

    assert (seen.verdict, seen.observed) == (Outcome.NOT_MET, "C")


def test_planted_a_closed_loop_pulse_is_inconclusive(config: Config) -> None:
    history, service = asyncio.run(played(replace(config, closed_loop=True), "serve", "silent", "serve"))
    seen = judged(history, service.readback())

    assert seen.verdict is Outcome.INCONCLUSIVE
    assert "the pulse was not open loop" in seen.sentence
    assert "the client was not open loop" in seen.sentence


def test_planted_an_acknowledged_write_deleted_is_lost(config: Config) -> None:
    history, service = asyncio.run(played(config, "serve"))
    deleted = next(iter(service.acts))
    del service.acts[deleted]
    seen = judged(history, service.readback())

    assert (seen.verdict, seen.lost) == (Outcome.NOT_MET, (deleted,))


def test_planted_an_audit_row_dropped_is_untraced(config: Config) -> None:
    history, service = asyncio.run(played(config, "serve"))
    dropped = history.probes[0].access
    service.trail.discard(dropped)
    seen = judged(history, service.readback())

    assert (seen.verdict, seen.untraced) == (Outcome.NOT_MET, (dropped,))


# --- one exchange ---------------------------------------------------------------------------------------------------


async def exchange(port: int, message: bytes = b"", *, within: float = 5) -> Result:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    connection = Connection(loop, ("127.0.0.1", port), keep=False)
    message = message or request("GET", "/patients/p0001", {"X-Access": "a1"})
    connection.ask(message, Limits(within, within, loop.time() + within), future.set_result)
    return await future


def test_a_port_where_nobody_listens_refuses() -> None:
    async def main() -> Result:
        async with serving() as service:
            port = service.port
        return await exchange(port)

    assert asyncio.run(main()) == Result(None, "Connection refused", sent=False)


def test_an_answer_in_many_pieces_is_put_together() -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async def main() -> Result:
        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        async with server:
            return await exchange(server.sockets[0].getsockname()[1])

    answer = asyncio.run(main()).answer
    assert answer is not None
    assert answer.body == b"abc"


def test_an_answer_that_is_not_http_is_a_failure() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH")
        writer.close()

    async def main() -> Result:
        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        async with server:
            return await exchange(server.sockets[0].getsockname()[1])

    result = asyncio.run(main())
    assert (result.answer, result.why) == (None, "not HTTP")


# --- the program ----------------------------------------------------------------------------------------------------


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - another process brings it about: no event tells
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["pulse", "journeys"])
def test_the_program_ends_its_history_on_sigterm(config: Config, tmp_path: Path, kind: str) -> None:
    async def main() -> int | None:
        async with serving() as service:
            path = tmp_path / "config.json"
            private.write(path, replace(config, port=service.port).to_json())
            command = [sys.executable, "-m", "lab.wards", kind, str(path)]
            process = await asyncio.create_subprocess_exec(*command)
            async with asyncio.timeout(20):
                await until(lambda: len(service.trail) >= 10)
                process.send_signal(signal.SIGTERM)
                return await process.wait()

    assert asyncio.run(main()) == 0
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert (lines[0]["k"], lines[0]["writer"], lines[0]["v"]) == ("start", f"{kind}@cardiologie", 1)
    assert lines[-1]["k"] == "end"
    assert lines[-2]["k"] == "lag"
    assert {line["o"] for line in lines if "o" in line} == {"ok"}


def test_the_program_waits_for_a_service_and_can_be_stopped_before_there_is_one(config: Config, tmp_path: Path) -> None:
    async def main() -> int | None:
        async with serving() as service:
            port = service.port
        path, history = tmp_path / "config.json", tmp_path / "history.jsonl"
        private.write(path, replace(config, port=port).to_json())
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "lab.wards", "pulse", str(path))
        async with asyncio.timeout(20):
            await until(lambda: history.exists() and bool(history.read_text()))
            process.send_signal(signal.SIGTERM)
            return await process.wait()

    assert asyncio.run(main()) == 0
    kinds = [json.loads(line)["k"] for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert kinds == ["start", "end"]
