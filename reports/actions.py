"""The action plan: what people wrote, and an empty line for each gap that nobody has answered yet. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.measure import Outcome
from reports.people import Action

if TYPE_CHECKING:
    from reports.model import Campaign

BLANK = 3
"""Empty lines where nothing is open: somebody may still want to write by hand."""


def actions(campaign: Campaign) -> tuple[Action, ...]:
    """Return the lines of the table."""
    written = campaign.people.actions if campaign.people else ()
    answered = {action.gap for action in written}
    gaps = [result.id for result in campaign.scenarios if result.outcome is not Outcome.MET and not result.accepted]
    open_ = tuple(Action(gap=gap, action="") for gap in gaps if gap not in answered)
    return written + open_ or tuple(Action(action="") for _ in range(BLANK))
