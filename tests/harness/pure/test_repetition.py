"""What N repetitions show, against published values of the exact bound."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.measure import Outcome, Verdict
from lab.measure.repetition import Tally, statement, upper_bound


@pytest.mark.parametrize(
    ("n", "failures", "bound"),
    [
        (40, 0, 0.0722),  # the closed form, 1 - 0.05^(1/40)
        (59, 0, 0.0495),  # 59 tests without a failure show "below 5 %"
        (299, 0, 0.0100),  # 299, "below 1 %"
        (10, 1, 0.3942),  # 5 % of a binomial (10, 0.3942) is at most 1
        (10, 5, 0.7776),  # the upper end of the two-sided 90 % interval
        (20, 2, 0.2826),
        (5, 5, 1.0),
    ],
)
def test_known_bounds(n: int, failures: int, bound: float) -> None:
    assert upper_bound(n, failures) == pytest.approx(bound, abs=5e-5)


@given(n=st.integers(1, 5000))
def test_without_a_failure_it_is_the_closed_form(n: int) -> None:
    assert upper_bound(n, 0) == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-6)


@given(data=st.data(), n=st.integers(1, 300))
def test_it_lies_above_what_was_seen_and_shrinks_with_more_repetitions(data: st.DataObject, n: int) -> None:
    failures = data.draw(st.integers(0, n))
    bound = upper_bound(n, failures)
    assert failures / n < bound <= 1 or failures == n
    assert upper_bound(n + 1, failures) < bound or failures == n


@pytest.mark.parametrize(("n", "failures"), [(0, 0), (3, 4), (3, -1)])
def test_failures_are_counted_among_trials(n: int, failures: int) -> None:
    with pytest.raises(ValueError, match="give at least one trial"):
        upper_bound(n, failures)


def test_it_is_said_in_both_languages() -> None:
    assert statement(40, 0) == (
        "0 interruption in 40, below 7.2 % at 95 %",
        "0 interruption sur 40, moins de 7,2 % à 95 %",
    )
    assert statement(20, 2).en == "2 interruptions in 20, below 28.3 % at 95 %"
    assert statement(0, 0).en == "no repetition was conclusive: nothing follows"
    assert statement(5, 5).fr == "5 interruptions sur 5 : aucune borne n'en découle"


def verdict(outcome: Outcome, interruption: float = 0) -> Verdict:
    return Verdict(
        scenario="H1-active-01",
        service="dopasoins",
        verdict=outcome,
        as_predicted=None,
        observed=None,
        predicted=None,
        sentence="",
        sentence_fr="",
        interruption=timedelta(seconds=interruption),
    )


def test_only_conclusive_repetitions_count_and_the_others_are_named() -> None:
    verdicts = [verdict(Outcome.MET)] * 36 + [verdict(Outcome.NOT_MET)]  # not met, by a freeze: no interruption
    verdicts += [verdict(Outcome.NOT_MET, 2), verdict(Outcome.INCONCLUSIVE, 9)]
    tally = Tally.of("H1", [*verdicts, None])
    assert tally == Tally("H1", played=40, conclusive=38, interruptions=1)
    assert tally.words.en == "H1: 1 interruption in 38, below 11.9 % at 95 % (2 inconclusive)"
    stored = tally.stored()
    assert stored["below"] == pytest.approx(upper_bound(38, 1))
    assert stored["sentence"] == tally.words.en
    assert Tally.of("R1", []).stored()["below"] is None
