"""The language of a document: its sentences, dates, numbers and durations.

The documents are written in French, so each sentence stands in French where it is used, and is its own key. Another
language is one ``translations/<code>.po``, the format translators know, read as it is by Babel: no catalogue to
compile, no second template. A missing translation shows as French, and a test finds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_time
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from reports.errors import ReportError

if TYPE_CHECKING:
    from datetime import date

NBSP = "\N{NO-BREAK SPACE}"
LANGUAGES = ("fr", "en")
_LOCALES = {"fr": "fr_FR", "en": "en_GB"}
_UNIT = 1024
_ZONE = "Europe/Paris"
_LEAST = 0.005  # seconds; what would be rounded to nothing is said to be small
_IN_MINUTES_FROM = 120  # seconds; as lab.measure words its sentences


@dataclass(frozen=True)
class Language:
    """What a document needs to speak one language. Build it with `speak`."""

    code: str
    catalog: Catalog = field(repr=False, compare=False)

    @property
    def locale(self) -> str:
        """The locale that decides separators and the order of dates."""
        return _LOCALES[self.code]

    def gettext(self, message: str) -> str:
        """Return a sentence in this language, with its typography."""
        found = self.catalog.get(message)
        translated = found.string if found and isinstance(found.string, str) and found.string else message
        return self.typeset(translated)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the form of a sentence that agrees with a count."""
        found = self.catalog.get(one)
        forms = found.string if found and isinstance(found.string, tuple) else ()
        # French counts zero with the singular, English with the plural.
        plural = count > 1 if self.code == "fr" else count != 1
        own = forms[int(plural)] if len(forms) > int(plural) else ""
        return self.typeset(own or (many if plural else one))

    def say(self, message: str, **values: object) -> str:
        """Return a sentence with its values filled in."""
        return self.gettext(message).format(**values)

    def typeset(self, text: str) -> str:
        """Keep French double punctuation and guillemets on the line of their word."""
        if self.code != "fr":
            return text
        return re.sub(r" (?=[:;!?»])|(?<=«) ", NBSP, text)

    def number(self, value: float) -> str:
        """Return a number with the separators of the language, at most two decimals."""
        return str(format_decimal(value, format="#,##0.##", locale=self.locale))

    def duration(self, value: timedelta | float | None) -> str:
        """Return a duration with the precision and units of the verdicts' own sentences; an absent one is a dash."""
        if value is None:
            return "—"
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        if 0 < seconds < _LEAST:
            return f"<{NBSP}{self.number(2 * _LEAST)}{NBSP}s"
        if seconds < _IN_MINUTES_FROM:
            digits = "0.##" if seconds < 1 else "0.#"
            return f"{format_decimal(seconds, format=digits, locale=self.locale)}{NBSP}s"
        minutes, left = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        parts = ((hours, "h"), (minutes, "min"), (left, "s"))
        return NBSP.join(f"{count}{NBSP}{unit}" for count, unit in parts if count)

    def offset(self, seconds: float) -> str:
        """Return an instant as signed seconds from the injection."""
        sign = "+" if seconds >= 0 else "\N{MINUS SIGN}"
        return f"{sign}{format_decimal(abs(seconds), format='0.000', locale=self.locale)}{NBSP}s"

    def day(self, moment: datetime) -> str:
        """Return the date of a moment, in universal time."""
        return str(format_date(moment.astimezone(UTC).date(), "long", locale=self.locale))

    def figures(self, moment: date) -> str:
        """Return a date in figures, for tables; that of a moment in universal time."""
        day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
        return f"{day:%d/%m/%Y}"

    def short(self, day: date) -> str:
        """Return a date in as few figures as can be, for the head of a narrow column."""
        return f"{day:%d/%m/%y}"

    def clock(self, moment: datetime) -> str:
        """Return the time of day of a moment, in universal time."""
        return str(format_time(moment.astimezone(UTC), "HH:mm:ss", tzinfo=UTC, locale=self.locale))

    def local(self, moment: datetime) -> str:
        """Return the time of day where the hospital is; empty where the machine does not know its zone."""
        try:
            there = moment.astimezone(ZoneInfo(_ZONE))
        except ZoneInfoNotFoundError:
            return ""
        return self.say("{clock} heure de Paris", clock=f"{there:%H:%M:%S}")

    def size(self, octets: int) -> str:
        """Return a file size."""
        unit = "o" if self.code == "fr" else "B"
        if octets < _UNIT:
            return f"{octets}{NBSP}{unit}"
        if octets < _UNIT**2:
            return f"{self.number(round(octets / _UNIT, 1))}{NBSP}Ki{unit}"
        return f"{self.number(round(octets / _UNIT**2, 1))}{NBSP}Mi{unit}"


def speak(code: str) -> Language:
    """Return a language by its code.

    Raises:
        ReportError: the document does not exist in that language.
    """
    if code not in LANGUAGES:
        raise ReportError(f"no report in language {code!r}: it exists in {', '.join(LANGUAGES)}")
    if code == "fr":
        return Language(code, Catalog(locale="fr"))
    with resources.files("reports").joinpath("translations", f"{code}.po").open("rb") as stream:
        return Language(code, read_po(stream, locale=code))
