"""The thread that brings writes to room three, between two databases: there, back, and while room three is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, event, func, insert, select, update
from sqlalchemy.exc import OperationalError

from lab.replica.emr import data, schema, writing
from lab.replica.emr.access import Access, Trail, now
from lab.replica.emr.store import Store, UnavailableError
from lab.replica.emr.watch import State
from lab.replica.outbox import carrying, tables
from lab.replica.outbox.core import WAIT
from lab.replica.outbox.feed import ELSEWHERE, Feed
from lab.replica.outbox.room_three import RoomThree, owed
from lab.replica.outbox.tables import Standing
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine


def database(path: Path, *, third: bool = False) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        data.generate().load(connection)
    if third:
        tables.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(insert(tables.charge), {"id": 1, "standing": Standing.BY, "lacking": 0})
    return engine


@dataclass
class Rooms:
    """A member of rooms one and two, and room three, which may be away."""

    member: Engine
    third: Engine
    feed: Feed
    told: Path
    away: bool = False

    def write(self, number: str) -> int:
        write = writing.Write(
            writing.ACT,
            number,
            {"patient": "p0001", "kind": "pansement", "note": "Plaie propre."},
            Access(f"access-{number}", "c001", "record-act", "p0001"),
        )
        return writing.put(Store(self.member), Trail("dopasoins-1"), write, self.feed).status

    def has(self, engine: Engine, number: str) -> int:
        with engine.connect() as connection:
            acts = select(func.count()).select_from(schema.acts).where(schema.acts.c.number == number)
            trail = select(func.count()).select_from(schema.access_trail)
            trail = trail.where(schema.access_trail.c.access == f"access-{number}")
            # In one question: between two of them the feed may have delivered.
            written, traced = connection.execute(select(acts.scalar_subquery(), trail.scalar_subquery())).one()
            assert traced == written, "an act comes with its audit row"
            return int(written)

    def become(self, standing: Standing) -> None:
        with self.third.begin() as connection:
            connection.execute(update(tables.charge).values(standing=standing))

    def soon(self, true: Callable[[], bool]) -> None:
        wait_until(true, within=10, because=lambda: str(self.feed.status()))

    def left(self, engine: Engine) -> int:
        with engine.connect() as connection:
            return owed(connection)


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    member, third = database(tmp_path / "member"), database(tmp_path / "third", third=True)
    away = database_of_the_feed = create_engine(f"sqlite:///{tmp_path / 'third'}", connect_args={"timeout": 10})
    feed = Feed(
        create_engine(f"sqlite:///{tmp_path / 'member'}", connect_args={"timeout": 10}),
        RoomThree(database_of_the_feed, "dopasoins-1"),
        lambda: State(synced=True),
        tmp_path / "charge",
        frozenset(),
    )
    found = Rooms(member, third, feed, tmp_path / "charge")

    @event.listens_for(away, "before_cursor_execute")
    def _refuse(*_: object) -> None:
        if found.away:
            raise OperationalError("nothing", None, Exception("room three is away"))

    feed.start()
    found.soon(lambda: bool(feed.status()["answers"] and feed.status()["complete"]))
    yield found
    feed.stop()
    for engine in (member, third, away):
        engine.dispose()


def test_a_write_is_in_room_three_when_it_is_answered_and_leaves_the_outbox(rooms: Rooms) -> None:
    for number in ("n-1", "n-2", "n-3"):
        assert rooms.write(number) == 201
        assert rooms.has(rooms.third, number) == 1
    rooms.soon(lambda: rooms.left(rooms.member) == 0)


def test_a_writer_brings_his_own_write_where_nobody_else_is_at_it(rooms: Rooms) -> None:
    rooms.feed.stop()
    assert rooms.write("n-1") == 201
    assert rooms.has(rooms.third, "n-1") == 1


def test_of_writers_who_come_at_once_none_is_forgotten(rooms: Rooms) -> None:
    numbers = [f"n-{number}" for number in range(40)]
    with ThreadPoolExecutor(4) as wards:
        assert set(wards.map(rooms.write, numbers)) == {201}
    rooms.soon(lambda: rooms.left(rooms.member) == 0)  # or the bounded wait of one ran out on a busy machine
    assert [rooms.has(rooms.third, number) for number in numbers] == [1] * 40


def test_care_goes_on_while_room_three_is_away_and_it_catches_up(rooms: Rooms) -> None:
    rooms.away = True
    assert [rooms.write(f"n-{number}") for number in range(5)] == [201] * 5
    status = rooms.feed.status()
    assert not status["complete"]
    assert status["lacking"] == 5
    assert status["unprotected_s"] >= 0

    rooms.away = False
    rooms.soon(lambda: bool(rooms.feed.status()["complete"]))

    assert [rooms.has(rooms.third, f"n-{number}") for number in range(5)] == [1] * 5
    with rooms.third.connect() as connection:
        wanted = select(tables.unprotected.c.number_of_rows)
        rooms.soon(lambda: connection.execute(wanted).scalars().all() == [5])


def test_a_member_serves_nothing_while_room_three_does_and_fetches_what_it_recorded(rooms: Rooms) -> None:
    rooms.become(Standing.SERVES)
    with pytest.raises(UnavailableError, match="room three serves"):
        rooms.write("n-1")
    rooms.soon(lambda: rooms.told.read_text() == "taken")
    assert rooms.feed.reason == ELSEWHERE

    there = writing.Write(
        writing.ACT,
        "s-1",
        {"patient": "p0001", "kind": "toilette", "note": "Aide."},
        Access("access-s-1", "c001", "record-act", "p0001"),
    )
    writing.put(Store(rooms.third), Trail("secours", hands_on=True), there, writing.Kept())
    rooms.soon(lambda: rooms.left(rooms.third) == 0)
    assert rooms.has(rooms.member, "s-1") == 1

    rooms.become(Standing.BY)
    rooms.soon(lambda: rooms.told.read_text() == "free")
    assert rooms.write("n-2") == 201
    rooms.soon(lambda: rooms.has(rooms.third, "n-1") == 1)
    assert rooms.has(rooms.third, "n-2") == 1


def test_what_a_dead_twin_left_in_the_outbox_is_delivered(rooms: Rooms) -> None:
    with_no_feed = writing.Write(
        writing.ACT,
        "n-9",
        {"patient": "p0001", "kind": "toilette", "note": "Aide."},
        Access("access-n-9", "c001", "record-act", "p0001"),
    )
    writing.put(Store(rooms.member), Trail("dopasoins-2"), with_no_feed, writing.Kept())

    rooms.soon(lambda: rooms.has(rooms.third, "n-9") == 1)
    rooms.soon(lambda: rooms.left(rooms.member) == 0)


def test_what_was_read_from_the_table_is_on_the_members_disk_before_it_is_delivered(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def not_yet(_: object) -> None:
        nonlocal tries
        tries += 1
        raise OperationalError("FLUSH LOCAL ENGINE LOGS", None, Exception("its disk is held"))

    rooms.away = True
    assert rooms.write("n-1") == 201
    with monkeypatch.context() as held:
        held.setattr(carrying, "settle", not_yet)
        rooms.away = False
        rooms.soon(lambda: tries > 1)
        assert rooms.has(rooms.third, "n-1") == 0
    rooms.soon(lambda: rooms.has(rooms.third, "n-1") == 1)


def test_the_wait_for_room_three_is_bounded() -> None:
    assert WAIT == 0.3, "DESIGN, section 6, rule 8"


def test_what_was_fetched_is_not_fetched_again_although_room_three_still_has_it(tmp_path: Path) -> None:
    member, third = database(tmp_path / "member"), database(tmp_path / "third", third=True)
    access = Access("access-s-1", "c001", "read-record", "p0001")
    with third.begin() as connection:
        Trail("secours", hands_on=True).note(connection, access)
        rows = carrying.oldest(connection, 10, now())

    for _ in range(2):
        with member.begin() as connection:
            carrying.fetch(connection, rows)

    with member.connect() as connection:
        assert connection.execute(select(schema.access_trail.c.access)).scalars().all() == ["access-s-1"]
    member.dispose()
    third.dispose()
