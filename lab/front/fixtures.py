"""What a scenario asks for: the plan, the lab, the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from lab.front.bench import Bench, builder, default_name
from lab.front.campaign import campaign_of
from lab.front.options import deviations_of, plan_of
from lab.front.signals import listen
from lab.front.targets import named, service_of
from lab.front.verdicts import begin, leave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.bench import Lab
    from lab.plan import Plan
    from lab.run import Run
    from lab.service import Service


@pytest.fixture(scope="session")
def plan(request: pytest.FixtureRequest) -> Plan:
    """The plan under test."""
    return plan_of(request.config)


@pytest.fixture(scope="session")
def bascule_run(request: pytest.FixtureRequest, plan: Plan) -> Run:
    """The run folder of this session."""
    return campaign_of(request.config).open(plan)


@pytest.fixture(scope="session")
def bascule_shared_bench(request: pytest.FixtureRequest, bascule_run: Run) -> Iterator[Bench]:
    """The lab of every module that plants no defect; a gate begins with what its instrument is worth."""
    campaign_of(request.config).calibrate()
    bench = _bench(request, bascule_run, keep=bool(request.config.getoption("--keep-lab")))
    yield bench
    campaign_of(request.config).kept = bench.close()


@pytest.fixture(scope="module")
def bascule_bench(request: pytest.FixtureRequest, bascule_run: Run) -> Iterator[Bench]:
    """The session's lab, or the module's own when it plants defects."""
    marker = request.node.get_closest_marker("lab_defects")
    if marker is None:
        yield request.getfixturevalue("bascule_shared_bench")
        return
    bench = _bench(request, bascule_run, defects=marker.args)
    yield bench
    bench.close()


def _bench(request: pytest.FixtureRequest, run: Run, *, keep: bool = False, defects: tuple[str, ...] = ()) -> Bench:
    listen()
    config, campaign = request.config, campaign_of(request.config)
    name = config.getoption("--lab-name") or default_name(campaign.worker)
    if config.getoption("--lab-name") and campaign.is_worker:
        name = f"{name}-{campaign.worker}"
    build = builder(
        plan=plan_of(config),
        name=f"{name}-defects" if defects else name,
        seed=config.getoption("--seed"),
        keep=keep,
        defects=defects,
        deviations=deviations_of(config),
        say=campaign.say,
    )
    return Bench(build, run, campaign.say, keep=keep)


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A healthy lab in which this test's scenario has begun; one that only says what it would do in a dry run."""
    name = named(request.node)
    if request.config.getoption("--dry-run"):
        from lab.front.rehearsal import DryLab  # noqa: PLC0415 - only a dry run pays for it

        dry = DryLab(plan_of(request.config), name.id, name.title, name.family, campaign_of(request.config).print)
        yield cast("Lab", dry)
        return
    bascule_run: Run = request.getfixturevalue("bascule_run")
    bascule_bench: Bench = request.getfixturevalue("bascule_bench")
    scenario = bascule_run.begin(name.id, name.family, name.title, name.title_fr)
    begin(request.node, scenario)
    healthy = bascule_bench.healthy()
    healthy.begin(scenario)
    yield healthy
    healthy.begin(None)
    leave(request.node)


@pytest.fixture
def service(request: pytest.FixtureRequest, lab: Lab) -> Service:
    """The service that `@pytest.mark.service("…")` names, or the plan's only one."""
    return lab.service(service_of(request.node, lab.plan))
