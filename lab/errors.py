"""The root of everything that can go wrong on the bench itself."""

from __future__ import annotations


class LabError(Exception):
    """The bench, not the infrastructure under test, failed. Never an AssertionError."""


class Inconclusive(LabError):  # noqa: N818 - a verdict, in the verdict's word
    """The run says nothing about the objective: the fault did not bite, or the instrument lagged."""


class NotAvailableError(Inconclusive):
    """This machine, or this version, cannot play the fault. The sentence says why; nothing was broken."""


class NotMet(AssertionError):  # noqa: N818 - a verdict, in the verdict's word
    """An objective of the plan was measured and is not met, or what a scenario insists on besides is not so.

    Args:
        message: the sentence.
        fr: the same in French; as the message where it is not given.
    """

    def __init__(self, message: str, fr: str = "") -> None:
        super().__init__(message)
        self.fr = fr or message
