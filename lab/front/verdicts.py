"""Every scenario ends with a verdict, which its test report carries: the terminal, JUnit and Allure read it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import Inconclusive, LabError, NotMet
from lab.front.targets import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.measure import FailedCheck, Verdict
    from lab.run import Scenario

MET, ACCEPTED, NOT_MET, INCONCLUSIVE, BENCH_ERROR = "met", "accepted", "not-met", "inconclusive", "bench-error"

scenario_key = pytest.StashKey["Scenario"]()
_settled_key = pytest.StashKey[bool]()
listeners_key = pytest.StashKey["list[Callable[[Scenario, str, str], None]]"]()


def begin(item: pytest.Item, scenario: Scenario) -> None:
    """Note which scenario a test plays; who asked hears of its events."""
    item.stash[scenario_key] = scenario
    for listener in item.config.stash.get(listeners_key, []):
        scenario.listeners.append(_bound(listener, scenario))


def _bound(listener: Callable[[Scenario, str, str], None], scenario: Scenario) -> Callable[[str, str], None]:
    return lambda what, text: listener(scenario, what, text)


def leave(item: pytest.Item) -> None:
    """A scenario of the catalogue that was left half-way (Ctrl-C) gets a verdict, and none that is met."""
    scenario = item.stash[scenario_key]
    if item.stash.get(_settled_key, False) or not named(item).marked:
        return
    if scenario.verdict is None:
        _conclude(scenario, "it was stopped")
    else:  # what it insists on besides was not looked at
        scenario.fail(_check(Inconclusive("it was stopped")))


@pytest.hookimpl(wrapper=True, trylast=True)  # the innermost: Allure reads the report after us
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # the report goes through the generator
    """Put the verdict into the report; a scenario that ended without one is inconclusive, with the reason."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    error = call.excinfo.value if call.excinfo is not None else None
    scenario = item.stash.get(scenario_key, None)
    if scenario is not None and (call.when == "call" or error is not None):
        error = _settle(item, scenario, error)
        report.user_properties = list(item.user_properties)
    _reword(item, report, error, dict(report.user_properties))
    return report  # type: ignore[return-value]


def _settle(item: pytest.Item, scenario: Scenario, error: BaseException | None) -> BaseException | None:
    if error is None and scenario.verdict is None and named(item).marked:
        error = Inconclusive("nothing was judged")
    if error is not None:
        _file(scenario, error)
    item.stash[_settled_key] = True
    if scenario.verdict is not None:
        told = properties(scenario, _result(scenario.verdict, error), error)
        others = [pair for pair in item.user_properties if pair[0] not in told]
        item.user_properties[:] = [*others, *told.items()]
    return error


def _file(scenario: Scenario, error: BaseException) -> None:
    """See to it that what is filed is no better than what the session saw."""
    unjudged, check = scenario.verdict is None, _check(error)
    if unjudged:
        _conclude(scenario, "nothing was judged" if check.outcome == NOT_MET else check.sentence)
    if check.outcome == NOT_MET if unjudged else not _is_own(scenario, error):
        scenario.fail(check)


def _is_own(scenario: Scenario, error: BaseException) -> bool:
    """Whether it is a verdict of this scenario that is insisted on, rather than something besides."""
    own = {verdict.sentence for verdict in scenario.judged.values()}
    return isinstance(error, (NotMet, Inconclusive)) and str(error) in own


def _check(error: BaseException) -> FailedCheck:
    """What went wrong besides the objective: the test's own check, or else whatever kept it from its end."""
    from lab.measure import FailedCheck, Outcome  # noqa: PLC0415 - pytest starts without it

    missed = isinstance(error, (AssertionError, pytest.fail.Exception))
    words = str(error).strip() or type(error).__name__
    if missed:
        words = words.splitlines()[0]  # below, pytest explains a plain assertion
    french = error.fr if isinstance(error, NotMet) else words
    return FailedCheck(words, french, Outcome.NOT_MET if missed else Outcome.INCONCLUSIVE)


def _result(verdict: Verdict, error: BaseException | None) -> str:
    """What the session counts: the verdict as it is filed, apart from that an error of the bench has its own name."""
    if verdict.verdict == NOT_MET and not verdict.accepted_by:
        return NOT_MET
    match error:
        case None:
            return ACCEPTED if verdict.accepted_by else str(verdict.verdict)
        case Inconclusive() | pytest.skip.Exception():
            return INCONCLUSIVE
        case _:
            return BENCH_ERROR


def properties(scenario: Scenario, result: str, error: BaseException | None) -> dict[str, Any]:
    """What a report carries of a verdict: plain values, which travel from one process to another."""
    verdict = scenario.verdict
    assert verdict is not None, "only a scenario with a verdict has something to carry"  # noqa: S101 - an invariant
    spoken = error is None or isinstance(error, (NotMet, Inconclusive)) or verdict.failed_check is not None
    said = verdict.sentence if spoken else str(error)
    return {
        "scenario": scenario.id,
        "title": scenario.title,
        "fault": scenario.fault,
        "result": result,
        "verdict": str(verdict.verdict),
        "sentence": said.strip() or type(error).__name__,
        "predicted": verdict.predicted and str(verdict.predicted),
        "observed": verdict.observed and str(verdict.observed),
        "as_predicted": verdict.as_predicted,
        "interruption_s": verdict.interruption.total_seconds(),
        "freeze_s": verdict.freeze.total_seconds(),
        "lost": len(verdict.lost),
        "untraced": len(verdict.untraced),
    }


def _reword(
    item: pytest.Item, report: pytest.TestReport, error: BaseException | None, told: Mapping[str, object]
) -> None:
    """Say it in the verdict's own sentence, not in a traceback of ours."""
    if isinstance(error, LabError) and told.get("result") == NOT_MET:  # no trouble of the bench hides what was measured
        report.outcome = "failed"
        report.longrepr = f"not met: {told['sentence']}"
    elif isinstance(error, Inconclusive):
        report.outcome = "skipped"
        said = str(error)
        said = said if "inconclusive" in said else f"inconclusive: {said}"
        report.longrepr = (str(item.path), item.location[1] or 0, said)
    elif isinstance(error, LabError):
        report.longrepr = f"bench error: {error}"
    elif isinstance(error, NotMet):
        report.longrepr = f"not met: {error}"


def _conclude(scenario: Scenario, reason: str) -> None:
    """File that nothing was measured, and why."""
    from lab.measure import Outcome, Verdict  # noqa: PLC0415 - pytest starts without it

    service = next(iter(scenario.observed), "dopasoins")
    verdict = Verdict(
        scenario=scenario.id,
        service=service,
        verdict=Outcome.INCONCLUSIVE,
        as_predicted=None,
        observed=None,
        predicted=None,
        sentence=f"inconclusive: {reason}",
        sentence_fr=f"essai indéterminé, le banc ou la panne n'ont pas joué leur rôle : {reason}",
        evidence=tuple(scenario.evidence),
    )
    scenario.describe(service, {"interruption_s": None, "freeze_s": None, "loss": None})
    scenario.close(None, verdict)
