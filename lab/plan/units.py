"""Durations and sizes as people write them: a number, a space, a unit."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lab.plan.errors import quoted

_US = timedelta(microseconds=1)
_DURATIONS = {"ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}  # in microseconds
_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}  # in bytes
_LONGEST = timedelta(days=365)
_WHOLE_MINUTES = timedelta(minutes=5)  # below, people write seconds: 140 s, 180 s
_LARGEST = 2**60
_QUANTITY = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,9})?)(?: *([A-Za-z]+))?")


_PERCENTAGE = re.compile(r"([0-9]{1,3}) *%")


def _parse(value: object, units: dict[str, int], example: str) -> int:
    """Count the smallest unit in a text; the ValueError says the right form."""
    form = f"write a number and a unit, such as {example} (units: {', '.join(units)})"
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{quoted(value)} cannot be read: {form}")
    number, unit = match.groups()
    if unit is None:
        raise ValueError(f"{quoted(value)} has no unit: {form}")
    if unit not in units:
        raise ValueError(f"{quoted(value)} has an unknown unit: {form}")
    count = Decimal(number) * units[unit]
    if count != count.to_integral_value():
        raise ValueError(f"{quoted(value)} is finer than can be kept: {form}")
    return int(count)


def parse_duration(value: object) -> timedelta:
    """Read ``15 s``, ``250 ms``, ``30 min`` or ``2 h``; a ValueError says what would be right."""
    if isinstance(value, timedelta):
        return value
    duration = timedelta.max if (us := _parse(value, _DURATIONS, "15 s")) > _LONGEST // _US else us * _US
    if duration > _LONGEST:
        raise ValueError(f"{quoted(value)} is longer than a year: write a shorter duration, such as 30 min")
    return duration


def parse_size(value: object) -> int:
    """Read ``2 GiB`` into bytes; a ValueError says what would be right."""
    if isinstance(value, int):
        return value
    size = _parse(value, _SIZES, "2 GiB")
    if size > _LARGEST:
        raise ValueError(f"{quoted(value)} is larger than any disk: write a smaller size, such as 2 GiB")
    return size


def parse_percentage(value: object) -> int:
    """Read ``50 %``; a ValueError says what would be right."""
    if isinstance(value, int):
        return value
    match = _PERCENTAGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{quoted(value)} cannot be read: write a whole number and a percent sign, such as 50 %")
    return int(match[1])


def format_percentage(share: int) -> str:
    """Write a percentage so that ``parse_percentage`` gives it back."""
    return f"{share} %"


def format_duration(duration: timedelta) -> str:
    """Write a duration so that ``parse_duration`` gives it back."""
    us = duration // _US
    for unit in ("h", "min"):
        if duration >= _WHOLE_MINUTES and us % _DURATIONS[unit] == 0:
            return f"{us // _DURATIONS[unit]} {unit}"
    unit = "ms" if 0 < us < _DURATIONS["s"] else "s"
    return f"{(Decimal(us) / _DURATIONS[unit]).normalize():f} {unit}"


def format_size(size: int) -> str:
    """Write a size in bytes so that ``parse_size`` gives it back."""
    unit = next(u for u in reversed(_SIZES) if size % _SIZES[u] == 0)
    return f"{size // _SIZES[unit]} {unit}" if size else "0 B"


def _schema(units: dict[str, int], *examples: str) -> WithJsonSchema:
    pattern = rf"^[0-9]{{1,20}}(\.[0-9]{{1,9}})? *({'|'.join(units)})$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    _schema(_DURATIONS, "250 ms", "15 s", "30 min", "2 h"),
]
"""A length of time; ``15 s`` in the file."""

Size = Annotated[
    int,
    Field(gt=0),
    BeforeValidator(parse_size),
    PlainSerializer(format_size),
    _schema(_SIZES, "512 MiB", "16 GiB"),
]
"""A number of bytes; ``2 GiB`` in the file."""

Percentage = Annotated[
    int,
    Field(ge=0, le=100),
    BeforeValidator(parse_percentage),
    PlainSerializer(format_percentage),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3} *%$", "examples": ["50 %"]}),
]
"""A share of something; ``50 %`` in the file."""
