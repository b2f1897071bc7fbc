"""The catalogue as a page of the docs; whatever it says is derived: from the rows, the plans, and the scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.composing import steps_of
from lab.errors import LabError
from lab.expectation import expect
from lab.front.catalogue.aims import AIMS
from lab.front.catalogue.found import Played, last_verdicts, played
from lab.front.catalogue.rows import Row, rows
from lab.plan import PlanError, load, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.plan import Plan

_SECTIONS = {
    "H": "Compute, HA and network (VMware)",
    "S": "Storage, as VMware sees it",
    "V": "IBM SVC, stretched",
    "R": "A room",
    "U": "The third room",
    "P": "The former recovery plan",
}
_HEAD = """\
# Catalogue of published failures

Written by `bascule catalogue -o docs/scenarios.md`; a test holds it against the rows, the plans and the scenarios.
With `--runs runs` it adds what came of each scenario last, in those runs.

Classes: **A** transparent, **B** carried by the surviving member, **C** restarted by HA, **D** a human decides.
*Published* is what vendors and authors say of the real rooms (sources at the end); *predicted* is what each
shipped plan gives for the first service of the plan, over all its targets: a plan with an application pair is
better off than HA alone, which is why the two differ.
"""
_FOOT = """\
## Not in the lists, and played

{extra}

## Sources

Note 1: in a full cut (S5, V6) the winning room's HA loses both heartbeats of the losing hosts, so that a restart
there may begin at 18-35 s; 320 s is the figure when management stays alive (S4).

- DD-…: Epping and Denneman, vSphere HA deep dive (stretched clusters, restarting, fundamental concepts, advanced
  settings, VM monitoring). NA-SCEN, NA-DES: NetApp, vMSC scenarios and design with MetroCluster. VPLEX: VMware KB
  1026692. APD, FT-LIM, FT-BEH: vSphere 7 and 8 documentation. VMCP: vSphere 6.0 Availability, p. 50. PATH: vSphere
  6.0, path failover. VC-HA: VMware performance blog, 2015-03.
- Q-BW: B. Whyte, "Quorum: how does it work", 2020-02-26. Q-IBM: IBM and Lenovo, SCSI quorum disks. Q-OVR: IBM,
  manual quorum override in a stretched system. Q-IP: IBM support node 7013877. SVC-…: IBM and Lenovo SVC help,
  Storwize V5020 and V5030 manuals, REDP-5477.
- SRM-…: VMware SRM 4.0 to 6.1 documentation. *Memory*: general knowledge without a source; *inference*: deduced
  from a cited rule.
"""


def page(scenarios: Path, runs: Path | None = None) -> str:
    """Write the page."""
    plans = [load(name) for name in shipped()]
    by_row = played(scenarios)
    verdicts = last_verdicts(runs) if runs else {}
    parts = [_HEAD]
    for letter, title in _SECTIONS.items():
        parts.append(f"\n## {title}\n")
        parts += [_entry(row, plans, by_row, verdicts) for row in rows() if row.section == letter]
    known = {row.id for row in rows()}
    extra = [f"- {_test(one)}" for row, found in by_row.items() if row not in known for one in found]
    return "\n".join(parts) + "\n" + _FOOT.format(extra="\n".join(extra) or "Nothing.")


def _entry(row: Row, plans: list[Plan], by_row: dict[str, list[Played]], verdicts: dict[str, str]) -> str:
    lines = [
        f"### {row.id} {row.name}",
        "",
        f"- Fault: {row.fault}",
        f"- Published: {row.behaviour}. Class: {row.klass}. Timing: {row.timing} [{row.source}]",
        f"- Predicted: {_predicted(row, plans)}",
    ]
    found = [one for identifier in (row.id, *row.same_as) for one in by_row.get(identifier, [])]
    lines += [f"- Played: {_test(one)}{_as(row, one)}" for one in found]
    lines += [] if found else [f"- Not played: {row.why or 'nobody has written a scenario for it yet'}"]
    families = dict.fromkeys(one.family for one in found)
    lines += [f"- Last verdict of {family}: {verdicts[family]}" for family in families if family in verdicts]
    return "\n".join([*lines, ""])


def _test(one: Played) -> str:
    return f"`{one.family}` by `{one.test}`" + (f" ({', '.join(one.suites)})" if one.suites else "")


def _as(row: Row, one: Played) -> str:
    return "" if one.family.startswith(row.id) else ", which is the same fault"


def _predicted(row: Row, plans: list[Plan]) -> str:
    if row.id not in AIMS:
        return "no fault that a plan can express"
    return "; ".join(f"{plan.name} {' or '.join(classes(row.id, plan)) or 'has no such target'}" for plan in plans)


def classes(identifier: str, plan: Plan) -> Iterator[str]:
    """The classes that a plan predicts for a row's faults, worst last."""
    service = next(iter(plan.services))
    found: set[str] = set()
    try:
        for fault in AIMS[identifier](plan):
            found.add(str(expect(plan, service, *steps_of(fault, plan)).klass))
    except (PlanError, LabError, ValueError):  # this plan has nothing of the kind
        return
    yield from sorted(found)
