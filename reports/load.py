"""From a run folder to a campaign. What is missing or damaged becomes an entry that says so, where possible."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lab.plan import PlanError
from lab.plan import load as load_plan
from reports import earlier
from reports.errors import ReportError
from reports.manifest import survey
from reports.model import Campaign, Gap, Known, Problem, Ready, Told
from reports.people import PEOPLE, people_of
from reports.records import VERSION, CampaignRecord, CatalogueRecord, DeviationsRecord, RepetitionRecord, read
from reports.scenario import load_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from lab.plan import Plan
    from reports.people import People
    from reports.records import ToldRecord

PLAN, CAMPAIGN = "plan.yaml", "campaign.json"
_FOLDER = re.compile(r"(?P<when>\d{8}T\d{6}Z)-(?P<plan>.+)")


def load(run_folder: Path) -> Campaign:
    """Return the campaign that a run folder holds.

    Raises:
        ReportError: there is no such folder, it holds no campaign, or another version of the bench wrote it.
    """
    if not run_folder.is_dir():
        raise ReportError(f"{run_folder} is not a folder: a run folder holds {CAMPAIGN} and one folder a scenario")
    record, gaps = read(run_folder / CAMPAIGN, CampaignRecord, CAMPAIGN)
    if record is None:
        record = _guessed(run_folder, gaps)
    if record.version != VERSION:
        raise ReportError(
            f"{run_folder / CAMPAIGN} is of version {record.version}; this Bascule reads version {VERSION}"
        )
    if record.ended is None:
        gaps += (Gap(CAMPAIGN, Problem.NOT_FINISHED),)
    plan, plan_gaps = _plan(run_folder / PLAN)
    people, people_gaps = _people(run_folder / PEOPLE)
    catalogue, deviations, repetitions, told_gaps = _told(run_folder)
    before, before_gaps = earlier.read(run_folder)
    return Campaign(
        plan_name=record.plan,
        started=record.started.astimezone(UTC),
        ended=record.ended.astimezone(UTC) if record.ended else None,
        scenarios=tuple(
            result for name in dict.fromkeys(record.scenarios) for result in load_scenario(run_folder, name)
        ),
        plan=plan,
        change=record.change,
        machine={key: str(value) for key, value in record.machine.items()},
        backend={key: str(value) for key, value in record.backend.items()},
        phases={key: timedelta(seconds=value) for key, value in record.phases.items()},
        files=survey(run_folder),
        catalogue=catalogue,
        deviations=deviations,
        repetitions=repetitions,
        calibration=record.calibration or {},
        preflight=tuple(Ready(**row.model_dump()) for row in record.preflight or ()),
        people=people,
        earlier=before,
        gaps=gaps + plan_gaps + people_gaps + told_gaps + before_gaps,
    )


def _told(run_folder: Path) -> tuple[tuple[Known, ...], tuple[Told, ...], tuple[Told, ...], tuple[Gap, ...]]:
    """Return what the optional files say; one that is not there is nothing to tell."""
    known, known_gaps = read(run_folder / "catalogue.json", CatalogueRecord, "catalogue.json")
    signed, signed_gaps = read(run_folder / "deviations.json", DeviationsRecord, "deviations.json")
    repeated, repeated_gaps = read(run_folder / "repetition.json", RepetitionRecord, "repetition.json")
    catalogue = (
        {(one.family, one.title_fr): Known(one.family, one.title, one.title_fr) for one in known.root} if known else {}
    )
    return (
        tuple(catalogue[key] for key in sorted(catalogue)),
        tuple(map(_sentence, signed.root)) if signed else (),
        tuple(map(_sentence, repeated.scenarios)) if repeated else (),
        tuple(gap for gap in known_gaps + signed_gaps + repeated_gaps if gap.problem is not Problem.ABSENT),
    )


def _sentence(row: ToldRecord) -> Told:
    return Told(row.scenario, row.sentence, row.sentence_fr, row.standing)


def _people(path: Path) -> tuple[People | None, tuple[Gap, ...]]:
    """Return what people wrote. A run without their file is whole: the form has empty cells, and says so."""
    return people_of(path) if path.exists() else (None, ())


def _guessed(run_folder: Path, gaps: tuple[Gap, ...]) -> CampaignRecord:
    """Return what the folder's own name and content tell of a campaign that left no readable description."""
    named = _FOLDER.fullmatch(run_folder.resolve().name)
    played = sorted(path.parent.name for path in run_folder.glob("*/scenario.json"))
    if not named or not played:
        first = gaps[0]
        detail = f" ({first.detail})" if first.detail else ""
        raise ReportError(f"{run_folder / first.file}: {first.problem.value}{detail}; this is not a usable run folder")
    started = datetime.strptime(named["when"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return CampaignRecord(version=VERSION, plan=named["plan"], started=started, scenarios=tuple(played))


def _plan(path: Path) -> tuple[Plan | None, tuple[Gap, ...]]:
    if not path.is_file():
        return None, (Gap(PLAN, Problem.ABSENT),)
    try:
        return load_plan(path), ()
    except PlanError:
        return None, (Gap(PLAN, Problem.UNREADABLE),)
