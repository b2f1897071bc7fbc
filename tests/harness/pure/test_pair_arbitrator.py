"""When the arbitrator must be restarted, told on the views it sees."""

from __future__ import annotations

import pytest

from lab.replica.pair.arbitrator import Loneliness, Loss
from lab.replica.pair.galera import Component

WHOLE = Component(primary=True, members=3)
ONE_LEFT = Component(primary=True, members=2)
ALONE = Component(primary=False, members=1)
ALONE_AND_PRIMARY = Component(primary=True, members=1)
STRANGERS = Component(primary=False, members=2)


@pytest.mark.parametrize(
    ("story", "loss"),
    [
        ([ALONE, ALONE], None),  # its first start: nobody is there yet
        ([ALONE, WHOLE, ONE_LEFT, WHOLE], None),  # a member lost, and back
        ([WHOLE, ALONE], Loss.SILENT),  # a power loss of both rooms, or its own cable cut
        ([ALONE, WHOLE, ONE_LEFT, ALONE], Loss.SILENT),
        ([WHOLE, ONE_LEFT, ALONE_AND_PRIMARY], Loss.FAREWELL),  # both stopped in order
        ([STRANGERS, ALONE], None),  # never had a primary component: nothing stale to forget
    ],
)
def test_the_arbitrator_restarts_when_it_is_left_alone(story: list[Component], loss: Loss | None) -> None:
    loneliness = Loneliness()

    assert [loneliness.saw(view) for view in story] == [None] * (len(story) - 1) + [loss]
