"""What a clinician would notice, on histories short enough to be read.

A line is `who: what they did [from - to]`, in milliseconds; everything is about one patient unless it says otherwise.
"""

from __future__ import annotations

from lab.measure import Operation, Probe
from lab.measure.noticed import FIRST_PAGE, noticed
from lab.replica.emr import reading

MS = 1_000_000


def prescribed(number: str, begin: int, end: int, o: str = "ok") -> Operation:
    return _write("prescribe", number, begin, end, o)


def recorded(number: str, begin: int, end: int, o: str = "ok") -> Operation:
    return _write("record-act", number, begin, end, o)


def _write(journey: str, number: str, begin: int, end: int, o: str) -> Operation:
    at = begin * MS
    return Operation(f"op-{number}", "cardiologie", journey, "write", number, at, end * MS, o, 1, "p0001", at)


def listed(begin: int, end: int, *saw: str, patient: str = "p0001", intended: int | None = None) -> Operation:
    read = _read("list-prescriptions", begin, end, saw)
    read.patient, read.intended_ns = patient, read.intended_ns if intended is None else intended * MS
    return read


def opened(begin: int, end: int, *saw: str) -> Operation:
    return _read("read-record", begin, end, saw)


def _read(journey: str, begin: int, end: int, saw: tuple[str, ...]) -> Operation:
    at = begin * MS
    return Operation(f"read-{begin}", "urgences", journey, "read", None, at, end * MS, "ok", 1, "p0001", at, saw)


def pulsed(begin: int, end: int, version: str | None) -> Probe:
    return Probe("urgences", begin * MS, begin * MS, end * MS, "ok", "new", None, f"x{begin}", "dopasoins-1", version)


def vanished(*history: Operation) -> tuple[str, ...]:
    return noticed(history, ()).vanished


def test_a_prescription_acknowledged_before_a_list_was_asked_for_is_on_it() -> None:
    assert vanished(prescribed("a", 0, 10), listed(11, 20, "a")) == ()
    assert vanished(prescribed("a", 0, 10), listed(11, 20)) == ("a",)


def test_a_prescription_still_being_written_may_be_on_a_list_or_not() -> None:
    assert vanished(prescribed("a", 0, 10), listed(5, 20)) == ()
    assert vanished(prescribed("a", 0, 10), listed(5, 20, "a")) == ()


def test_a_prescription_that_was_on_a_list_stays_on_every_later_one() -> None:
    """Even one whose writer was never told: somebody has read it."""
    unknown = prescribed("a", 0, 2000, "unknown")

    assert vanished(unknown, listed(100, 110, "a"), listed(120, 130)) == ("a",)
    assert vanished(unknown, listed(100, 125, "a"), listed(120, 130)) == (), "reads that overlap owe each other nothing"


def test_an_unknown_prescription_is_owed_to_nobody() -> None:
    assert vanished(prescribed("a", 0, 2000, "unknown"), listed(3000, 3010)) == ()


def test_a_read_that_was_tried_again_is_asked_when_its_last_attempt_began() -> None:
    """Meant for 0, served at 3000: by then, what was acknowledged at 10 is on the list."""
    assert vanished(prescribed("a", 0, 10), listed(3000, 3010, intended=0)) == ("a",)


def test_the_list_of_another_patient_owes_nothing() -> None:
    assert vanished(prescribed("a", 0, 10), listed(11, 20, patient="p0002")) == ()


def test_an_act_is_on_the_first_page_while_fewer_than_five_are() -> None:
    assert vanished(recorded("a", 0, 10), opened(11, 20, "a")) == ()
    assert vanished(recorded("a", 0, 10), opened(11, 20, "older", "older still")) == ("a",)


def test_five_later_acts_push_an_act_off_the_first_page() -> None:
    acts = [recorded(number, 10 * at, 10 * at + 5) for at, number in enumerate("abcdef")]

    assert vanished(*acts, opened(100, 110, *"fedcb")) == ()


def test_a_full_page_that_shows_an_older_act_instead_of_a_later_one_lost_it() -> None:
    acts = [recorded(number, 10 * at, 10 * at + 5) for at, number in enumerate("abcdef")]

    assert vanished(*acts, opened(100, 110, *"fdcba")) == ("e",)


def test_the_first_page_is_as_long_as_that_of_the_record() -> None:
    assert reading._RECENT == FIRST_PAGE  # noqa: SLF001 - two programs that must agree, and may not import each other


def test_a_record_older_than_one_already_read_is_stale() -> None:
    seen = noticed((), [pulsed(0, 5, "2026-11-28T01:00:00.5"), pulsed(10, 15, "2026-11-28T01:00:00")])

    assert seen.stale == ("x10",)


def test_reads_that_overlap_may_come_in_any_order() -> None:
    assert noticed((), [pulsed(0, 12, "2026-11-28T01:00:01"), pulsed(10, 15, "2026-11-28T01:00:00")]).stale == ()


def test_a_record_without_acts_and_a_history_before_versions_say_nothing() -> None:
    assert noticed((), [pulsed(0, 5, "2026-11-28T01:00:01"), pulsed(10, 15, None)]).stale == ()


def test_a_foreign_history_known_to_be_wrong_is_found_wrong() -> None:
    """What porcupine's recorded history `kv/c10-bad` says of its key 9, retold: appends are prescriptions, gets lists.

    Not linearizable by porcupine's own judgement: two clients read nothing after another had read both.
    """
    appended = [prescribed("2-0", 2, 20), prescribed("6-0", 3, 18)]
    early = [listed(1, 10), listed(4, 12), listed(14, 16)]
    both = [listed(22, 24, "6-0", "2-0"), listed(33, 34, "6-0", "2-0")]

    assert vanished(*appended, *early, *both) == (), "without those two clients it is a good history"
    assert vanished(*appended, *early, *both, listed(26, 28)) == ("2-0", "6-0")
    assert vanished(*appended, *early, *both, listed(30, 36)) == ("2-0", "6-0")
