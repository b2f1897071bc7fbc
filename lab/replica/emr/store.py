"""Transactions on the member's own database: bounded waits, bounded retries, one clear error."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Engine

T = TypeVar("T")

THREADS = 20  # transactions at a time in one member; each holds a thread and a connection
WAIT = 2.0  # seconds for one answer of the database, as long as a client waits for ours

# What Galera answers to a transaction that may simply be tried again: deadlock or certification conflict (1213),
# lock wait (1205), commit refused while the view changes (1180).
_AGAIN: frozenset[int | str] = frozenset({1213, 1205, 1180})
_TRIES = 4


class UnavailableError(Exception):
    """The local database cannot serve now; the client may retry, here or on the other member."""


def mariadb(socket: str, wait: float = WAIT, *, user: str = "emr:emr", first: str | None = None) -> Engine:
    """An engine on the MariaDB which listens on this unix socket, with bounded waits; `first` opens each connection.

    The pool hands out the connection used last, so that a calm member keeps few of them busy; nothing is reset on
    return because every transaction here ends by itself.
    """
    engine = create_engine(
        f"mysql+pymysql://{user}@localhost/dopasoins?charset=utf8mb4",
        future=True,
        pool_size=THREADS,
        max_overflow=0,
        pool_timeout=wait,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        connect_args={
            "unix_socket": socket,
            "connect_timeout": 1,
            "read_timeout": wait,
            "write_timeout": wait,
        },
    )
    event.listen(engine, "handle_error", _lost)
    if first is not None:
        event.listen(engine, "connect", partial(_open, first), insert=True)
    return engine


def postgresql(  # noqa: PLR0913 - all are named at the call
    host: str, database: str, *, password: str = "", wait: float = WAIT, threads: int = THREADS, patient: bool = True
) -> Engine:
    """An engine on room three's PostgreSQL, with bounded waits.

    Args:
        host: its address, or the folder of its unix socket.
        database: the service's.
        password: needed from another node.
        wait: seconds for one answer.
        threads: connections at a time; 0 for a new one each time, which outlives no restart of the database.
        patient: whether a server that is gone may take as long as the kernel likes to be found out.
    """
    arguments: dict[str, Any] = {
        "host": host,
        "user": "emr",
        "dbname": database,
        "password": password,
        "connect_timeout": 2,
        "options": f"-c statement_timeout={round(wait * 1000)}",
    }
    if not patient:
        # Whoever is not heard for 5 s hangs: what it locked is needed by others.
        arguments["options"] += " -c idle_session_timeout=5000"
        arguments |= {"tcp_user_timeout": 1000, "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2}
    pool: dict[str, Any] = {"pool_size": threads, "max_overflow": 0, "pool_timeout": wait, "pool_use_lifo": True}
    if not threads:
        pool = {"poolclass": NullPool}
    engine = create_engine("postgresql+psycopg2://", future=True, connect_args=arguments, **pool)
    event.listen(engine, "handle_error", _lost)
    return engine


def engine_of(config: dict[str, Any], wait: float = WAIT) -> Engine:
    """The engine on the database of the application with this configuration: room three's, or a member's own."""
    if there := config.get("postgresql"):
        return postgresql(there["folder"], there["database"], wait=wait)
    return mariadb(f"{config['folder']}/mariadb.sock", wait=wait)


def code(error: DBAPIError) -> int | str:
    """The database's own number of an error; 0 if it has none."""
    state = getattr(error.orig, "pgcode", None)
    if isinstance(state, str):
        return state
    first = error.orig.args[0] if error.orig is not None and error.orig.args else 0
    return first if isinstance(first, int) else 0


class Store:
    """Runs pieces of work, each in one transaction, and turns what the database may say into two outcomes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work`, which has been committed when this returns.

        A work that answers is a work that was committed: nothing is returned before COMMIT was.

        Raises:
            sqlalchemy.exc.IntegrityError: a key is taken; nothing was written.
            UnavailableError: the database refused, or did not answer in time; whether it committed is not known.
        """
        for _ in range(_TRIES):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except IntegrityError:
                raise
            except DBAPIError as error:
                if code(error) not in _AGAIN:
                    raise UnavailableError(f"database error {code(error)}") from error
            except PoolTimeoutError as error:
                raise UnavailableError("no free database connection") from error
        raise UnavailableError("the database asked for one more try each time")


def _open(first: str, connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's
    """Before SQLAlchemy's own questions; PyMySQL's `init_command` commits, which a database in no group refuses."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(first)


def _lost(context: Any) -> None:  # noqa: ANN401 - SQLAlchemy names this type differently in 1.4 and 2
    """One timed-out connection says nothing about the others: keep the pool."""
    context.invalidate_pool_on_disconnect = False
