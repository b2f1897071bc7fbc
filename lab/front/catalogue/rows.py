"""The published failures, as data."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import yaml


@dataclass(frozen=True)
class Row:
    """One published failure. `why` says why no scenario plays it; `same_as` whose scenarios play it."""

    id: str
    name: str
    fault: str
    behaviour: str
    klass: str
    timing: str
    source: str
    same_as: tuple[str, ...] = ()
    why: str = ""

    @property
    def section(self) -> str:
        """The letter it begins with."""
        return self.id[0]


def rows() -> list[Row]:
    """Give all of them, in the order of the file."""
    text = (resources.files("lab.front.catalogue") / "rows.yaml").read_text(encoding="utf-8")
    return [_row(identifier, told) for identifier, told in yaml.safe_load(text).items()]


def _row(identifier: str, told: dict[str, object]) -> Row:
    same = told.pop("same_as", [])
    words = {("klass" if key == "class" else key): str(value) for key, value in told.items()}
    return Row(identifier, **words, same_as=tuple(map(str, same if isinstance(same, list) else [])))
