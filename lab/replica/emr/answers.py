"""What a piece of work answers, before HTTP is made of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An HTTP status and the body to send as JSON."""

    status: int
    body: object


def refusal(status: int, sentence: str) -> Answer:
    """The one shape of every error."""
    return Answer(status, {"error": sentence})
