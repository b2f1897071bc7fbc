"""The picture of a plan that an engineer would put on the wall: one SVG, readable in grey print. Pure.

Main rooms stand above, the other places below, cables run between them. In each place the switches are bars on the
cables' side; nodes stand beyond, joined by a line to each switch they stand on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.plan.drawing.phrases import Language
    from lab.plan.model import Plan

__all__ = ["draw"]


def draw(plan: Plan, *, language: Language = "en") -> str:
    """Draw a plan as an SVG of the shape of an A3 sheet. The same plan gives the same bytes.

    Nothing outside is referred to; every name of a place, node, switch, cable, server and service stands in it as text.

    Args:
        plan: A plan that holds together, as ``load`` gives it.
        language: Of the words around the plan's names: ``en`` or ``fr``.
    """
    from lab.plan.drawing.page import arranged  # noqa: PLC0415 - whoever only reads a plan should not wait for these
    from lab.plan.drawing.painting import painted  # noqa: PLC0415 - as above
    from lab.plan.drawing.phrases import Phrases  # noqa: PLC0415 - as above

    return painted(arranged(plan, Phrases(plan, language)), language)
