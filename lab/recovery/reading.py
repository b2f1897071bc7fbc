"""From a file, or the name of a shipped runbook, to a checked runbook."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from lab.plan.complaints import path_of, sentence
from lab.plan.errors import PlanError
from lab.plan.reading import read
from lab.recovery.model import Runbook


def shipped() -> list[str]:
    """The names of the runbooks that come with the product."""
    folder = resources.files("lab.recovery") / "shipped"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load(path: str | Path) -> Runbook:
    """Load a runbook by the name of a shipped one (``ultime-secours``) or by its path.

    Raises:
        PlanError: one sentence with file, line, what is wrong and what would be right.
    """
    if isinstance(path, str) and path in shipped():
        text = (resources.files("lab.recovery") / "shipped" / f"{path}.yaml").read_text(encoding="utf-8")
        return loads(text, where=f"{path}.yaml")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        known = ", ".join(shipped())
        raise PlanError(
            f"cannot be read ({type(error).__name__}): give a YAML file or a shipped runbook ({known})", where=str(path)
        ) from None
    return loads(text, where=str(path))


def loads(text: str, *, where: str = "runbook") -> Runbook:
    """Load a runbook from its text.

    Raises:
        PlanError: as `load`.
    """
    data, lines = read(text, where)
    try:
        return Runbook.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        path = path_of(first)
        while path and path not in lines:
            path = path[:-1]
        raise PlanError(sentence(first, Runbook), where=where, line=lines.get(path, 1)) from None
