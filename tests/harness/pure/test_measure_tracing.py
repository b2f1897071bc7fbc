"""The trail: every answered access once, in every copy, true and in order. Instants in milliseconds."""

from __future__ import annotations

from lab.measure import History, Operation, Probe, Readback, Try
from lab.measure.readback import Trace
from lab.measure.tracing import mistraced, untraced

MS = 1_000_000


def access(name: str, begin: int, end: int, o: str = "ok") -> Probe:
    return Probe("urgences", begin * MS, begin * MS, end * MS, o, "new", None, name, "dopasoins-1")


def row(name: str, at: int, action: str = "read-record", patient: str | None = "p0001") -> Trace:
    return Trace(name, action, patient, at * 1000)


def trail(*copies: tuple[Trace, ...]) -> Readback:
    named = {f"dopasoins-{number}": rows for number, rows in enumerate(copies, 1)}
    return Readback({}, frozenset(row.access for rows in copies for row in rows), named)


def test_an_answered_access_is_in_every_copy_of_the_trail() -> None:
    history = History(probes=(access("a", 0, 5), access("b", 10, 15)))
    whole = (row("a", 1), row("b", 11))

    assert untraced(history, trail(whole, whole)) == set()
    assert untraced(history, trail(whole, whole[:1])) == {"b"}
    assert untraced(history, trail(whole[:1], whole[:1])) == {"b"}


def test_an_access_that_was_not_answered_may_be_traced_or_not() -> None:
    history = History(probes=(access("a", 0, 250, "failed"),))

    assert untraced(history, trail(())) == set()
    assert mistraced(history, trail((row("a", 1),))) == set()


def test_an_access_is_traced_once() -> None:
    assert mistraced(History(probes=(access("a", 0, 5),)), trail((row("a", 1), row("a", 2)))) == {"a"}


def test_a_trail_that_names_another_action_or_patient_is_wrong() -> None:
    operation = Operation("o1", "urgences", "prescribe", "write", "o1", 0, 9 * MS, "ok", 1, "p0007", 0)
    history = History(operations=(operation,), tries=(Try("urgences", "o1", 1, 0, 9 * MS, "ok", None, "a", None),))

    assert mistraced(history, trail((row("a", 1, "prescribe", "p0007"),))) == set()
    assert mistraced(history, trail((row("a", 1, "record-act", "p0007"),))) == {"a"}
    assert mistraced(history, trail((row("a", 1, "prescribe", "p0008"),))) == {"a"}


def test_the_trail_tells_accesses_in_the_order_in_which_they_happened() -> None:
    one_after_the_other = History(probes=(access("a", 0, 5), access("b", 10, 15)))
    together = History(probes=(access("a", 0, 12), access("b", 10, 15)))

    assert mistraced(one_after_the_other, trail((row("b", 11), row("a", 1)))) == set(), (
        "the order of rows means nothing"
    )
    assert mistraced(one_after_the_other, trail((row("a", 20), row("b", 11)))) == {"b"}
    assert mistraced(together, trail((row("a", 20), row("b", 11)))) == set()


def test_a_readback_without_rows_says_nothing_of_them() -> None:
    history = History(probes=(access("a", 0, 5),))

    assert mistraced(history, Readback({}, frozenset({"a"}))) == set()
    assert untraced(history, Readback({}, frozenset())) == {"a"}
