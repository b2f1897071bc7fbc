"""A file of deviations is read as strictly as a plan: what is wrong is one sentence with file and line."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults import CableCut, Crash, PowerLoss, SwitchLoss
from faults.composing import steps_of
from lab.expectation import expect
from lab.measure.deviations import Deviation
from lab.measure.signed import DeviationError, beside, deviations_of, parse
from lab.plan import load

if TYPE_CHECKING:
    from lab.faulting import Fault

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


def test_a_shipped_plan_brings_its_own_unless_the_folder_has_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert deviations_of("zero") == ()
    assert "R1-salle-1" in {deviation.scenario for deviation in deviations_of("pca-2012")}
    (tmp_path / "pca-2012.deviations.yaml").write_text("# nothing is accepted\n")
    assert deviations_of("pca-2012") == ()


def test_what_is_accepted_of_the_plan_of_2012_is_what_the_plan_itself_lets_expect() -> None:
    """Each shipped deviation is of a scenario of the gate in which somebody must be interrupted, and of no other.

    But for one that was measured: the plan lets expect nothing of a host that lives and is slow.
    """
    plan, every = load("pca-2012"), deviations_of("pca-2012")
    accepted = [deviation for deviation in every if deviation.scenario != "H1b-esx-11"]
    assert len(every) == len(accepted) + 1
    told: dict[str, Fault] = {
        **{f"H1-{host}": PowerLoss(host) for host in ("esx-11", "esx-12", "esx-21", "esx-22")},
        **{f"R1-{room}": PowerLoss(room) for room in plan.rooms},
        **{f"S5-{one}-a+{one}-b": CableCut(f"{one}-a", f"{one}-b") for one in ("fibre", "rocade-1", "rocade-2")},
        **{f"H13c-{program}": Crash("dopasoins", program) for program in ("application", "database", "server")},
        **{f"H15-{switch}": SwitchLoss(switch) for switch in plan.switches},
        **{f"V1-{node}": PowerLoss(node) for node in ("svc-1", "svc-2")},
        "H2": PowerLoss(plan.host_of("dopasoins")),  # at worst
    }  # fmt: skip
    stopped = {id_ for id_, fault in told.items() if expect(plan, "dopasoins", *steps_of(fault, plan)).klass in "CD"}

    assert all(any(fnmatchcase(id_, deviation.scenario) for id_ in told) for deviation in accepted)
    assert {id_ for id_ in told if any(fnmatchcase(id_, deviation.scenario) for deviation in accepted)} == stopped
    assert {deviation.service for deviation in accepted} == {"dopasoins"}, "imaging may wait for a restart"


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
