"""What the database may answer, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from lab.replica.emr import store as store_module
from lab.replica.emr.store import Store, UnavailableError
from lab.replica.emr.watch import State, judge

_FIRST = text("SELECT said FROM first")

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Engine


def _says(*codes: int) -> Callable[[Connection], str]:
    """Work that fails with these codes of the database, one a try, and then succeeds."""
    left = list(codes)

    def work(_connection: Connection) -> str:
        if left:
            raise OperationalError("COMMIT", {}, Exception(left.pop(0), "as Galera says"))
        return "done"

    return work


@pytest.fixture
def store() -> Store:
    return Store(create_engine("sqlite://", future=True))


@pytest.mark.parametrize("codes", [(), (1213,), (1205, 1213, 1180)])
def test_a_transaction_that_may_be_tried_again_is(store: Store, codes: tuple[int, ...]) -> None:
    assert store.run(_says(*codes)) == "done"


def test_tries_are_bounded(store: Store) -> None:
    with pytest.raises(UnavailableError, match="each time"):
        store.run(_says(*[1213] * 4))


@pytest.mark.parametrize("code", [1047, 2002, 2013, 1317])
def test_a_database_that_cannot_serve_is_not_asked_twice(store: Store, code: int) -> None:
    with pytest.raises(UnavailableError, match=str(code)):
        store.run(_says(code, code))


def test_a_taken_key_is_for_the_caller(store: Store) -> None:
    def work(_connection: Connection) -> None:
        raise IntegrityError("INSERT", {}, Exception(1062, "Duplicate entry"))

    with pytest.raises(IntegrityError):
        store.run(work)


@pytest.mark.parametrize(
    ("cluster", "ready", "state", "judged"),
    [
        ("Primary", "ON", "4", State(synced=True, group_size=3)),
        ("Primary", "ON", "2", State(synced=False, group_size=3)),
        ("Primary", "OFF", "1", State(synced=False, reason="the local database is not ready")),
        (
            "non-Primary",
            "OFF",
            "0",
            State(synced=False, reason="the local database is outside the primary component"),
        ),
    ],
)
def test_a_donor_serves_and_a_member_without_a_primary_does_not(
    cluster: str, ready: str, state: str, judged: State
) -> None:
    status = {
        "wsrep_cluster_status": cluster,
        "wsrep_ready": ready,
        "wsrep_local_state": state,
        "wsrep_cluster_size": "3",
    }
    assert judge(status) == judged


def test_a_database_that_says_nothing_of_galera_does_not_serve() -> None:
    assert not judge({}).serves


def test_what_opens_a_connection_comes_before_the_librarys_own_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would wait for the group; and nothing is committed, which a database in no group refuses."""
    engine, said = create_engine("sqlite://", future=True), list[str]()

    def created(*_: str, **told: Any) -> Engine:  # noqa: ANN401 - whatever SQLAlchemy takes
        assert "init_command" not in told["connect_args"]
        return engine

    monkeypatch.setattr(store_module, "create_engine", created)
    monkeypatch.setattr(engine.dialect, "initialize", lambda connection: said.append(str(connection.execute(_FIRST))))
    store_module.mariadb("/nowhere", first="CREATE TABLE first (said INTEGER)")

    with engine.connect():
        assert len(said) == 1, "the table was there when the library asked its own"
