"""The published failures as faults, aimed at every element of a plan that they may strike."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations, product
from typing import TYPE_CHECKING

from faults import (
    BitRot,
    CableCut,
    ControllerBug,
    During,
    DuringResync,
    NetworkCut,
    PermanentDeviceLoss,
    PlannedStop,
    PortLoss,
    PowerLoss,
    ReadErrors,
    SlowArray,
    SwitchLoss,
    Then,
)
from lab.plan import NodeKind, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.faulting import Fault
    from lab.plan import Plan, Volume

    Aim = Callable[[Plan], Iterable[Fault]]


def _of(plan: Plan, *kinds: NodeKind) -> list[str]:
    return [node.name for node in plan.nodes.values() if node.kind in kinds]


def _hosts(plan: Plan) -> list[str]:
    return _of(plan, NodeKind.HOST)


def _mirrored(plan: Plan) -> list[Volume]:
    return [volume for volume in plan.volumes.values() if volume.size and not volume.alone]


def _arrays(plan: Plan) -> list[str]:
    return _of(plan, NodeKind.ARRAY)


def _virtualisers(plan: Plan) -> list[str]:
    return _of(plan, NodeKind.VIRTUALISER)


def _arbiters(plan: Plan) -> list[str]:
    return _of(plan, NodeKind.ARBITER, NodeKind.WITNESS)


def _main_rooms(plan: Plan) -> list[str]:
    """The rooms that hosts stand in."""
    return list(dict.fromkeys(plan.nodes[host].place for host in _hosts(plan)))


def _in(plan: Plan, room: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if plan.nodes[name].place == room]


def _between(plan: Plan) -> CableCut:
    one, other = _main_rooms(plan)
    return CableCut(*(cable.name for cable in plan.cables_between(one, other)))


def _parted(plan: Plan, network: str) -> NetworkCut:
    return NetworkCut(network, *_main_rooms(plan))


def _off(names: Iterable[str], scope: Scope = Scope.A_ROOM) -> Then:
    return Then(*map(PowerLoss, names), scope=scope)


def _half(plan: Plan) -> Iterable[Fault]:
    """Compute of one room and storage of the other."""
    for one, other in product(_main_rooms(plan), repeat=2):
        if one != other:
            yield _off([*_in(plan, one, _hosts(plan)), *_in(plan, other, _arrays(plan))], Scope.COMMON_MODE)


def _apart(plan: Plan, room: str) -> CableCut:
    return CableCut(*(cable.name for cable in plan.cables.values() if room in cable.between))


def _third(plan: Plan) -> list[str]:
    return [room for room in plan.rooms if room not in _main_rooms(plan)]


def _component(plan: Plan) -> Iterable[Fault]:
    yield from (SwitchLoss(switch) for switch in plan.switches)
    yield from (CableCut(cable) for cable in plan.cables)


def _paths(plan: Plan, *kinds: NodeKind) -> Iterable[Fault]:
    for name in _of(plan, *kinds):
        for switch in plan.nodes[name].stands_on.get("storage", ()):
            yield PortLoss(name, "storage", switch)


_SLOW = timedelta(milliseconds=20)
AIMS: dict[str, Aim] = {
    "H1": lambda plan: map(PowerLoss, _hosts(plan)),
    "H2": lambda plan: map(PowerLoss, _hosts(plan)),
    "H3": lambda plan: [PortLoss(host, "management") for host in _hosts(plan)],
    "H4": lambda plan: [PortLoss(host, "management") for host in _hosts(plan)],
    "H5": lambda plan: [_parted(plan, "management")],
    "H6": lambda plan: [_off(_in(plan, room, _hosts(plan))) for room in _main_rooms(plan)],
    "H7": _half,
    "H10": lambda plan: [
        _off(pair, Scope.COMMON_MODE)
        for pair in product(*(_in(plan, room, _hosts(plan)) for room in _main_rooms(plan)))
    ],
    "H15": _component,
    "S1": lambda plan: _paths(plan, NodeKind.HOST, NodeKind.VIRTUALISER),
    "S2": lambda plan: [ReadErrors(array, volume.name) for volume in _mirrored(plan) for array in volume.copies],
    "S3": lambda plan: map(PowerLoss, _arrays(plan)),
    "S4": lambda plan: [_parted(plan, "storage")],
    "S5": lambda plan: [_between(plan)],
    "S6": lambda plan: [
        PermanentDeviceLoss(volume.name, plan.nodes[plan.host_of(volume.name)].place) for volume in _mirrored(plan)
    ],
    "S7": lambda plan: [PortLoss(host, "storage") for host in _hosts(plan)],
    "S8": lambda plan: [PortLoss(host, "storage") for host in _hosts(plan)],
    "S9": lambda plan: [PortLoss(host, "storage") for host in _hosts(plan)],
    "S10": lambda plan: _paths(plan, NodeKind.ARRAY),
    "S11": lambda plan: [
        Then(_parted(plan, "storage"), PowerLoss(array))
        for array in _arrays(plan)
        if plan.nodes[array].place == plan.preferred_room
    ],
    "S12": lambda plan: [BitRot(array, volume.name) for volume in _mirrored(plan) for array in volume.copies],
    "V1": lambda plan: map(PowerLoss, _virtualisers(plan)),
    "V2": lambda plan: map(PlannedStop, _virtualisers(plan)),
    "V3": lambda plan: map(PowerLoss, _arrays(plan)),
    "V4": lambda _: [ControllerBug()],
    "V5": lambda plan: map(PowerLoss, _main_rooms(plan)),
    "V6": lambda plan: [_between(plan)],
    "V7": lambda plan: map(PowerLoss, _arbiters(plan)),
    "V8": lambda plan: [Then(PowerLoss(witness), _between(plan)) for witness in _of(plan, NodeKind.WITNESS)],
    "V9": lambda plan: [During(_between(plan), PowerLoss(str(plan.preferred_room)))],
    "V12": lambda plan: [_off(_arbiters(plan), Scope.COMMON_MODE)],
    "V14": lambda plan: [DuringResync(behind, PowerLoss(fresh)) for behind, fresh in permutations(_arrays(plan), 2)],
    "V15": lambda plan: map(CableCut, plan.cables),
    "V16": lambda plan: [SlowArray(array, by=_SLOW) for array in _arrays(plan)],
    "R1": lambda plan: map(PowerLoss, _main_rooms(plan)),
    "U1": lambda plan: [_off(_main_rooms(plan), Scope.BOTH_ROOMS)],
    "P2": lambda plan: [PowerLoss(str(plan.preferred_room))] if plan.storage.replication else [],
    "U2": lambda plan: [_apart(plan, room) for room in _third(plan)],
}
"""By identifier; a row without an aim has no fault of its own, or none that a plan can express."""
