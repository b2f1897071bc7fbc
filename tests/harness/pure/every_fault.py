"""Strategies that draw every fault there is, with targets of a plan."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

import faults
from faults import (
    ArrayReplaced,
    BitRot,
    Blackhole,
    CableCut,
    ControllerBug,
    Crash,
    Duplication,
    During,
    DuringResync,
    Every,
    Flapping,
    FullArray,
    FullDisk,
    HalfDeadSwitch,
    Hang,
    HostMaintenance,
    Isolation,
    Latency,
    Loss,
    MemoryPressure,
    NetworkCut,
    Nothing,
    PermanentDeviceLoss,
    PlannedStop,
    PortLoss,
    PowerLoss,
    Rate,
    ReadErrors,
    Reboot,
    Reordering,
    Restart,
    SlowArray,
    SlowResync,
    Stall,
    Starved,
    SwitchLoss,
    Then,
    VolumeTakenIn,
    WrongClock,
)
from lab.nodes.specs import PLAYED
from lab.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.faulting import Fault
    from lab.plan import Plan

MS = timedelta(milliseconds=1)
COMPOSED = {"Then", "During", "DuringResync", "Every"}


def of(plan: Plan) -> dict[str, st.SearchStrategy[Fault]]:
    """A strategy for each fault that the package shows, but the composed ones."""

    def one(names: Iterable[str]) -> st.SearchStrategy[str]:
        return st.sampled_from(sorted(names))

    def kind(*kinds: NodeKind) -> list[str]:
        return [node.name for node in plan.nodes.values() if node.kind in kinds]

    played = [node for node in plan.nodes.values() if node.kind in PLAYED]
    cables = one(plan.cables)
    ports = [f"{node.name}/{switch}" for node in played for on in node.stands_on.values() for switch in on]
    strands = [f"{cable.name}/{network}" for cable in plan.cables.values() for network in cable.carries]
    wires = one([*plan.cables, *strands, *ports])
    percents = st.integers(1, 99)
    arrays, nodes = one(kind(NodeKind.ARRAY)), one(node.name for node in played)
    on_storage = one(node.name for node in played if "storage" in node.stands_on)
    parted = st.sampled_from([(network, *cable.between) for cable in plan.cables.values() for network in cable.carries])
    programs = st.one_of(
        st.tuples(one(plan.servers), st.sampled_from(["server", "application", "database"])),
        st.tuples(one(kind(NodeKind.HOST)), st.sampled_from(["agent", "guard"])),
    )
    return {
        "ArrayReplaced": st.builds(ArrayReplaced, arrays),
        "BitRot": st.builds(
            BitRot,
            arrays,
            one(name for name in plan.servers if plan.volumes[name].size),
            st.integers(1, 9),
            st.sampled_from(["", "data/dopasoins/acts.ibd"]),
        ),
        "Blackhole": cables.flatmap(
            lambda name: st.sampled_from([None, *plan.cables[name].between]).map(lambda end: Blackhole(name, end))
        ),
        "CableCut": st.lists(cables, min_size=1, max_size=3, unique=True).map(lambda names: CableCut(*names)),
        "ControllerBug": st.just(ControllerBug()),
        "Crash": programs.map(lambda told: Crash(*told)),
        "Duplication": st.builds(Duplication, wires, percents),
        "Flapping": st.builds(Flapping, wires),
        "FullArray": st.builds(FullArray, arrays),
        "FullDisk": st.builds(FullDisk, one(name for name in plan.servers if plan.volumes[name].size)),
        "HalfDeadSwitch": st.builds(HalfDeadSwitch, one(plan.switches)),
        "Hang": st.builds(Hang, nodes),
        "HostMaintenance": st.builds(HostMaintenance, one(kind(NodeKind.HOST))),
        "Isolation": st.builds(Isolation, one([*plan.rooms, *(node.name for node in played)])),
        "Reboot": st.builds(Reboot, nodes),
        "Latency": st.builds(Latency, wires, st.integers(1, 200).map(lambda n: n * MS)),
        "Loss": st.builds(Loss, wires, percents),
        "MemoryPressure": st.builds(MemoryPressure, nodes, st.integers(1, 64)),
        "NetworkCut": parted.map(lambda told: NetworkCut(*told)),
        "Nothing": st.just(Nothing()),
        "PermanentDeviceLoss": st.builds(
            PermanentDeviceLoss,
            one(name for name in plan.servers if plan.volumes[name].size),
            one(name for name, room in plan.rooms.items() if room.hosts),
        ),
        "PlannedStop": st.builds(PlannedStop, one(kind(NodeKind.VIRTUALISER))),
        "PortLoss": on_storage.map(lambda node: PortLoss(node, "storage")),
        "PowerLoss": st.builds(PowerLoss, one([*plan.rooms, *(node.name for node in played)])),
        "Restart": programs.map(lambda told: Restart(*told)),
        "Rate": st.builds(Rate, wires, st.integers(1, 1000)),
        "ReadErrors": st.builds(ReadErrors, arrays, one(name for name in plan.servers if plan.volumes[name].size)),
        "Reordering": st.builds(Reordering, wires, percents),
        "SlowArray": st.builds(SlowArray, arrays, st.integers(1, 200).map(lambda n: n * MS)),
        "SlowResync": st.builds(SlowResync, st.floats(0.5, 100)),
        "Stall": programs.map(lambda told: Stall(*told)),
        "Starved": st.builds(Starved, nodes, percents),
        "SwitchLoss": st.builds(SwitchLoss, one(plan.switches)),
        "VolumeTakenIn": st.builds(VolumeTakenIn, one(name for name in plan.servers if plan.volumes[name].size)),
        "WrongClock": st.builds(WrongClock, nodes, st.just(timedelta(hours=1))),
    }


def simple(plan: Plan) -> st.SearchStrategy[Fault]:
    """Any fault that is not composed."""
    return st.one_of(list(of(plan).values()))


def composed(plan: Plan) -> st.SearchStrategy[Fault]:
    """Faults made of others."""
    any_ = simple(plan)
    arrays = st.sampled_from([node.name for node in plan.nodes.values() if node.kind is NodeKind.ARRAY])
    return st.one_of(
        st.builds(DuringResync, arrays, any_),
        st.lists(any_, min_size=1, max_size=3).map(lambda parts: Then(*parts)),
        st.builds(During, any_, any_, st.just(timedelta(0)), st.sampled_from([None, MS])),
        st.builds(Every, any_, st.just(2 * MS), st.just(MS), st.integers(1, 3)),
    )


def missing() -> set[str]:
    """Faults that the package shows and nothing here draws."""
    from lab.plan import load  # noqa: PLC0415 - a check of this module itself

    return set(faults.__all__) - of(load("tiny")).keys() - COMPOSED
