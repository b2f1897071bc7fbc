"""Which scenarios play which row, and what came of them last: read from the tests' markers and from run folders."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROW = re.compile(r"[A-Z]\d+")
"""A family may be a row's variant: V15b is another way to play V15."""


@dataclass(frozen=True)
class Played:
    """A scenario: its family, its test, and the suites that it is in."""

    family: str
    test: str
    suites: tuple[str, ...]


_BADNESS = {"met": 0, "inconclusive": 1, "not-met": 2}


def played(folder: Path) -> dict[str, list[Played]]:
    """Find the scenarios of a folder, by row of the catalogue."""
    by_row: dict[str, list[Played]] = {}
    for path in sorted(folder.glob("test_*.py")):
        for scenario in _scenarios(path):
            row = _ROW.match(scenario.family)
            by_row.setdefault(row[0] if row else scenario.family, []).append(scenario)
    return by_row


def _scenarios(path: Path) -> Iterator[Played]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = [name for statement in tree.body for name in _own(statement)]
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            decorators = [ast.unparse(one) for one in function.decorator_list]
            named = next((re.search(r"scenario\('([^']+)'", one) for one in decorators if "scenario(" in one), None)
            suites = [
                word
                for word in ("gate", "nightly", "maintenance", "disaster")
                if any(word == d.split(".")[-1] for d in decorators)
            ]
            if named:
                yield Played(named[1], f"{path.name}::{function.name}", tuple(dict.fromkeys([*own, *suites])))


def _own(statement: ast.stmt) -> list[str]:
    """The markers that a whole module has."""
    if not isinstance(statement, ast.Assign) or ast.unparse(statement.targets[0]) != "pytestmark":
        return []
    return re.findall(r"mark\.(gate|nightly|maintenance|disaster)", ast.unparse(statement.value))


def last_verdicts(runs: Path) -> dict[str, str]:
    """What was concluded of each family in the newest run that played it, the worst of its scenarios, and which run."""
    found: dict[str, tuple[str, int, str]] = {}
    for path in sorted(runs.glob("*/*/verdict.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # its writer was killed: nothing was concluded
            continue
        family, run, word = str(told.get("scenario", "")).split("-")[0], path.parent.parent.name, told.get("verdict")
        new = (run, _BADNESS.get(word, 1), f"{word} ({run})")
        found[family] = max(found.get(family, new), new)
    return {family: sentence for family, (_, _, sentence) in found.items()}
