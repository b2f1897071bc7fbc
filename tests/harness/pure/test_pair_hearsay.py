"""Who holds the virtual address when the members hear each other, and when only room three hears both."""

from __future__ import annotations

import pytest

from lab.replica.pair.bootstrap import Stage, Standing
from lab.replica.pair.hearsay import Hearsay, may_hold

FIT, UNFIT = (Standing("dopasoins-1", Stage.PRIMARY, fit=fit) for fit in (True, False))
NOTHING = Hearsay()


@pytest.mark.parametrize(
    ("mine", "twin", "holds"),
    [(FIT, FIT, True), (FIT, UNFIT, True), (UNFIT, UNFIT, True), (UNFIT, FIT, False)],
)
def test_a_member_leaves_the_address_to_a_fitter_twin(mine: Standing, twin: Standing, holds: bool) -> None:  # noqa: FBT001
    assert may_hold(mine, twin, NOTHING, first=False) is holds


@pytest.mark.parametrize("mine", [FIT, UNFIT])
def test_a_member_whose_twin_nobody_hears_holds_the_address(mine: Standing) -> None:
    assert may_hold(mine, None, NOTHING, first=False)


@pytest.mark.parametrize("mine", [FIT, UNFIT])
@pytest.mark.parametrize("theirs", [FIT, UNFIT])
def test_of_two_that_are_parted_exactly_one_holds_it(mine: Standing, theirs: Standing) -> None:
    one = may_hold(mine, None, Hearsay(alive=True, standing=theirs), first=True)
    other = may_hold(theirs, None, Hearsay(alive=True, standing=mine), first=False)

    assert one != other
    assert one is (mine.fit or not theirs.fit)


def test_a_frozen_member_leaves_it_to_a_twin_that_lives_and_has_said_nothing_yet() -> None:
    assert not may_hold(UNFIT, None, Hearsay(alive=True), first=True)
    assert may_hold(FIT, None, Hearsay(alive=True), first=False)
