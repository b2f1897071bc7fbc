"""Options and markers of the bench, and the plan that they choose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from lab.measure.deviations import Deviation
    from lab.plan import Plan

MARKERS = (
    "gate: played before every change, on the default plan",
    "nightly: played every night",
    "thorough: for an element of the plan that is not the first of its kind; a gate leaves it to the night",
    "maintenance: planned changes under observation",
    "disaster: rooms burn",
    "scenario(id, fr): the scenario's identifier in the catalogue, and its title in French",
    "service(name): the service of the plan that the `service` fixture gives",
    "lab_defects(*names): plant defects in the replica of this module's lab",
)

DEFAULT_PLAN = "zero"

_plan = pytest.StashKey["Plan"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the bench."""
    group = parser.getgroup("bascule", "Bascule: break a replica, say what the clinicians saw")
    group.addoption("--plan", default=DEFAULT_PLAN, help="a shipped plan or a file (default: zero)")
    group.addoption("--time-scale", type=float, help="divide vendor timers by this instead of the plan's own figure")
    group.addoption(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="play a variant of the plan, such as ha.rule=must; may be given several times",
    )
    group.addoption("--seed", default=1, type=int, help="seed of the wards' clients (default: 1)")
    group.addoption("--runs", default="runs", type=Path, help="where run folders go (default: runs)")
    group.addoption("--scenario", metavar="ID[,ID]", help="play these only, such as R1 or H1-esx-11")
    group.addoption("--dry-run", action="store_true", help="say what would be done, undone and how long; touch nothing")
    group.addoption("--change", help='the change under test, named in the report, such as "CHG-123 new firmware"')
    group.addoption("--deviations", type=Path, help="file of accepted deviations (default: PLAN.deviations.yaml)")
    group.addoption("--people", type=Path, help="who signs the report, and what they write (default: PLAN.people.yaml)")
    group.addoption("--keep-lab", action="store_true", help="leave the lab up at the end; the summary names it")
    group.addoption("--lab-name", help="name of the lab (default: from the process)")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; refuse a bad plan at once, before anything is collected."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    scale, variant = config.getoption("--time-scale"), config.getoption("--set")
    if config.getoption("--plan") != DEFAULT_PLAN or scale is not None or variant:
        plan_of(config)
    if config.getoption("--people") is not None:
        people_of(config)


def plan_of(config: pytest.Config) -> Plan:
    """The plan under test, in the variant and at the time scale asked for.

    Raises:
        pytest.UsageError: it is not a good plan; the message is the plan's own sentence.
    """
    if _plan not in config.stash:
        from lab.plan import PlanError, load  # noqa: PLC0415 - pytest starts without it when no scenario is collected

        try:
            plan = _variant(load(config.getoption("--plan")), config.getoption("--set"))
            config.stash[_plan] = _scaled(plan, config.getoption("--time-scale"))
        except PlanError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_plan]


def deviations_of(config: pytest.Config) -> tuple[Deviation, ...]:
    """The gaps that somebody signed for: the file given, else the one beside the plan.

    Raises:
        pytest.UsageError: the file cannot be used; the message is its own sentence.
    """
    from lab.measure import signed  # noqa: PLC0415 - as above

    try:
        return signed.deviations_of(config.getoption("--plan"), config.getoption("--deviations"))
    except signed.DeviationError as error:
        raise pytest.UsageError(str(error)) from error


def people_of(config: pytest.Config) -> str:
    """The file of those who sign: the one given, else that beside the plan, else for a shipped plan the shipped one.

    Raises:
        pytest.UsageError: the file given cannot be read.
    """
    given, plan = config.getoption("--people"), config.getoption("--plan")
    beside = Path(plan).with_suffix(".people.yaml")
    if given is None and not beside.is_file():
        from lab.plan.files import shipped  # noqa: PLC0415 - as above
        from reports.people import example  # noqa: PLC0415 - as above

        return example() if plan in shipped() else ""
    try:
        return (given or beside).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"{given or beside} cannot be read: give a readable YAML file") from error


def _variant(plan: Plan, changes: list[str]) -> Plan:
    from lab.plan import PlanError, dumps, loads  # noqa: PLC0415 - as above

    if not changes:
        return plan
    data = yaml.safe_load(dumps(plan))
    for change in changes:
        place, equals, value = change.partition("=")
        *around, key = place.split(".")
        into = data
        for name in around:
            into = into.setdefault(name, {}) if isinstance(into, dict) else into
        if not equals or not isinstance(into, dict):
            raise PlanError(f"--set {change}: write it as KEY=VALUE, such as ha.rule=must")
        into[key] = yaml.safe_load(value)
    try:
        return loads(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    except PlanError as error:
        raise PlanError(f"--set {' --set '.join(changes)}: {error.sentence}") from error


def _scaled(plan: Plan, time_scale: float | None) -> Plan:
    from lab.plan import PlanError, dumps, loads  # noqa: PLC0415 - as above

    if time_scale is None:
        return plan
    try:
        return loads(dumps(plan.model_copy(update={"time_scale": time_scale})))
    except PlanError as error:
        raise PlanError(f"--time-scale {time_scale:g}: {error.sentence}") from error
