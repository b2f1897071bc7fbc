"""What people write: who signs, who receives, conclusions, actions. Read from a small YAML file, typed nowhere else.

The file stands beside the plan (`rooms.people.yaml` beside `rooms.yaml`); a run keeps a copy, which may be completed
until the document is signed. A field that cannot be read is left out and told; the document comes out without it.
"""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lab.plan import PlanError
from lab.plan.reading import read
from reports.model import Gap, Problem

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = "people.yaml"
_LONGEST = 4000
_LARGEST = 2**18
_FRENCH = {"oui": True, "non": False}


def _words(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds; the field judges it
    return "" if value is None else value


def _one_or_many(value: Any) -> Any:  # noqa: ANN401 - as above
    return [] if value is None else [value] if isinstance(value, str) else value


def _yes(value: Any) -> Any:  # noqa: ANN401 - as above
    return _FRENCH.get(value.lower(), value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_words), Field(max_length=_LONGEST)]
Texts = Annotated[tuple[Words, ...], BeforeValidator(_one_or_many)]
Yes = Annotated[bool | None, BeforeValidator(_yes)]


class Entry(BaseModel):
    """Anything in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Signatory(Entry):
    """One who signs. The visa itself is left to a pen."""

    name: Words = ""
    function: Words = ""
    signed: date | None = None


class Participant(Entry):
    """One who took part: operator, observer, quality, clinical referent, on-call."""

    role: Words
    name: Words = ""
    function: Words = ""


class Need(Entry):
    """What care needs of a service, in the words of those who know: DMIA and PDMA, and who signed them."""

    dmia: Words = ""
    pdma: Words = ""
    signed_by: Words = ""


class Remark(Entry):
    """What people say of a gap that the bench found."""

    scenario: Words
    severity: Words = ""
    cause: Words = ""


class Action(Entry):
    """A line of the action plan."""

    gap: Words = ""
    action: Words
    owner: Words = ""
    due: date | None = None
    status: Words = ""


class Programme(Entry):
    """How often each scenario is due, and for how long the programme runs."""

    every_months: Annotated[int, Field(ge=1, le=120)] = 12
    years: Annotated[int, Field(ge=1, le=10)] = 3
    next: date | None = None


class People(Entry):
    """The file."""

    reference: Words = ""
    version: Words = ""
    confidentiality: Words = ""
    working_group: Texts = ()
    object: Words = ""
    conclusions: Texts = ()
    follow_up: Texts = ()
    writer: Signatory = Signatory()
    verifier: Signatory = Signatory()
    approver: Signatory = Signatory()
    recipients: Texts = ()
    intranet: Yes = None
    participants: tuple[Participant, ...] = ()
    needs: dict[str, Need] = {}
    strengths: Texts = ()
    remarks: tuple[Remark, ...] = ()
    actions: tuple[Action, ...] = ()
    not_tested: Texts = ()
    programme: Programme = Programme()

    def remark(self, scenario: str) -> Remark:
        """Return what is said of a scenario's gap; empty where nobody said anything yet."""
        return next((one for one in self.remarks if one.scenario == scenario), Remark(scenario=scenario))


def example() -> str:
    """Return the shipped file: functions, and no name of a real person."""
    return (resources.files("reports") / "shipped" / PEOPLE).read_text(encoding="utf-8")


def people_of(path: Path) -> tuple[People, tuple[Gap, ...]]:
    """Return what a file says, and what of it cannot be used."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        text = content.decode("utf-8-sig") if len(content) <= _LARGEST else None
    except FileNotFoundError:
        return People(), (Gap(path.name, Problem.ABSENT),)
    except (OSError, UnicodeDecodeError):
        text = None
    return (People(), (Gap(path.name, Problem.UNREADABLE),)) if text is None else parse(text, path.name)


def parse(text: str, name: str = PEOPLE) -> tuple[People, tuple[Gap, ...]]:
    """Return what a text says, and what of it cannot be used: a wrong field costs itself, not the others."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return People(), ()
    try:
        data, _ = read(text, name)
    except PlanError as error:
        return People(), (Gap(name, Problem.UNREADABLE, f"{error.line}"),)
    if not isinstance(data, dict):
        return People(), (Gap(name, Problem.BAD_VALUE),)
    # A key left without a value is a form not yet filled in.
    filled: dict[str, Any] = {key: value for key, value in data.items() if value is not None}
    try:
        return People.model_validate(filled), ()
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
    gaps = tuple(Gap(name, _problem(error["type"]), ".".join(map(str, error["loc"]))) for error in errors)
    wrong = {error["loc"][0] for error in errors}
    return People.model_validate({key: value for key, value in filled.items() if key not in wrong}), gaps


def _problem(kind: str) -> Problem:
    known = {"extra_forbidden": Problem.UNKNOWN_FIELD, "missing": Problem.MISSING_FIELD}
    return known.get(kind, Problem.BAD_VALUE)
