"""What clients send, checked before any thread or transaction is spent on it."""

from __future__ import annotations

import json

_WORD = 64
_NOTE = 1000
_MOST_PER_DAY = 24


class FormError(ValueError):
    """The body is not what this path takes; the message says what is missing."""


def sign_in(body: bytes) -> tuple[str, str]:
    """Clinician and secret."""
    form = _form(body)
    return _text(form, "clinician", 16), _text(form, "secret", _WORD)


def act(body: bytes) -> dict[str, object]:
    """The content of an act of care."""
    form = _form(body)
    return {
        "patient": _text(form, "patient", 16),
        "kind": _text(form, "kind", _WORD),
        "note": _text(form, "note", _NOTE),
    }


def prescription(body: bytes) -> dict[str, object]:
    """The content of a prescription."""
    form = _form(body)
    per_day = form.get("per_day")
    if not isinstance(per_day, int) or isinstance(per_day, bool) or not 0 < per_day <= _MOST_PER_DAY:
        raise FormError(f"per_day is a whole number from 1 to {_MOST_PER_DAY}")
    return {
        "patient": _text(form, "patient", 16),
        "drug": _text(form, "drug", _WORD),
        "dose": _text(form, "dose", _WORD),
        "per_day": per_day,
    }


def _form(body: bytes) -> dict[str, object]:
    try:
        form = json.loads(body)
    except ValueError as error:
        raise FormError("the body is not JSON") from error
    if not isinstance(form, dict):
        raise FormError("the body is not a JSON object")
    return form


def _text(form: dict[str, object], name: str, most: int) -> str:
    value = form.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise FormError(f"{name} is a text of 1 to {most} characters")
    return value
