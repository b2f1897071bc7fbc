"""The class of a service, derived from the plan and what is lost.

Counted in the chain of a service: its servers and their hosts, its arbitrator, the servers network, the wards.
Arrays and virtualisers are not: the members keep their volumes on the disks of their hosts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.expectation.pair import expect_pair
from lab.expectation.reach import Reach
from lab.expectation.restart import expect_restart
from lab.plan import Continuity

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lab.expectation.prediction import Prediction
    from lab.plan import Plan


def expect(plan: Plan, service: str, lost: AbstractSet[str]) -> Prediction:
    """Derive what clients of a service should see when all of ``lost`` is gone at once.

    Args:
        plan: The plan.
        service: Name of one of its services.
        lost: Names of rooms, sites, nodes, switches, cables or servers.

    Raises:
        UnknownNameError: The service or a lost name is not in the plan; the sentence lists the known ones.
    """
    wanted = plan.service(service)
    reach = Reach(plan, lost)
    if plan.servers[wanted.runs_on[0]].continuity is Continuity.PAIR:
        return expect_pair(plan, wanted, reach)
    return expect_restart(plan, wanted, reach)
