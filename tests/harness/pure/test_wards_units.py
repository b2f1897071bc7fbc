"""The wards' small parts: messages, the grid, the mix, the judgement on one attempt."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter

import pytest

from lab.wards import Clinician, Config
from lab.wards.connection import Result
from lab.wards.grid import Grid
from lab.wards.journeys import shown_in, verdict_on
from lab.wards.message import Answer, BadAnswerError, parse, request
from lab.wards.mix import PROFESSIONS, Mix
from lab.wards.pulse import version_of

MS = 1_000_000
CONFIG = Config(
    history="unused",
    ward="cardiologie",
    url_host="127.0.0.1",
    clinicians=(Clinician("c001", "a"), Clinician("c002", "b")),
    patients=("p1", "p2"),
    tag="t1",
)
WHOLE = b"HTTP/1.1 200 OK\r\nX-Member: dopasoins-1\r\ncontent-length: 2\r\n\r\n{}"


def test_an_answer_is_read_once_it_is_whole() -> None:
    assert [parse(WHOLE[:size]) for size in range(len(WHOLE))] == [None] * len(WHOLE)
    assert parse(WHOLE) == Answer(200, "dopasoins-1", keep=True, body=b"{}")


def test_header_names_have_no_case_and_members_are_optional() -> None:
    answer = parse(b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length:0\r\n\r\n")

    assert answer == Answer(503, None, keep=False, body=b"")


@pytest.mark.parametrize(
    "received",
    [
        b"SSH-2.0",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 ??? OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_refused(received: bytes) -> None:
    with pytest.raises(BadAnswerError):
        parse(received)


def test_a_request_is_one_piece() -> None:
    message = request("PUT", "/acts/1", {"Host": "h", "X-Access": "a"}, b"{}")

    assert message == (
        b"PUT /acts/1 HTTP/1.1\r\nHost: h\r\nX-Access: a\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(
    ("result", "writes", "outcome"),
    [
        (Result(Answer(200, "m", keep=True, body=b""), None, sent=True), True, "ok"),
        (Result(Answer(201, "m", keep=True, body=b""), None, sent=True), True, "ok"),
        (Result(Answer(409, "m", keep=True, body=b""), None, sent=True), True, "refused"),
        (Result(Answer(503, "m", keep=True, body=b""), None, sent=True), False, "failed"),
        (Result(Answer(503, "m", keep=True, body=b""), None, sent=True), True, "unknown"),
        (Result(None, "answer timeout", sent=True), True, "unknown"),
        (Result(None, "answer timeout", sent=True), False, "failed"),
        (Result(None, "connect timeout", sent=False), True, "failed"),
    ],
)
def test_only_a_write_that_was_sent_is_in_doubt(result: Result, *, writes: bool, outcome: str) -> None:
    assert verdict_on(result, writes=writes)[0] == outcome


def test_a_read_says_which_numbers_it_showed() -> None:
    page = b'{"id":"p1","acts":[{"number":"t1-x-2"},{"number":"old-1"}]}'

    assert shown_in(page, "t1") == ["t1-x-2", "old-1"], "a page shows its five latest acts, whoever recorded them"
    assert shown_in(b'[{"number":"t1-x-2"},{"number":"old-1"}]', "t1") == ["t1-x-2"]
    assert shown_in(b"[]", "t1") == []


@pytest.mark.parametrize("body", [b"", b"{}", b"7", b'["t1"]', b'{"acts":[{}]}', b'{"acts":7}'])
def test_a_page_of_another_service_says_nothing(body: bytes) -> None:
    assert shown_in(body, "t1") is None


def test_a_record_is_as_new_as_its_first_act() -> None:
    newest = b'{"id":"p1","acts":[{"at":"2026-11-28T01:00:00.5"},{"at":"2026-11-28T00:59:00"}]}'

    assert version_of(newest) == ',"ver":"2026-11-28T01:00:00.5"'
    assert version_of(b'{"id":"p1","acts":[]}') is None


def test_the_same_seed_gives_the_same_operations_in_the_planned_shares() -> None:
    mix, again = Mix(CONFIG), Mix(CONFIG)
    intentions = [mix.next() for _ in range(200)]

    assert intentions == [again.next() for _ in range(200)]
    assert Counter(intention.journey.name for intention in intentions) == {
        "read-record": 90,
        "list-prescriptions": 40,
        "record-act": 40,
        "prescribe": 20,
        "sign-in": 10,
    }
    assert len({intention.id for intention in intentions}) == 200
    assert intentions[0].id == "t1-cardiologie-1"
    assert {intention.key is not None for intention in intentions if intention.method == "PUT"} == {True}


def test_professions_do_what_is_theirs() -> None:
    mix = Mix(CONFIG)
    done = Counter((told.profession.name, told.journey.name) for told in (mix.next() for _ in range(200)))

    assert {who for (who, what) in done if what == "prescribe"} == {"physician"}
    assert {who for (who, what) in done if what == "record-act"} == {"nurse"}
    assert done["pharmacist", "list-prescriptions"] == 20
    assert done["front-desk", "read-record"] == 20
    assert {profession.name: profession.keeps for profession in PROFESSIONS} == {
        "nurse": False, "physician": True, "pharmacist": True, "front-desk": False,
    }  # fmt: skip


def test_a_clinician_takes_time_to_think_and_stays_with_a_patient() -> None:
    clinic = Config(
        **{
            **vars(CONFIG),
            "rate": 5,
            "clinicians": tuple(Clinician(f"c{n}", "s") for n in range(40)),
            "patients": tuple(f"p{n}" for n in range(200)),
        }
    )
    mix = Mix(clinic)
    told = [mix.next() for _ in range(2000)]
    nurses = [one for one in told if one.profession.name == "nurse"]
    mine = [at for at, one in enumerate(told) if one.clinician == nurses[0].clinician]

    thought = [(later - earlier) / clinic.rate for earlier, later in itertools.pairwise(mine)]
    assert sum(thought) / len(thought) == pytest.approx(7, rel=0.1), "19 nurses share 2.75 operations a second"
    assert len({one.patient for one in nurses} - {None}) == 24, "the ward's beds"
    assert len({one.patient for one in told if one.profession.name == "front-desk"}) > 100, "the whole clinic"
    first = [one.patient for one in nurses if one.clinician == nurses[0].clinician and one.patient][:3]
    assert len(set(first)) == 1


def test_another_seed_gives_other_operations() -> None:
    other = Mix(Config(**{**vars(CONFIG), "seed": 2}))
    mix = Mix(CONFIG)

    assert [mix.next() for _ in range(50)] != [other.next() for _ in range(50)]


def test_instants_missed_by_a_late_process_are_all_begun_at_once() -> None:
    async def main() -> list[tuple[int, int]]:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        begun: list[tuple[int, int]] = []

        def begin(intended_ns: int) -> None:
            begun.append((intended_ns, time.monotonic_ns()))
            if len(begun) == 3:
                stall()
            if len(begun) == 20:
                over.set()

        grid = Grid(loop, 5 * MS, begin)
        grid.start()
        await over.wait()
        grid.stop()
        return begun

    begun = asyncio.run(main())
    intended = [at for at, _ in begun]

    assert intended == list(range(intended[0], intended[0] + 5 * MS * len(intended), 5 * MS))
    after_stall = [actual - at for at, actual in begun[3:]]
    assert after_stall[0] >= 45 * MS
    assert min(actual - at for at, actual in begun) >= 0


def stall() -> None:
    """Keep the loop busy for 50 ms, as a neighbour on the same core would."""
    until = time.monotonic_ns() + 50 * MS
    while time.monotonic_ns() < until:
        pass


def test_one_start_that_fails_is_not_the_last() -> None:
    async def main() -> int:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda _loop, _context: None)
        begun: list[int] = []

        def begin(intended_ns: int) -> None:
            begun.append(intended_ns)
            if len(begun) == 2:
                raise RuntimeError
            if len(begun) == 4:
                over.set()

        grid = Grid(loop, MS, begin)
        grid.start()
        await over.wait()
        grid.stop()
        return len(begun)

    assert asyncio.run(main()) >= 4
