"""Dopasoins over HTTP, on SQLite in memory: what is written, what is traced, what a retry changes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.pool import StaticPool

from lab.replica.emr import data, schema
from lab.replica.emr.access import ROW_DROPPED, Trail, now
from lab.replica.emr.app import Member
from lab.replica.emr.gate import Gate
from lab.replica.emr.people import secret_of
from lab.replica.emr.readback import read
from lab.replica.emr.store import Store, UnavailableError
from lab.replica.emr.tokens import Tokens
from lab.replica.emr.watch import State
from lab.replica.emr.writing import Kept
from lab.replica.outbox import carrying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table
    from sqlalchemy.engine import Engine
    from starlette.applications import Starlette

    from lab.replica.outbox.core import Row

ACT = {"patient": "p0001", "kind": "pansement", "note": "Plaie propre."}
PRESCRIPTION = {"patient": "p0001", "drug": "ramipril", "dose": "5 mg", "per_day": 1}


@dataclass
class Told:
    """A watch that says what the test tells it to."""

    state: State = field(default_factory=lambda: State(synced=True, group_size=3))


@dataclass
class Ward:
    """A signed-in clinician in front of one member."""

    app: Starlette
    watch: Told
    database: Engine
    member: Member
    accesses: int = 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:  # noqa: ANN401 - any JSON
        self.accesses += 1
        traced = {"authorization": f"Bearer {self.token()}", "x-access": f"t-{self.accesses}", **headers}
        return self.plain(method, path, body, **traced)

    def plain(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:  # noqa: ANN401 - as above
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://dopasoins") as client:
                return await client.request(method, path, json=body, headers=headers)

        return asyncio.run(asked())

    def token(self) -> str:
        return Tokens("both members know this").sign("c017")

    def rows(self, table: Table) -> int:
        with self.database.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def traced(self) -> list[tuple[str, str, str | None]]:
        columns = schema.access_trail.c
        with self.database.connect() as connection:
            wanted = select(columns.access, columns.action, columns.patient).order_by(columns.seq)
            return [(row.access, row.action, row.patient) for row in connection.execute(wanted)]


@pytest.fixture
def database() -> Iterator[Engine]:
    engine = create_engine("sqlite://", future=True, poolclass=StaticPool, connect_args={"check_same_thread": False})
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        data.generate().load(connection)
    yield engine
    engine.dispose()


@dataclass
class Delivered:
    """A way to room three that remembers what it was asked to bring there, or finds that room three serves."""

    rows: list[Row] = field(default_factory=list)
    serves: bool = False

    def deliver(self, row: Row) -> None:
        if self.serves:
            raise UnavailableError("room three serves this record")
        self.rows.append(row)


def ward_of(database: Engine, name: str = "dopasoins-1", *defects: str, feed: Delivered | None = None) -> Ward:
    watch = Told()
    member = Member(
        name=name,
        store=Store(database),
        trail=Trail(name, frozenset(defects)),
        tokens=Tokens("both members know this"),
        watch=watch,
        gate=Gate(1),
        feed=feed,
    )
    return Ward(member.app(), watch, database, member)


@pytest.fixture
def ward(database: Engine) -> Ward:
    return ward_of(database)


def test_a_clinician_signs_in_and_the_token_is_good_on_the_other_member(database: Engine, ward: Ward) -> None:
    asked = {"clinician": "c003", "secret": secret_of("c003")}
    signed = ward.plain("POST", "/sessions", asked, **{"x-access": "s-1"})
    token = signed.json()["token"]

    other = ward_of(database, "dopasoins-2")
    answer = other.ask("GET", "/patients/p0001", authorization=f"Bearer {token}")

    assert signed.status_code == 201
    assert answer.status_code == 200
    assert answer.headers["x-member"] == "dopasoins-2"
    assert ward.traced() == [("s-1", "sign-in", None), ("t-1", "read-record", "p0001")]


def test_a_wrong_secret_is_refused_and_traced(ward: Ward) -> None:
    asked = {"clinician": "c003", "secret": secret_of("c004")}

    assert ward.plain("POST", "/sessions", asked, **{"x-access": "s-1"}).status_code == 401
    assert ward.traced() == [("s-1", "sign-in-refused", None)]


@pytest.mark.parametrize(
    "token",
    ["", "nonsense", "c017.99999999999.abcd", Tokens("another secret").sign("c017")],
    ids=["empty", "no token", "no signature", "another secret"],
)
def test_a_forged_token_opens_nothing(ward: Ward, token: str) -> None:
    assert ward.ask("GET", "/patients/p0001", authorization=f"Bearer {token}").status_code == 401


def test_an_old_token_is_refused() -> None:
    tokens = Tokens("both members know this", lifetime=-1)
    assert tokens.clinician(tokens.sign("c017")) is None


def test_a_record_shows_the_patient_and_the_latest_acts(ward: Ward) -> None:
    ward.ask("PUT", "/acts/n-1", ACT)
    record = ward.ask("GET", "/patients/p0001").json()

    assert record["id"] == "p0001"
    assert record["acts"][0]["number"] == "n-1"
    assert record["acts"][0]["clinician"] == "c017"


def test_prescriptions_are_listed_the_latest_first(ward: Ward) -> None:
    ward.ask("PUT", "/prescriptions/n-1", PRESCRIPTION)

    listed = ward.ask("GET", "/patients/p0001/prescriptions").json()

    assert listed[0] == {
        "number": "n-1",
        "clinician": "c017",
        "drug": "ramipril",
        "dose": "5 mg",
        "per_day": 1,
        "at": listed[0]["at"],
    }


@pytest.mark.parametrize(("path", "body"), [("/acts/n-1", ACT), ("/prescriptions/n-1", PRESCRIPTION)])
def test_a_retried_write_changes_nothing(ward: Ward, path: str, body: dict[str, object]) -> None:
    before = ward.rows(schema.acts) + ward.rows(schema.prescriptions)

    assert [ward.ask("PUT", path, body).status_code for _ in range(3)] == [201, 200, 200]
    assert ward.rows(schema.acts) + ward.rows(schema.prescriptions) == before + 1
    assert ward.rows(schema.access_trail) == 3
    assert ward.rows(schema.outbox) == 0, "nobody empties the outbox where there is no room three"


@pytest.mark.parametrize(("path", "body"), [("/acts/n-1", ACT), ("/prescriptions/n-1", PRESCRIPTION)])
def test_a_write_and_its_retry_are_brought_to_room_three_with_their_audit_row(
    database: Engine, path: str, body: dict[str, object]
) -> None:
    feed = Delivered()
    ward = ward_of(database, feed=feed)

    assert [ward.ask("PUT", path, body).status_code for _ in range(2)] == [201, 200]
    assert ward.rows(schema.outbox) == 1
    first, again = feed.rows
    assert first == again
    content = json.loads(first.payload)
    assert (content["row"]["number"], content["access"]["access"]) == ("n-1", "t-1")

    with database.begin() as connection:
        carrying.forget(connection, [first.seq])
    assert ward.ask("PUT", path, body).status_code == 200
    assert len(feed.rows) == 2, "room three has it: nothing is left to bring"


def test_a_write_is_refused_where_room_three_serves(database: Engine) -> None:
    ward = ward_of(database, feed=Delivered(serves=True))

    assert ward.ask("PUT", "/acts/n-1", ACT).status_code == 503


def test_a_member_that_only_stands_by_for_room_three_is_fit_and_does_not_serve(ward: Ward) -> None:
    ward.watch.state = State(synced=True, reason="room three serves this record", elsewhere=True)

    assert ward.plain("GET", "/health").status_code == 503
    assert ward.plain("GET", "/fit").status_code == 200
    ward.watch.state = State(synced=False, reason="the local database does not answer")
    assert ward.plain("GET", "/fit").status_code == 503


def test_what_room_three_does_waits_in_its_outbox_for_rooms_one_and_two(database: Engine) -> None:
    trail = Trail("secours", hands_on=True)
    ward = ward_of(database, "secours")
    member = replace(ward.member, trail=trail, feed=Kept())
    ward.app = member.app()

    ward.ask("GET", "/patients/p0001")
    ward.ask("PUT", "/acts/n-1", ACT)

    with database.begin() as connection:
        rows = carrying.oldest(connection, 10, now())
    contents = [json.loads(row.payload) for row in rows]
    assert [(content["row"] or {}).get("number") for content in contents] == [None, None, "n-1"]
    assert [content["access"] and content["access"]["access"] for content in contents] == ["t-1", "t-2", None]


def test_another_content_under_the_same_number_is_a_conflict_and_is_traced(ward: Ward) -> None:
    ward.ask("PUT", "/acts/n-1", ACT)

    assert ward.ask("PUT", "/acts/n-1", {**ACT, "note": "Autre chose."}).status_code == 409
    assert ward.rows(schema.access_trail) == 2


def test_the_same_number_from_another_clinician_is_a_conflict(ward: Ward) -> None:
    ward.ask("PUT", "/acts/n-1", ACT)
    other = Tokens("both members know this").sign("c002")

    assert ward.ask("PUT", "/acts/n-1", ACT, authorization=f"Bearer {other}").status_code == 409


def test_a_duplicate_access_id_does_not_refuse_care(ward: Ward) -> None:
    answers = [ward.ask("GET", "/patients/p0001", **{"x-access": "twice"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [row[0] for row in ward.traced()] == ["twice", "twice"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/patients/p9999", None),
        ("GET", "/patients/p9999/prescriptions", None),
        ("PUT", "/acts/n-1", {**ACT, "patient": "p9999"}),
    ],
)
def test_asking_for_an_unknown_patient_is_traced(ward: Ward, method: str, path: str, body: object) -> None:
    assert ward.ask(method, path, body).status_code == 404
    assert ward.traced()[0][2] == "p9999"


def test_nothing_is_written_when_it_cannot_be_traced(database: Engine) -> None:
    ward = ward_of(database, feed=Delivered())
    before = ward.rows(schema.acts)
    with ward.database.begin() as connection:
        connection.execute(text("DROP TABLE access_trail"))

    assert ward.ask("PUT", "/acts/n-1", ACT).status_code == 503
    assert ward.ask("GET", "/patients/p0001").status_code == 503
    assert ward.rows(schema.acts) == before
    assert ward.rows(schema.outbox) == 0


def test_the_trail_is_read_from_a_mark_and_reading_it_is_traced(ward: Ward) -> None:
    for _ in range(3):
        ward.ask("GET", "/patients/p0001")

    rows = ward.ask("GET", "/trail?after=1&limit=10").json()

    assert [row["access"] for row in rows] == ["t-2", "t-3"]
    assert rows[0]["member"] == "dopasoins-1"
    assert ward.traced()[-1] == ("t-4", "read-trail", None)


@pytest.mark.parametrize("query", ["after=x", "limit=-1", "after=1e3"])
def test_a_trail_asked_for_wrongly_is_refused(ward: Ward, query: str) -> None:
    assert ward.ask("GET", f"/trail?{query}").status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "missing"),
    [
        ("/acts/n-1", {"patient": "p0001", "kind": "pansement"}, "note"),
        ("/acts/n-1", {**ACT, "note": "x" * 1001}, "note"),
        ("/acts/n-1", [], "object"),
        ("/prescriptions/n-1", {**PRESCRIPTION, "per_day": 0}, "per_day"),
        ("/prescriptions/n-1", {**PRESCRIPTION, "per_day": True}, "per_day"),
        ("/acts/" + "n" * 65, ACT, "64"),
    ],
)
def test_a_bad_form_is_refused_with_what_is_wrong(ward: Ward, path: str, body: object, missing: str) -> None:
    answer = ward.ask("PUT", path, body)

    assert answer.status_code == 400
    assert missing in answer.json()["error"]


@pytest.mark.parametrize("access", ["", "x" * 65])
def test_an_access_without_an_id_is_refused(ward: Ward, access: str) -> None:
    assert ward.ask("GET", "/patients/p0001", **{"x-access": access}).status_code == 400


def test_a_member_whose_database_is_away_says_so_at_once(ward: Ward) -> None:
    ward.watch.state = State(synced=False, reason="the local database does not answer")

    answers = [ward.ask("GET", "/patients/p0001"), ward.ask("PUT", "/acts/n-1", ACT), ward.plain("GET", "/health")]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert answers[2].json() == {"error": "the local database does not answer"}
    assert ward.rows(schema.access_trail) == 0


def test_health_needs_no_session_and_leaves_no_trace(ward: Ward) -> None:
    said = ward.plain("GET", "/health").json()

    assert said == {"member": "dopasoins-1", "database": "primary", "synced": True, "group_size": 3}
    assert ward.rows(schema.access_trail) == 0


def test_the_planted_defect_forgets_one_row_in_fifty(database: Engine) -> None:
    ward = ward_of(database, "dopasoins-1", ROW_DROPPED)
    for _ in range(100):
        ward.ask("GET", "/patients/p0001")

    assert ward.rows(schema.access_trail) == 98


def test_the_readback_holds_what_one_run_wrote_and_no_other(ward: Ward) -> None:
    ward.ask("PUT", "/acts/run_1-a", ACT, **{"x-access": "run_1-x"})
    ward.ask("PUT", "/prescriptions/run_1-b", PRESCRIPTION, **{"x-access": "run_1-y"})
    ward.ask("PUT", "/acts/runX1-a", ACT, **{"x-access": "runX1-x"})

    with ward.database.connect() as connection:
        copy = read(connection, "run_1")

    traces = copy.pop("traces")
    assert copy == {"acts": {"run_1-a": 1}, "prescriptions": {"run_1-b": 1}, "trail": ["run_1-x", "run_1-y"]}
    assert [row[:3] for row in traces] == [
        ("run_1-x", "record-act", "p0001"),
        ("run_1-y", "prescribe", "p0001"),
    ]
    assert traces[0][3] <= traces[1][3]
