"""From a file, or the name of a shipped plan, to a checked plan."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lab.plan.checks import problems
from lab.plan.complaints import path_of, sentence, without_echoes
from lab.plan.errors import PlanError, quoted
from lab.plan.model import NAMED_SECTIONS, Plan
from lab.plan.reading import read

if TYPE_CHECKING:
    from lab.plan.reading import Data
    from lab.plan.reading import Path as Place

SHIPPED = Path(__file__).parent / "shipped"
"""The plans that come with the product, and what belongs to them."""
LARGEST_FILE = 2**20
"""One mebibyte: 450 servers written out take a tenth of it."""


def shipped() -> list[str]:
    """Give the names of the plans that come with the product."""
    names = (entry.name.removesuffix(".yaml") for entry in SHIPPED.iterdir() if entry.name.endswith(".yaml"))
    return sorted(name for name in names if "." not in name)  # others lie beside a plan, as its accepted deviations


def load(path: str | Path) -> Plan:
    """Load a plan by the name of a shipped one (``zero``) or by its path.

    Raises:
        PlanError: one sentence with file, line, what is wrong and what would be right.
    """
    if isinstance(path, str) and path in shipped():
        text = (SHIPPED / f"{path}.yaml").read_text(encoding="utf-8")
        return loads(text, where=f"{path}.yaml")
    where = str(path) if str(path).isprintable() else repr(str(path))
    return loads(_decode(_content(Path(path), where), where), where=where)


def _content(path: Path, where: str) -> bytes:
    try:
        if path.is_dir():
            raise PlanError("this is a folder: give the YAML file of a plan", where=where)
        if not path.exists():
            known = ", ".join(shipped())
            raise PlanError(f"no such file: give a YAML file or a shipped plan ({known})", where=where)
        if not path.is_file():
            raise PlanError("this is not a regular file: give the YAML file of a plan", where=where)
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = errno.errorcode.get(error.errno or 0, "error") if isinstance(error, OSError) else "bad path"
        raise PlanError(f"the file cannot be read ({reason}): give a readable YAML file", where=where) from None
    if len(content) > LARGEST_FILE:
        raise PlanError("the file is larger than 1 MiB: a plan takes a few KiB, is this the right file?", where=where)
    return content


def _decode(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanError(
            f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8", where=where, line=line
        ) from None


def loads(text: str, where: str = "<text>") -> Plan:
    """Load a plan from its YAML text; ``where`` names its origin in the sentences.

    Raises:
        PlanError: one sentence with origin, line, what is wrong and what would be right.
    """
    data, lines = read(text, where)
    _refuse_written_names(data, lines, where)
    try:
        plan = Plan.model_validate(data)
    except ValidationError as invalid:
        errors = without_echoes(invalid.errors(include_url=False))
        line, told = min((_line(lines, path_of(error)), sentence(error, Plan)) for error in errors)
        raise PlanError(told, where=where, line=line) from None
    for group in problems(plan):
        found = sorted((_line(lines, problem.path), problem.sentence) for problem in group)
        if found:
            line, told = found[0]
            raise PlanError(told, where=where, line=line)
    return plan


def _line(lines: dict[Place, int], path: Place) -> int:
    """Give the line of a path, or of the nearest thing around it that is written in the file."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _refuse_written_names(data: Data, lines: dict[Place, int], where: str) -> None:
    """Refuse ``name:`` inside an element, where the model would take it for the key's own."""
    if not isinstance(data, dict):
        return
    for section in NAMED_SECTIONS:
        elements = data.get(section)
        for key, element in elements.items() if isinstance(elements, dict) else ():
            if isinstance(element, dict) and "name" in element:
                told = f"unknown key 'name': the name is the key itself, {quoted(key)}"
                raise PlanError(told, where=where, line=lines[section, key, "name"])
