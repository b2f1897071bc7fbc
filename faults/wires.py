"""Wires that faults aim at: a cable, a network of it (`fibre-a/storage`), or a port (`esx-11/sw-storage-1a`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.targets import known
from lab.fabric import Way
from lab.plan import NodeKind

if TYPE_CHECKING:
    from lab.fabric import Layout
    from lab.faulting import Site
    from lab.plan import Plan


def checked(plan: Plan, wire: str, towards: str | None) -> str:
    """Return the wire if the plan knows it and its end.

    Raises:
        PlanError: it does not; the sentence lists the known ones.
    """
    cables = [f"{cable.name}/{network}" for cable in plan.cables.values() for network in cable.carries]
    ports = [
        f"{node.name}/{switch}"
        for node in plan.nodes.values()
        if node.kind is not NodeKind.WARD
        for switches in node.stands_on.values()
        for switch in switches
    ]
    known(wire, [*plan.cables, *cables, *ports], "cable or port")
    first, _, second = wire.partition("/")
    ends = plan.cables[first].between if first in plan.cables else (first, second)
    if towards is not None:
        known(towards, ends, f"end of {wire}")
    return wire


def ways(lab: Site, wire: str, towards: str | None = None) -> list[Way]:
    """Every direction of a wire, or those towards one end: a place for a cable, the node or the switch for a port."""
    checked(lab.plan, wire, towards)
    return wanted_ways(lab.plan, lab.levers.layout, wire, towards)


def wanted_ways(plan: Plan, layout: Layout, wire: str, towards: str | None) -> list[Way]:
    """The same, from what a layout says."""
    first, _, second = wire.partition("/")
    if first not in plan.cables:
        ports = [port for port in layout.ports_of(first) if port.switch == second]
        both = [(first, Way(port.outside, f"{first}:{port.inside}")) for port in ports]
        both += [(second, Way(f"{first}:{port.inside}", port.outside)) for port in ports]
    else:
        strands = [strand for strand in layout.strands_of(first) if second in {"", strand.network}]
        both = []
        for strand in strands:
            one, other = strand.ends
            here, there = (plan.switches[switch].place for switch in strand.switches)
            both += [(there, Way(one, other)), (here, Way(other, one))]
    return [way for end, way in both if towards in {None, end}]


def french(wire: str, towards: str | None) -> str:
    """How the report names a wire and a direction."""
    return f"{wire} {'dans les deux sens' if towards is None else f'vers {towards}'}"
