"""Who begins the pair again: the whole table, and that it never has two answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.replica.pair.bootstrap import Stage, Standing, Step, decide
from lab.replica.pair.galera import NOWHERE, Position

HERE = "874b048b-e7a4-11f1-9f41-0216047e4b57"
ELSEWHERE = "11111111-e7a4-11f1-9f41-0216047e4b57"


def resting(server: str, seqno: int, uuid: str = HERE) -> Standing:
    return Standing(server, Stage.AT_REST, Position(uuid, seqno))


@pytest.mark.parametrize(
    ("mine", "twin", "step"),
    [
        # The fault 7 of the trial: "Reversing history: 18239 -> 18091".
        (resting("dopasoins-1", 18239), resting("dopasoins-2", 18091), Step.BEGIN),
        (resting("dopasoins-2", 18091), resting("dopasoins-1", 18239), Step.WAIT),
        (resting("dopasoins-1", 500), resting("dopasoins-2", 500), Step.BEGIN),
        (resting("dopasoins-2", 500), resting("dopasoins-1", 500), Step.WAIT),
        # Alone, nobody knows what the twin had acknowledged: a human decides.
        (resting("dopasoins-1", 18239), None, Step.JOIN),
        (resting("dopasoins-1", 18239), Standing("dopasoins-2", Stage.PRIMARY), Step.JOIN),
        (resting("dopasoins-1", 18239), Standing("dopasoins-2", Stage.STARTING), Step.WAIT),
        # Two histories, or none: no number says which to keep.
        (resting("dopasoins-1", 900), resting("dopasoins-2", 500, ELSEWHERE), Step.JOIN),
        (resting("dopasoins-1", 900), Standing("dopasoins-2", Stage.AT_REST, NOWHERE), Step.JOIN),
        (Standing("dopasoins-1", Stage.AT_REST, NOWHERE), resting("dopasoins-2", 900), Step.JOIN),
    ],
)
def test_the_more_advanced_member_begins(mine: Standing, twin: Standing | None, step: Step) -> None:
    assert decide(mine, twin) is step


positions = st.builds(Position, st.sampled_from([HERE, ELSEWHERE, NOWHERE.uuid]), st.integers(-1, 3))
stages = st.sampled_from(Stage)


@given(stages, positions, stages, positions)
def test_two_members_never_both_begin(a: Stage, here: Position, b: Stage, there: Position) -> None:
    one, other = Standing("dopasoins-1", a, here), Standing("dopasoins-2", b, there)

    assert [decide(one, other), decide(other, one)].count(Step.BEGIN) <= 1


@given(positions, positions)
def test_who_begins_lacks_nothing_that_the_twin_has(here: Position, there: Position) -> None:
    mine, twin = Standing("dopasoins-1", Stage.AT_REST, here), Standing("dopasoins-2", Stage.AT_REST, there)
    if decide(mine, twin) is Step.BEGIN:
        assert here.uuid == there.uuid
        assert here.seqno >= there.seqno


def test_a_member_alone_in_its_primary_component_is_about_to_be_joined() -> None:
    assert Standing("dopasoins-1", Stage.PRIMARY, group=1).is_alone
    assert not Standing("dopasoins-1", Stage.PRIMARY, group=2).is_alone
    assert not Standing("dopasoins-1", Stage.STARTING).is_alone


@given(st.builds(Standing, st.just("dopasoins-1"), stages, positions, st.integers(0, 3), st.booleans()))
def test_a_standing_survives_the_wire(standing: Standing) -> None:
    heard = Standing.from_json(standing.to_json())

    assert replace(heard, position=NOWHERE) == replace(standing, position=NOWHERE)
    assert heard.position.known == standing.position.known
    assert not standing.position.known or heard.position == standing.position


@pytest.mark.parametrize("line", ["", "nonsense", "[]", "{}", '{"server": "a", "stage": "asleep", "position": ""}'])
def test_what_is_no_standing_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Standing.from_json(line)
