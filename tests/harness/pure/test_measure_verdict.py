"""Each measure and each verdict, on histories short enough to be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from lab.errors import Inconclusive, NotMet
from lab.measure import Evidence, History, Outcome, Readback, Verdict, VerdictError, judge
from lab.measure.readback import Trace
from lab.measure.takeover import Takeover
from lab.measure.wording import Words

MS = 1_000_000  # nanoseconds


@dataclass(frozen=True)
class Promise:
    """What the plan of these tests promises."""

    interruption: timedelta | None = timedelta()
    freeze: timedelta | None = timedelta(seconds=5)
    loss: int | None = 0


ZERO = Promise()


def start(writer: str, **grid: int) -> str:
    times = {f"{name}_ns": value * MS for name, value in grid.items()}
    return json.dumps({"k": "start", "v": 1, "writer": writer, "t": 0, "utc": "2026-11-24T01:00:00Z", **times})


def end(writer: str) -> str:
    return json.dumps({"k": "end", "writer": writer, "t": 99_000 * MS})


def pulse(at: int, o: str = "ok", *, lag: int = 0, x: str | None = None, c: str = "new") -> str:
    row = {"k": "pulse", "w": "cardiologie", "t": at * MS, "s": (at + lag) * MS, "e": (at + lag + 1) * MS}
    return json.dumps({**row, "o": o, "c": c, "why": None, "x": x or f"{c}{at}", "m": "dopasoins-1"})


def read(at: int, o: str = "ok", *, took: int = 10, journey: str = "read-record") -> str:
    row = {"k": "op", "op": f"r{at}", "w": "cardiologie", "j": journey, "a": "read", "key": None}
    return json.dumps({**row, "t": at * MS, "e": (at + took) * MS, "o": o, "n": 1})


def write(key: str, at: int, o: str = "ok", *, took: int = 10) -> str:
    row = {"k": "op", "op": f"w{at}", "w": "cardiologie", "j": "record-act", "a": "write", "key": key}
    return json.dumps({**row, "t": at * MS, "e": (at + took) * MS, "o": o, "n": 1})


def attempt(at: int, o: str = "ok", *, x: str) -> str:
    row = {"k": "try", "w": "cardiologie", "op": f"r{at}", "n": 1, "s": at * MS, "e": (at + 1) * MS}
    return json.dumps({**row, "o": o, "why": None, "x": x, "m": "dopasoins-2"})


FRAME = (
    start("pulse@cardiologie", interval=10),
    start("journeys@cardiologie", patience=10_000),
    end("pulse@cardiologie"),
    end("journeys@cardiologie"),
)
WELL = (*FRAME, pulse(0), read(0))


def copies(*counts: dict[str, int], trail: tuple[str, ...] = ("new0",)) -> Readback:
    named = {f"dopasoins-{n}": {"acts": count, "prescriptions": {}} for n, count in enumerate(counts, 1)}
    return Readback(named, frozenset(trail))


def verdict(
    *lines: str,
    readback: Readback | None = copies({}, {}),  # noqa: B008 - frozen
    promise: Promise = ZERO,
    evidence: tuple[Evidence, ...] = (),
    predicted: str | None = None,
    fault_window: tuple[int, int] | None = None,
) -> Verdict:
    return judge(
        History.parse(lines),
        readback,
        promise,
        scenario="H1-esx-11",
        service="dopasoins",
        evidence=evidence,
        predicted=predicted,
        fault_window=fault_window,
    )


def test_a_quiet_run_is_met_in_both_languages() -> None:
    seen = verdict(*WELL)

    assert seen.verdict is Outcome.MET
    assert seen.observed == "A"
    assert seen.sentence == (
        "dopasoins: no operation failed, longest freeze 0.01 s (accepted 5 s), "
        "0 acknowledged writes lost (objective 0), 0 accesses untraced."
    )
    assert seen.sentence_fr == (
        "dopasoins\N{NO-BREAK SPACE}: aucune opération en échec, plus long gel 0,01 s (accepté 5 s), "
        "0 écriture acquittée perdue (objectif 0), 0 accès non tracé."
    )
    seen.require()


def test_an_interruption_lasts_from_the_first_failed_start_to_the_next_good_one() -> None:
    seen = verdict(*WELL, read(1000, "failed"), read(20_000, "failed"), read(46_000))

    assert seen.interruption == timedelta(seconds=45)
    assert seen.observed == "C"
    assert seen.sentence.startswith("dopasoins: interruption 45 s (objective 0 s), longest freeze 0.01 s")
    assert seen.sentence_fr.startswith("dopasoins\N{NO-BREAK SPACE}: interruption 45 s (objectif 0 s), plus long")
    with pytest.raises(NotMet, match="interruption 45 s"):
        seen.require()


def test_an_interruption_within_the_objective_is_met() -> None:
    lines = (*WELL, read(1000, "failed"), read(46_000))

    assert verdict(*lines, promise=Promise(timedelta(seconds=45))).verdict is Outcome.MET


def test_success_beyond_patience_is_an_interruption_not_a_freeze() -> None:
    seen = verdict(*WELL, read(1000, took=10_001), read(3000))

    assert seen.interruption == timedelta(seconds=2)
    assert seen.freeze == timedelta(milliseconds=10)


def test_interruptions_of_several_journeys_are_united_and_totalled() -> None:
    seen = verdict(
        *WELL,
        *(write("a", 1000, "failed"), write("b", 4000)),
        *(read(3000, "failed"), read(6000)),
        *(read(20_000, "failed"), read(21_000)),
    )

    assert seen.interruption == timedelta(seconds=5)
    assert seen.interruption_total == timedelta(seconds=6)


def test_a_rare_journey_is_back_when_the_same_kind_of_operation_succeeds() -> None:
    seen = verdict(*WELL, read(1000, "failed", journey="sign-in"), read(3000))

    assert seen.interruption == timedelta(seconds=2)
    assert seen.observed == "C"


def test_reads_that_go_on_do_not_hide_writes_that_fail() -> None:
    seen = verdict(*WELL, write("a", 1000, "failed"), read(1100), read(2000), write("b", 3000))

    assert seen.interruption == timedelta(seconds=2)


def test_a_service_that_does_not_come_back_is_class_d_and_lasts_to_the_end() -> None:
    seen = verdict(*WELL, read(1000, "failed"), read(2000, "failed", took=10_000))

    assert seen.observed == "D"
    assert seen.interruption == timedelta(seconds=11)


def test_the_pulse_measures_without_retries() -> None:
    seen = verdict(*WELL, *(pulse(at, "failed") for at in (10, 20, 30)), pulse(40, x="new0"))

    assert seen.interruption_without_retries == timedelta(milliseconds=30)
    assert seen.verdict is Outcome.MET
    assert seen.observed == "A", "an instrument's attempt is no clinician's"


def test_a_pulse_that_ends_badly_counts_to_its_last_attempt() -> None:
    seen = verdict(*WELL, pulse(10, "failed"), pulse(20, "failed"))

    assert seen.interruption_without_retries == timedelta(milliseconds=20)


def test_kept_connections_are_measured_apart() -> None:
    frame = (start("pulse@cardiologie", interval=10, kept_interval=100), *FRAME[1:])
    kept = (pulse(at, o, c="kept", x="new0") for at, o in ((0, "ok"), (100, "failed"), (200, "ok")))
    seen = verdict(*frame, pulse(0), read(0), *kept)

    assert seen.interruption_kept == timedelta(milliseconds=100)
    assert seen.interruption_without_retries == timedelta()


def test_a_freeze_beyond_the_accepted_one_is_not_met() -> None:
    seen = verdict(*WELL, read(1000, took=5_100))

    assert seen.freeze == timedelta(seconds=5.1)
    assert seen.verdict is Outcome.NOT_MET
    assert "longest freeze 5.1 s (accepted 5 s)" in seen.sentence


def test_a_freeze_is_only_told_where_none_was_promised() -> None:
    seen = verdict(*WELL, read(1000, took=8_000), promise=Promise(freeze=None))

    assert seen.verdict is Outcome.MET
    assert "longest freeze 8 s," in seen.sentence


def test_an_acknowledged_write_absent_from_one_copy_is_lost() -> None:
    seen = verdict(*WELL, write("a", 100), readback=copies({"a": 1}, {}))

    assert seen.lost == ("a",)
    assert seen.verdict is Outcome.NOT_MET
    assert "1 acknowledged write lost (objective 0)" in seen.sentence
    assert "1 écriture acquittée perdue (objectif 0)" in seen.sentence_fr


def test_an_accepted_loss_is_met() -> None:
    lines = (*WELL, write("a", 100))

    assert verdict(*lines, readback=copies({}), promise=Promise(loss=1)).verdict is Outcome.MET


def test_a_write_that_is_there_twice_is_not_met_even_when_unknown() -> None:
    seen = verdict(*WELL, write("a", 100, "unknown"), read(9000), readback=copies({"a": 2}, {"a": 1}))

    assert seen.duplicated == ("a",)
    assert seen.unknown == 1
    assert "1 write recorded twice" in seen.sentence
    assert seen.verdict is Outcome.NOT_MET


@pytest.mark.parametrize("times", [0, 1])
def test_an_unknown_write_may_be_there_or_not(times: int) -> None:
    lines = (*WELL, write("a", 100, "unknown"), write("b", 200))
    held = {"a": times, "b": 1}
    seen = verdict(*lines, readback=copies(held, held), promise=Promise(timedelta(minutes=1)))

    assert seen.verdict is Outcome.MET
    assert seen.unknown == 1


def test_copies_that_disagree_about_an_unknown_write_are_not_met() -> None:
    lines = (*WELL, write("a", 100, "unknown"), write("b", 200))
    seen = verdict(*lines, readback=copies({"a": 1, "b": 1}, {"b": 1}), promise=Promise(timedelta(minutes=1)))

    assert seen.diverged == ("a",)
    assert "1 unacknowledged write on one copy only" in seen.sentence
    assert seen.verdict is Outcome.NOT_MET


def test_a_prescription_that_disappears_from_a_later_list_is_not_met() -> None:
    lists = [
        json.dumps({**json.loads(read(at, journey="list-prescriptions")), "p": "p0001", "s": at * MS, "saw": saw})
        for at, saw in ((100, ["a"]), (200, []))
    ]
    seen = verdict(*WELL, *lists)

    assert seen.vanished == ("a",)
    assert seen.verdict is Outcome.NOT_MET
    assert "1 write disappeared from a later read" in seen.sentence
    assert "1 écriture disparue d'une lecture ultérieure" in seen.sentence_fr


def test_a_record_older_than_one_already_read_is_not_met() -> None:
    versions = [json.dumps({**json.loads(pulse(at, x="new0")), "ver": ver}) for at, ver in ((10, "b"), (20, "a"))]
    seen = verdict(*WELL, *versions)

    assert seen.stale == ("new0",)
    assert seen.verdict is Outcome.NOT_MET
    assert "1 read older than one before it" in seen.sentence


def test_an_access_traced_twice_is_not_met() -> None:
    twice = (Trace("new0", "read-record", "p0001", 1),) * 2
    seen = verdict(*WELL, readback=replace(copies({}), traces={"dopasoins-1": twice}))

    assert seen.mistraced == ("new0",)
    assert seen.verdict is Outcome.NOT_MET
    assert "1 access wrongly traced" in seen.sentence


def test_a_verdict_stored_before_these_were_looked_for_is_read() -> None:
    stored = json.loads(verdict(*WELL).to_json())
    for name in ("vanished", "stale", "mistraced", "apart"):
        del stored[name]

    assert Verdict.from_json(json.dumps(stored)).apart == ()


def test_an_access_without_trace_is_not_met() -> None:
    seen = verdict(*WELL, attempt(100, x="seen"), attempt(200, x="unseen"), readback=copies(trail=("new0", "seen")))

    assert seen.untraced == ("unseen",)
    assert seen.verdict is Outcome.NOT_MET
    assert "1 access untraced" in seen.sentence
    assert "1 accès non tracé" in seen.sentence_fr


def test_an_attempt_without_answer_owes_no_trace() -> None:
    assert verdict(*WELL, attempt(100, "unknown", x="timed-out")).untraced == ()


def test_the_smallest_gap_is_an_interval_and_the_lag() -> None:
    assert verdict(*FRAME, pulse(0, lag=4), read(0)).smallest_gap == timedelta(milliseconds=14)


@pytest.mark.parametrize(
    ("predicted", "failed_attempts", "expected"),
    [("A", 0, True), ("B", 0, True), ("B", 1, True), ("A", 1, False), ("C", 0, False)],
)
def test_as_predicted_forgives_only_a_pair_that_did_better(
    predicted: str,
    failed_attempts: int,
    expected: object,
) -> None:
    failures = (attempt(100 + n, "failed", x=f"x{n}") for n in range(failed_attempts))

    assert verdict(*WELL, *failures, predicted=predicted).as_predicted is expected


def test_without_prediction_there_is_nothing_to_compare() -> None:
    assert verdict(*WELL).as_predicted is None


# --- inconclusive ---------------------------------------------------------------------------------------------------

FAULT = (5000 * MS, 9000 * MS)


def doubt(seen: Verdict) -> str:
    assert seen.verdict is Outcome.INCONCLUSIVE
    assert (seen.observed, seen.as_predicted) == (None, None)
    with pytest.raises(Inconclusive):
        seen.require()
    return seen.sentence


def test_an_empty_history_says_nothing() -> None:
    assert "the history has no operations" in doubt(verdict())
    assert "the history has no operations" in doubt(verdict(*FRAME, pulse(0)))


def test_a_history_without_pulse_says_nothing() -> None:
    assert "the history has no pulse" in doubt(verdict(*FRAME, read(0)))


def test_a_writer_without_end_line_says_nothing() -> None:
    lines = [line for line in WELL if line != end("journeys@cardiologie")]

    assert "journeys@cardiologie stopped without its end line" in doubt(verdict(*lines))


def test_a_writer_without_start_line_says_nothing() -> None:
    lines = [line for line in WELL if '"start"' not in line or "pulse" not in line]

    assert "pulse@cardiologie never said that it started" in doubt(verdict(*lines))


def test_a_damaged_line_says_nothing() -> None:
    assert "line 1 of the history is damaged" in doubt(verdict('{"k":"pulse","w":"card', *WELL))


def test_no_success_before_the_fault_says_nothing() -> None:
    seen = verdict(*FRAME, pulse(0), read(4995), read(6000), fault_window=FAULT)

    assert "no operation had succeeded before the fault" in doubt(seen)


def test_a_service_that_failed_before_the_fault_says_nothing() -> None:
    seen = verdict(*WELL, read(100, "failed"), read(200), read(6000), fault_window=FAULT)

    assert "the service was not steady before the fault (1 failed" in doubt(seen)


def test_a_freeze_before_the_fault_says_nothing() -> None:
    seen = verdict(*FRAME, pulse(0), read(-3000, took=6_000), read(6000), fault_window=FAULT)

    assert "longest freeze 6 s" in doubt(seen)


def test_what_went_well_before_the_fault_is_not_held_against_it() -> None:
    lines = (*FRAME, pulse(0), read(0, took=3000), pulse(10, "failed"), read(6000), pulse(20, x="new0"))
    seen = verdict(*lines, fault_window=FAULT)

    assert seen.freeze == timedelta(milliseconds=10)
    assert seen.observed == "A"


def test_a_missing_readback_says_nothing_where_loss_is_bounded() -> None:
    assert "writes and trail were not read back" in doubt(verdict(*WELL, readback=None))
    assert verdict(*WELL, readback=None, promise=Promise(loss=None)).verdict is Outcome.MET


@pytest.mark.parametrize("when", ["injected", "before heal"])
def test_a_fault_that_is_not_felt_says_nothing(when: str) -> None:
    proof = Evidence("esx-11 answers nobody", when, holds=False, detail="3 answers")  # type: ignore[arg-type]

    assert "the fault was not felt" in doubt(verdict(*WELL, evidence=(proof,)))


def test_a_fault_that_outlives_its_healing_says_nothing() -> None:
    proofs = (Evidence("dead", "injected", holds=True), Evidence("dead", "after heal", holds=True))

    assert "the fault was still felt after it was healed: dead" in doubt(verdict(*WELL, evidence=proofs))


def test_a_fault_felt_and_gone_leaves_a_verdict_with_its_evidence() -> None:
    proofs = (Evidence("dead", "injected", holds=True), Evidence("dead", "after heal", holds=False))
    seen = verdict(*WELL, evidence=proofs)

    assert seen.verdict is Outcome.MET
    assert seen.evidence == proofs


def test_an_instrument_that_lagged_says_nothing() -> None:
    sentence = doubt(verdict(*FRAME, pulse(0, lag=101), read(0)))

    assert "the pulse itself was late by 0.1 s (99.9th percentile, bound 0.1 s)" in sentence


def test_one_late_attempt_in_ten_thousand_is_no_doubt() -> None:
    pulses = (pulse(at * 10, lag=500 if at == 77 else 0, x="new0") for at in range(1000))

    assert verdict(*FRAME, *pulses, read(0)).verdict is Outcome.MET


def test_a_doubt_wins_over_a_failure_and_still_tells_it() -> None:
    sentence = doubt(verdict(*FRAME, pulse(0, lag=200), read(0), read(100, "failed"), read(45_100)))

    assert sentence.endswith("; measured all the same: interruption 45 s (objective 0 s).")


# --- planted defects, as the history shows them ---------------------------------------------------------------------


def test_a_closed_loop_pulse_says_nothing() -> None:
    sentence = doubt(verdict(*WELL, pulse(10, "failed"), pulse(300)))

    assert "the pulse was not open loop: pulse@cardiologie" in sentence


def test_closed_loop_clients_say_nothing() -> None:
    frame = (FRAME[0], start("journeys@cardiologie", interval=100, patience=10_000), *FRAME[2:])
    sentence = doubt(verdict(*frame, pulse(0), read(0), read(100), read(300)))

    assert "the client was not open loop: journeys@cardiologie" in sentence


def test_a_client_without_retry_turns_one_broken_attempt_into_an_interruption() -> None:
    carried = verdict(*WELL, attempt(100, "failed", x="1"), read(100, took=90), read(200))
    given_up = verdict(*WELL, attempt(100, "failed", x="1"), read(100, "failed"), read(200))

    assert (carried.verdict, carried.observed) == (Outcome.MET, "B")
    assert (given_up.verdict, given_up.observed) == (Outcome.NOT_MET, "C")


# --- stored ---------------------------------------------------------------------------------------------------------


def test_a_verdict_survives_its_file() -> None:
    proof = Evidence("dead", "injected", holds=True, detail="pid 12 gone")
    seen = verdict(*WELL, write("a", 100), read(1000, "failed"), readback=copies({}), evidence=(proof,), predicted="B")

    assert Verdict.from_json(seen.to_json()) == seen
    stored = json.loads(seen.to_json())
    assert stored["verdict"] == "not-met"
    assert stored["interruption_s"] == pytest.approx(0.01)
    assert stored["evidence"][0]["when"] == "injected"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdict":"green"}'])
def test_a_file_that_is_no_verdict_is_named_so(text: str) -> None:
    with pytest.raises(VerdictError, match="not a stored verdict"):
        Verdict.from_json(text)


def recovered(*, copy: int, begun: int, accepted: int | None = 40) -> Takeover:
    """The other room took over at `begun` from a copy of the instant `copy`; both in milliseconds, `accepted` in s."""
    return Takeover(
        from_loss=timedelta(minutes=80),
        from_decision=timedelta(minutes=60),
        machine=timedelta(seconds=40),
        where=Words("salle-2", "salle-2"),
        human=timedelta(minutes=50),
        derived=timedelta(minutes=29),
        loss_ns=5_000 * MS,
        begun_ns=begun * MS,
        copy_ns=copy * MS,
        accepted=None if accepted is None else timedelta(seconds=accepted),
    )


def from_a_copy(takeover: Takeover, *lines: str, held: dict[str, int]) -> Verdict:
    return judge(
        History.parse([*WELL, *lines]),
        Readback({"dopasoins-1": {"acts": held, "prescriptions": {}}}, frozenset({"new0"})),
        replace(ZERO, interruption=timedelta(hours=2), freeze=None),
        scenario="P2",
        service="dopasoins",
        fault_window=(5_000 * MS, 90_000 * MS),
        predicted="D",
        takeover=takeover,
    )


def test_what_was_acknowledged_after_the_copy_may_be_lost_with_its_trace() -> None:
    late = (write("a", 1000), write("b", 3000), read(3500), attempt(3500, x="gone"))
    seen = from_a_copy(recovered(copy=2000, begun=6000), *late, held={"a": 1})

    assert seen.verdict is Outcome.MET, seen.sentence
    assert seen.lost == ("b",)
    assert "1 acknowledged write lost, 0 of them older than the copy (objective 0), 1 access untraced" in seen.sentence
    assert "salle-2 served 1 h 20 min after the loss, 1 h after the decision" in seen.sentence
    assert (
        "(machines 40 s measured, people 50 min declared, real scale 29 min derived) (objective 2 h)" in seen.sentence
    )
    assert "it began from a copy 3 s older than the loss (objective 40 s)" in seen.sentence
    assert "1 écriture acquittée perdue, dont 0 antérieure à la copie (objectif 0)" in seen.sentence_fr
    assert seen.as_predicted


def test_what_was_acknowledged_before_the_copy_or_after_the_recovery_may_not_be_lost() -> None:
    takeover = recovered(copy=2000, begun=6000)
    for key, at in (("before", 1000), ("after", 60_000)):
        seen = from_a_copy(takeover, write(key, at), held={})
        assert seen.verdict is Outcome.NOT_MET
        assert "1 acknowledged write lost, 1 of them older than the copy" in seen.sentence


def test_a_copy_that_is_too_old_breaks_the_promise() -> None:
    seen = from_a_copy(recovered(copy=2000, begun=6000, accepted=2), write("b", 3000), held={})
    assert seen.verdict is Outcome.NOT_MET
    assert "it began from a copy 3 s older than the loss (objective 2 s)" in seen.sentence


def test_where_no_age_is_promised_nothing_may_be_lost() -> None:
    seen = from_a_copy(recovered(copy=2000, begun=6000, accepted=None), write("b", 3000), held={})
    assert seen.verdict is Outcome.NOT_MET
