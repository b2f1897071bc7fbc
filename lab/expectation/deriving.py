"""The class of a service, derived from the plan and what is lost.

Counted in the chain of a service: its servers and their hosts, its arbitrator, the servers network, the wards, and the
storage that serves its volumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.expectation.pair import expect_pair
from lab.expectation.reach import reaches
from lab.expectation.restart import expect_restart
from lab.expectation.storage import storage_after
from lab.plan import Continuity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from lab.expectation.prediction import Prediction
    from lab.plan import Plan


def expect(plan: Plan, service: str, *lost: AbstractSet[str], placement: Mapping[str, str] | None = None) -> Prediction:
    """Derive what clients of a service should see when something is lost, at once or step by step.

    Args:
        plan: The plan.
        service: Name of one of its services.
        lost: Names of rooms, sites, nodes, switches, cables or servers; ``cable/network`` for one network of a cable,
            ``node/switch`` for one port. What one set holds is lost at once, each set after the one before: it
            matters for the storage, whose copies fall behind.
        placement: By server, the host where it runs now, since HA may have moved it; one that is not named runs
            where it started.

    Raises:
        UnknownNameError: The service, a lost name or one of the placement is not in the plan; the sentence lists the
            known ones.
    """
    wanted = plan.service(service)
    steps = reaches(plan, lost, placement)
    reach, stored = steps[-1], storage_after(plan, steps)
    if plan.servers[wanted.runs_on[0]].continuity is Continuity.PAIR:
        return expect_pair(plan, wanted, reach, stored)
    return expect_restart(plan, wanted, reach, stored)
