"""The languages of the documents: complete, and each with its own typography."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir

import reports
from reports.language import speak

HOUSE = Path(reports.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.j2", "jinja2")]
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "N_": None}
HOLES = re.compile(r"%\(\w+\)s|\{\w+\}")


def messages() -> set[str | tuple[str, ...]]:
    return {found[2] for found in extract_from_dir(HOUSE, METHODS, keywords=KEYWORDS)}


def test_every_sentence_has_its_english_with_the_same_holes() -> None:
    catalogue = speak("en").catalog
    for message in messages():
        forms = (message,) if isinstance(message, str) else message
        found = catalogue.get(forms[0])

        assert found is not None, message
        own = (found.string,) if isinstance(found.string, str) else tuple(found.string or ())
        assert [sorted(HOLES.findall(one)) for one in own] == [sorted(HOLES.findall(one)) for one in forms]
        assert all(own), message


def test_no_translation_outlives_its_sentence() -> None:
    known = {one if isinstance(one, str) else one[0] for one in messages()}
    catalogue = {one.id if isinstance(one.id, str) else one.id[0] for one in speak("en").catalog if one.id}

    assert catalogue == known


@pytest.mark.parametrize(
    ("seconds", "french"),
    [
        (0, "0 s"), (0.002, "< 0,01 s"), (0.93, "0,93 s"), (2.66, "2,7 s"), (45, "45 s"), (119.5, "119,5 s"),
        (125, "2 min 5 s"), (1800, "30 min"), (5400, "1 h 30 min"),
    ],
)  # fmt: skip
def test_durations_are_worded_as_in_the_verdicts(seconds: float, french: str) -> None:
    assert speak("fr").duration(timedelta(seconds=seconds)).replace("\xa0", " ") == french


def test_dates_and_numbers_follow_the_language() -> None:
    moment = datetime(2026, 3, 1, 23, 5, 9, tzinfo=UTC)

    assert (speak("fr").day(moment), speak("en").day(moment)) == ("1 mars 2026", "1 March 2026")
    assert speak("fr").clock(moment) == "23:05:09"
    assert (speak("fr").offset(-1.5), speak("en").offset(2)) == ("\u22121,500\xa0s", "+2.000\xa0s")
    assert (speak("fr").size(2_500_000), speak("en").size(700)) == ("2,4\xa0Mio", "700\xa0B")


def test_french_keeps_its_signs_with_their_word() -> None:
    assert speak("fr").typeset("Vrai ? « oui » : non") == "Vrai\xa0? «\xa0oui\xa0»\xa0: non"
    assert speak("en").typeset("True ?") == "True ?"


@pytest.mark.parametrize(("count", "french", "english"), [(0, "un", "b"), (1, "un", "a"), (2, "des", "b")])
def test_plurals_agree(count: int, french: str, english: str) -> None:
    assert speak("fr").ngettext("un", "des", count) == french
    assert speak("en").ngettext("a", "b", count) == english
