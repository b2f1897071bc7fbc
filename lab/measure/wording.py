"""Durations and counts in words, English and French."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

_MINUTE = 60
_HOUR = 3600
_IN_MINUTES_FROM = 120  # seconds; "45 s" and "90 s" are read at a glance, "1800 s" is not
_NBSP = "\N{NO-BREAK SPACE}"


class Words(NamedTuple):
    """The same words in both languages."""

    en: str
    fr: str

    def within(self, en: str, fr: str) -> Words:
        """These words in the place of `{}` in a longer phrase."""
        return Words(en.format(self.en), fr.format(self.fr))


def sentence(service: str, phrases: list[Words], between: str = ", ") -> Words:
    """One sentence about a service."""
    english = between.join(phrase.en for phrase in phrases)
    french = between.join(phrase.fr for phrase in phrases)
    return Words(f"{service}: {english}.", f"{service}{_NBSP}: {french}.")


def spoken(duration: timedelta) -> Words:
    """`0 s`, `0.04 s`, `2.7 s`, `45 s`, `30 min`, `2 min 5 s`, `1 h 30 min`; a decimal comma in French."""
    seconds = duration.total_seconds()
    if seconds < _IN_MINUTES_FROM:
        figure = f"{seconds:.{2 if seconds < 1 else 1}f}".rstrip("0").rstrip(".")
        return Words(f"{figure} s", f"{figure} s".replace(".", ","))
    hours, rest = divmod(round(seconds), _HOUR)
    minutes, seconds_left = divmod(rest, _MINUTE)
    parts = [(hours, "h"), (minutes, "min"), (seconds_left, "s")]
    text = " ".join(f"{figure} {unit}" for figure, unit in parts if figure)
    return Words(text, text)


def spoken_ns(nanoseconds: int) -> Words:
    """The same, of nanoseconds."""
    return spoken(timedelta(microseconds=nanoseconds / 1000))


def counted(number: int, en: tuple[str, str], fr: tuple[str, str]) -> Words:
    """`0 writes` but `0 écriture`: French keeps the singular up to one."""
    return Words(f"{number} {en[number != 1]}", f"{number} {fr[number > 1]}")
