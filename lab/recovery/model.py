"""A recovery plan as its file writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from lab.plan.elements import Element
from lab.plan.units import Duration
from lab.plan.words import Name, Text

if TYPE_CHECKING:
    from collections.abc import Iterable


class Step(Element):
    """Something that a person or a machine does."""

    name: Name = Field(description="Its name.")
    says: Text = Field(description="What is done, in English.")
    says_fr: Text = Field(description="The same in French.")
    who: Text | None = Field(None, description="Who does it, for a human step; an automatic step has nobody.")
    lasts: Duration | None = Field(
        None, description="How long a human step takes, such as 10 min: declared, not played."
    )
    really: Duration | None = Field(
        None,
        description="How long an automatic step takes in the hospital, such as 10 min: derived from what the runbook's "
        "comments say, not played; it counts in the place of what the lab measured.",
    )
    opens: bool = Field(
        default=False, description="With this step the wards may work again; by default with the last service."
    )
    decides: bool = Field(default=False, description="With this step the recovery is decided.")
    does: Name | None = Field(None, description="What the machine does, for an automatic step.")
    service: Name | None = Field(None, description="The service that it is about.")
    group: int = Field(1, ge=1, le=99, description="Priority: all of a group are done before the next one begins.")
    runs: tuple[Text, ...] = Field((), description="Checked after it: programs that must run on the rescue node.")
    listens: tuple[Text, ...] = Field(
        (), description="Checked after it: sockets that must listen there, tcp://IP:PORT."
    )

    @property
    def is_human(self) -> bool:
        """Whether a person does it."""
        return self.who is not None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.is_human and self.lasts is None:
            raise ValueError(f"the human step {self.name} has no duration: write lasts: with the time it takes")
        if self.is_human and self.does is not None:
            raise ValueError(f"the step {self.name} has somebody (who) and something to do (does): leave one out")
        if not self.is_human and self.does is None:
            raise ValueError(f"the step {self.name} has neither somebody (who) nor something to do (does)")
        if self.is_human and self.really is not None:
            raise ValueError(f"the human step {self.name} is declared: leave really out, and write lasts")
        if not self.is_human and self.lasts is not None:
            raise ValueError(f"the automatic step {self.name} is measured: leave lasts out")
        return self


class Runbook(Element):
    """Steps in the order in which they are taken: by group, then as they are written."""

    name: Name = Field(description="Its name.")
    title: Text = Field(description="What it is for, in English.")
    title_fr: Text = Field(description="The same in French.")
    steps: tuple[Step, ...] = Field(min_length=1, description="What is done.")

    @property
    def ordered(self) -> tuple[Step, ...]:
        """The steps by priority group."""
        return tuple(sorted(self.steps, key=lambda step: step.group))

    @property
    def verbs(self) -> frozenset[str]:
        """All that the machine does in it."""
        return frozenset(step.does for step in self.steps if step.does is not None)

    def forgets(self, principal: Iterable[str], verb: str = "serve") -> list[str]:
        """The principal services that no step brings back."""
        named = {step.service for step in self.steps if step.does == verb}
        return [service for service in principal if service not in named]
