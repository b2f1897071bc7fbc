"""Judging a stored run again: from what its folder holds, against its own objectives or others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from lab.errors import LabError
from lab.expectation import expect
from lab.measure import Outcome, Verdict, judge
from lab.measure.wording import Words
from lab.plan import Objective, PlanError, Scope, load
from lab.plan.reading import read as read_yaml
from lab.stored import Promised, Stored, read, scenarios_of

if TYPE_CHECKING:
    from pathlib import Path

    from lab.plan import Plan

    Promises = dict[str, dict[Scope, Objective]]


class AnalysisError(LabError):
    """There is nothing in the folder that could be judged; the sentence says what was looked for."""


@dataclass(frozen=True)
class Again:
    """A scenario judged again, beside what was concluded then."""

    verdict: Verdict
    then: Verdict | None
    missing: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether another conclusion was drawn then."""
        return self.then is not None and self.then.verdict is not self.verdict.verdict


def analyse(run: Path, promises: Promises | None = None) -> list[Again]:
    """Judge every scenario of a run folder again.

    Raises:
        AnalysisError: it holds none.
    """
    folders = scenarios_of(run)
    if not folders:
        raise AnalysisError(f"{run} holds no scenario: a run folder has a folder with history.jsonl for each")
    plan, trouble = _plan(run)
    return [_again(read(folder), plan, trouble, promises) for folder in folders]


def _plan(run: Path) -> tuple[Plan | None, list[str]]:
    try:
        return load(run / "plan.yaml"), []
    except PlanError:
        return None, ["plan.yaml is not there or cannot be read: the prediction is the one made then"]


def _again(stored: Stored, plan: Plan | None, trouble: list[str], promises: Promises | None) -> Again:
    objective, service = _objective(stored, promises), stored.service or "dopasoins"
    if objective is None:
        stored.missing.append("no objective is stored for it: nothing was promised")
    doubts = []
    if stored.window is not None and stored.evidence is None:
        doubts.append(Words("the proofs of the fault are missing", "les preuves de la panne manquent"))
    verdict = judge(
        stored.history,
        stored.readback,
        objective or Promised(),
        scenario=stored.id,
        service=service,
        evidence=stored.evidence or (),
        predicted=_predicted(stored, plan, service),
        fault_window=stored.window,
        doubts=doubts,
        takeover=stored.takeover,
    )
    told = stored.verdict.unprotected if stored.verdict is not None else None
    verdict = replace(verdict, without_redundancy=_unprotected(stored), unprotected=told)
    if stored.verdict is not None and verdict.verdict is Outcome.NOT_MET:
        verdict = replace(verdict, accepted_by=stored.verdict.accepted_by)
    if stored.verdict is not None and stored.verdict.failed_check is not None:  # no objective makes it good
        verdict = verdict.failing(stored.verdict.failed_check)
    return Again(verdict, stored.verdict, (*stored.missing, *trouble))


def _objective(stored: Stored, promises: Promises | None) -> Promised | None:
    """The objective of the file, if it has one for this service and scope; else the one of the day."""
    told = (promises or {}).get(stored.service, {})
    given = told.get(Scope(stored.scope)) if stored.scope in {str(scope) for scope in Scope} else None
    if given is None:
        return stored.objective
    kept = stored.objective.freeze if stored.objective is not None else None
    return Promised(given.interruption, given.freeze or kept, given.loss)


def _predicted(stored: Stored, plan: Plan | None, service: str) -> str | None:
    """The class that the plan lets expect today; the one predicted then where the steps are not stored."""
    if plan is not None and stored.steps:
        try:
            return expect(plan, service, *stored.steps).klass
        except PlanError:
            stored.missing.append("the plan does not know what the fault took: the prediction is the one made then")
    return stored.verdict.predicted if stored.verdict is not None else None


def _unprotected(stored: Stored) -> timedelta | None:
    if stored.window is None or stored.returned is None:
        return None
    if stored.is_counted and stored.verdict is not None:  # it was counted then, and not assumed
        return stored.verdict.without_redundancy
    return timedelta(microseconds=(stored.returned - stored.window[0]) / 1000)


_PROMISES: TypeAdapter[Promises] = TypeAdapter(dict[str, dict[Scope, Objective]])


def promises_of(path: Path) -> Promises:
    """Read a file of objectives: for each service its scopes, each written as in a plan.

    Raises:
        PlanError: it cannot be used; one sentence with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise PlanError("the objectives cannot be read: give a readable YAML file", where=str(path)) from None
    data, lines = read_yaml(text, str(path))
    try:
        return _PROMISES.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = tuple(part for part in first["loc"] if part != "[key]")
        line = next((lines[at[:size]] for size in range(len(at), -1, -1) if at[:size] in lines), 1)
        what = " > ".join(map(str, at)) or "the file"
        told = f"{what}: {first['msg']}; write service, scope, then its bounds as in a plan"
        raise PlanError(told, where=str(path), line=line) from None
