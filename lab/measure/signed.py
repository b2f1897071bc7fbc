"""The file of accepted deviations, read as strictly as a plan: one sentence with file and line for what is wrong."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from lab.plan.errors import PlanError, quoted, unknown
from lab.plan.files import SHIPPED, shipped
from lab.plan.reading import read

from .deviations import Deviation

if TYPE_CHECKING:
    from lab.plan.reading import Data

    Lines = dict[tuple[str | int, ...], int]

_KEYS = tuple(field.name for field in fields(Deviation))
_OPTIONAL = frozenset({"service"})
# A star alone would accept everything that can ever go wrong; the family at least must be named.
_SCENARIO = re.compile(r"[A-Za-z][A-Za-z0-9+-]*\*?")
_LONGEST = 500  # characters, as texts of a plan


class DeviationError(PlanError):
    """Raised when a file of accepted deviations cannot be read; the message is one sentence with file and line."""


def beside(plan: str) -> Path:
    """Where the deviations of a plan are looked for: `rooms.yaml` has `rooms.deviations.yaml` beside it.

    Those of a shipped plan are shipped with it, unless the current folder has a file of that name.
    """
    own = Path(plan).with_suffix(".deviations.yaml")
    return SHIPPED / own.name if plan in shipped() and not own.is_file() else own


def deviations_of(plan: str, given: Path | None = None) -> tuple[Deviation, ...]:
    """The deviations for a plan: those of the file given, else of the file beside the plan, else none.

    Raises:
        DeviationError: the given file is not there, or either cannot be used.
    """
    path = given if given is not None else beside(plan)
    if given is None and not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else (error.strerror or "error")
        told = f"the accepted deviations cannot be read ({reason}): give a readable YAML file"
        raise DeviationError(told, where=str(path)) from None
    return parse(text, str(path))


def parse(text: str, where: str = "<text>") -> tuple[Deviation, ...]:
    """Read the text of such a file: a YAML list, each item with scenario, owner, reason, signed and expires.

    A file without a word, or with comments only, accepts nothing.

    Raises:
        DeviationError: one sentence with origin, line, what is wrong and what would be right.
    """
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return ()
    try:
        data, lines = read(text, where)
    except DeviationError:
        raise
    except PlanError as error:
        raise DeviationError(error.sentence, where=where, line=error.line) from None
    if not isinstance(data, list):
        told = f"accepted deviations are a list: begin each with a hyphen, and give it {', '.join(_KEYS)}"
        raise DeviationError(told, where=where)
    return tuple(_Entry(item, index, lines, where).deviation() for index, item in enumerate(data))


class _Entry:
    """One item of the list, with what is needed to say where it is wrong."""

    def __init__(self, item: Data, index: int, lines: Lines, where: str) -> None:
        self._index, self._lines, self._where = index, lines, where
        if not isinstance(item, dict):
            raise self._wrong(f"a deviation is written as keys with values: {', '.join(_KEYS)}")
        self._item = item

    def _wrong(self, sentence: str, key: str | None = None) -> DeviationError:
        path = (self._index,) if key is None else (self._index, key)
        return DeviationError(sentence, where=self._where, line=self._lines.get(path, self._lines[self._index,]))

    def deviation(self) -> Deviation:
        for key in self._item:
            if key not in _KEYS:
                raise self._wrong(unknown("key", key, _KEYS), key)
        for key in _KEYS:
            if key not in self._item and key not in _OPTIONAL:
                raise self._wrong(f"this deviation lacks the key {key}: write {key}: with its value")
        scenario = self._text("scenario")
        if not _SCENARIO.fullmatch(scenario):
            right = "write the id of a scenario, such as H1-esx-11, or the beginning of several, such as H1-*"
            raise self._wrong(f"scenario is {quoted(scenario)}: {right}", "scenario")
        signed, expires = self._day("signed"), self._day("expires")
        if expires < signed:
            raise self._wrong(
                f"it expires on {expires}, before it was signed ({signed}): correct one of them", "expires"
            )
        service = self._text("service") if "service" in self._item else None
        return Deviation(scenario, self._text("owner"), self._text("reason"), signed, expires, service)

    def _text(self, key: str) -> str:
        value = self._item[key]
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
            given = "nothing" if not value else "no text, or too long a one"
            raise self._wrong(f"{key} is {given}: write a few words", key)
        return " ".join(value.split())

    def _day(self, key: str) -> date:
        value = self._item[key]
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            given = "nothing" if value is None else quoted(value)
            raise self._wrong(f"{key} is {given}: write a day as year-month-day, such as 2027-03-31", key) from None
