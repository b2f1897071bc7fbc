"""A gap that somebody signed for is green but listed, until the day it expires."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import Inconclusive, NotMet
from lab.measure import FailedCheck, Outcome, Verdict
from lab.measure.deviations import Deviation, Standing, accept, review, to_json
from lab.plan import load
from lab.run import Run

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 24)
SIGNED = Deviation("H1-esx-11", "Mme Durand", "firmware of the old host", date(2026, 10, 1), date(2026, 12, 31))
GAP = Verdict(
    scenario="H1-esx-11",
    service="dopasoins",
    verdict=Outcome.NOT_MET,
    as_predicted=False,
    observed="C",
    predicted="B",
    sentence="dopasoins: interruption 45 s (objective 0 s).",
    sentence_fr="dopasoins : interruption 45 s (objectif 0 s).",
)
MET = replace(GAP, verdict=Outcome.MET)
DOUBT = replace(GAP, verdict=Outcome.INCONCLUSIVE)


def test_a_gap_that_is_signed_for_is_accepted_and_still_says_that_it_is_a_gap() -> None:
    judged = accept(GAP, [SIGNED], DAY)
    judged.verdict.require()
    assert judged.accepted
    assert judged.deviation is SIGNED
    assert judged.verdict.verdict is Outcome.NOT_MET
    assert judged.verdict.sentence == (
        "dopasoins: interruption 45 s (objective 0 s). "
        "Accepted by Mme Durand until 2026-12-31: firmware of the old host."
    )
    assert "accepté par Mme Durand jusqu'au 31/12/2026" in judged.verdict.sentence_fr


def test_the_day_after_it_expires_it_is_red_with_its_owner_and_the_day() -> None:
    accept(GAP, [SIGNED], SIGNED.expires).verdict.require()
    with pytest.raises(NotMet, match=r"Mme Durand accepted expired on 2026-12-31"):
        accept(GAP, [SIGNED], SIGNED.expires + timedelta(days=1)).verdict.require()


@pytest.mark.parametrize("outcome", [Outcome.NOT_MET, Outcome.INCONCLUSIVE])
def test_nobody_signed_for_a_check_that_fails_beside_the_gap(outcome: Outcome) -> None:
    failing = accept(GAP, [SIGNED], DAY).verdict.failing(FailedCheck("esx-11 is on", "esx-11 est allumé", outcome))
    assert failing.verdict is outcome
    assert not failing.accepted_by
    with pytest.raises((NotMet, Inconclusive), match="esx-11 is on"):
        failing.require()
    (listed,) = review([SIGNED], [failing], DAY)
    assert listed.standing is Standing.NOT_TRIED


def test_before_it_is_signed_it_is_red_too() -> None:
    with pytest.raises(NotMet, match=r"Mme Durand accepts holds from 2026-10-01 only"):
        accept(GAP, [SIGNED], SIGNED.signed - timedelta(days=1)).verdict.require()


def test_of_an_expired_and_a_renewed_one_the_renewed_one_counts() -> None:
    old = replace(SIGNED, owner="M. Petit", expires=date(2026, 10, 2))
    assert accept(GAP, [old, SIGNED], DAY).verdict.accepted_by == "Mme Durand"


@pytest.mark.parametrize(
    ("deviation", "covered"),
    [
        (SIGNED, True),
        (replace(SIGNED, scenario="H1-*"), True),
        (replace(SIGNED, scenario="H1"), False),
        (replace(SIGNED, scenario="H1-esx-1"), False),
        (replace(SIGNED, scenario="H15-*"), False),
        (replace(SIGNED, service="dopasoins"), True),
        (replace(SIGNED, service="pharmacie"), False),
    ],
)
def test_it_covers_the_scenario_and_service_that_it_names_and_no_other(deviation: Deviation, *, covered: bool) -> None:
    assert accept(GAP, [deviation], DAY).accepted is covered


def test_nobody_can_sign_for_a_run_that_shows_nothing() -> None:
    judged = accept(DOUBT, [SIGNED], DAY)
    assert judged.verdict == DOUBT
    assert judged.deviation is None
    with pytest.raises(Inconclusive):
        judged.verdict.require()


@given(day=st.dates(), outcome=st.sampled_from([Outcome.MET, Outcome.INCONCLUSIVE]))
def test_only_a_gap_is_ever_touched(day: date, outcome: Outcome) -> None:
    verdict = replace(GAP, verdict=outcome)
    assert accept(verdict, [SIGNED], day).verdict == verdict


@given(day=st.dates())
def test_a_gap_is_accepted_exactly_between_its_two_days(day: date) -> None:
    assert accept(GAP, [SIGNED], day).accepted is (SIGNED.signed <= day <= SIGNED.expires)


@pytest.mark.parametrize(
    ("verdicts", "day", "standing"),
    [
        ([GAP], DAY, Standing.USED),
        ([GAP], date(2027, 1, 1), Standing.EXPIRED),
        ([GAP], date(2026, 9, 1), Standing.NOT_YET),
        ([MET], DAY, Standing.NOT_NEEDED),
        ([MET, DOUBT], DAY, Standing.NOT_TRIED),
        ([DOUBT], DAY, Standing.NOT_TRIED),
        ([], DAY, Standing.NOT_TRIED),
    ],
)
def test_every_deviation_is_listed_with_what_became_of_it(
    verdicts: list[Verdict], day: date, standing: Standing
) -> None:
    (listed,) = review([SIGNED], verdicts, day)
    assert listed.standing is standing
    assert listed.sentence.startswith("H1-esx-11: ")
    assert "Mme Durand" in listed.sentence
    assert "Mme Durand" in listed.sentence_fr
    (row,) = json.loads(to_json([listed]))
    assert row["owner"] == "Mme Durand"
    assert row["expires"] == "2026-12-31"
    assert row["standing"] == standing


def test_a_stored_verdict_keeps_who_accepted_it_and_older_ones_are_read_as_before() -> None:
    accepted = accept(GAP, [SIGNED], DAY).verdict
    assert Verdict.from_json(accepted.to_json()) == accepted
    old = json.loads(GAP.to_json())
    del old["accepted_by"]
    assert Verdict.from_json(json.dumps(old)) == GAP


def test_a_run_folder_keeps_what_became_of_each(tmp_path: Path) -> None:
    run = Run(tmp_path, load("tiny"))
    always = replace(SIGNED, signed=date.min, expires=date.max)
    run.deviations = (always, replace(always, scenario="R1-*"))
    for verdict in (GAP, replace(MET, scenario="R1-salle-1")):
        run.begin(verdict.scenario, "", "", "").close(None, verdict)
    run.begin("V15-fibre-a", "V15", "", "").folder.joinpath("verdict.json").write_text("{")  # its writer was killed
    run.save(ended=True)
    kept = json.loads((run.folder / "deviations.json").read_text())
    assert [row["standing"] for row in kept] == ["used", "no longer needed"]
