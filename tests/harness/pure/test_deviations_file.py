"""A file of deviations is read as strictly as a plan: what is wrong is one sentence with file and line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.measure.deviations import Deviation
from lab.measure.signed import DeviationError, beside, deviations_of, parse

GOOD = """\
# What we live with for now.
- scenario: H1-esx-11
  service: dopasoins
  owner: Mme Durand
  reason: the old host boots too slowly; replaced in March
  signed: 2026-10-01
  expires: 2027-03-31
- {scenario: V15-*, owner: M. Petit, reason: second cable ordered, signed: 2026-11-01, expires: 2026-12-24}
"""


def test_a_good_file_gives_its_deviations() -> None:
    assert parse(GOOD) == (
        Deviation(
            "H1-esx-11",
            "Mme Durand",
            "the old host boots too slowly; replaced in March",
            date(2026, 10, 1),
            date(2027, 3, 31),
            "dopasoins",
        ),
        Deviation("V15-*", "M. Petit", "second cable ordered", date(2026, 11, 1), date(2026, 12, 24)),
    )


@pytest.mark.parametrize("text", ["", "\n", "# nothing is accepted\n", "[]\n"])
def test_a_file_without_a_deviation_accepts_nothing(text: str) -> None:
    assert parse(text) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("scenario: H1\n", "f.yaml:1: accepted deviations are a list"),
        ("- H1\n", "f.yaml:1: a deviation is written as keys with values"),
        (GOOD.replace("owner: Mme", "ownr: Mme"), "f.yaml:4: unknown key 'ownr'; did you mean owner"),
        (GOOD.replace("  expires: 2027-03-31\n", ""), "f.yaml:2: this deviation lacks the key expires"),
        (GOOD.replace("2027-03-31", "31/03/2027"), "f.yaml:7: expires is '31/03/2027': write a day as year-month-day"),
        (GOOD.replace("2027-03-31", "2027-02-30"), "f.yaml:7: expires is '2027-02-30'"),
        (GOOD.replace("2027-03-31", ""), "f.yaml:7: expires is nothing"),
        (GOOD.replace("2027-03-31", "2026-03-31"), "f.yaml:7: it expires on 2026-03-31, before it was signed"),
        (GOOD.replace("H1-esx-11", "'*'"), "f.yaml:2: scenario is '*': write the id of a scenario"),
        (GOOD.replace("Mme Durand", ""), "f.yaml:4: owner is nothing: write a few words"),
        (GOOD.replace("Mme Durand", "[a, b]"), "f.yaml:4: owner is no text, or too long a one"),
        (GOOD.replace("  reason: the", "  owner: the"), "f.yaml:5: 'owner' is written twice, first on line 4"),
        (GOOD + "- &a {}\n", "f.yaml:9: anchors and aliases"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(DeviationError) as caught:
        parse(text, "f.yaml")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@given(text=st.text(st.sampled_from("-:[]{} \n'\"#*&!aowner:scenario2026-"), max_size=60) | st.text(max_size=60))
def test_whatever_the_text_it_is_a_list_or_one_sentence(text: str) -> None:
    try:
        assert isinstance(parse(text), tuple)
    except DeviationError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right


def test_the_file_beside_the_plan_is_found_and_another_can_be_given(tmp_path: Path) -> None:
    plan = tmp_path / "rooms.yaml"
    assert beside("rooms.yaml") == Path("rooms.deviations.yaml")
    assert deviations_of(str(plan)) == ()
    assert deviations_of("zero") == ()
    (tmp_path / "rooms.deviations.yaml").write_text(GOOD)
    assert len(deviations_of(str(plan))) == 2
    other = tmp_path / "other.yaml"
    with pytest.raises(DeviationError, match="cannot be read"):
        deviations_of(str(plan), other)
    other.write_text("[]")
    assert deviations_of(str(plan), other) == ()
    other.write_bytes(b"\xff")
    with pytest.raises(DeviationError, match="not UTF-8"):
        deviations_of(str(plan), other)
