"""A scenario is played for each element of the plan that its parameter names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from lab.expectation import Cut, cuts
from lab.front.options import plan_of
from lab.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.plan import Plan


def _parallel(plan: Plan) -> list[tuple[str, ...]]:
    bundles = {cable.between: plan.cables_between(*cable.between) for cable in plan.cables.values()}
    return [tuple(cable.name for cable in cables) for cables in bundles.values() if len(cables) > 1]


def _of_kind(plan: Plan, *kinds: NodeKind) -> list[str]:
    return [node.name for node in plan.nodes.values() if node.kind in kinds]


def _storage_rooms(plan: Plan) -> tuple[str, ...]:
    """The rooms between which storage is mirrored."""
    return tuple(dict.fromkeys(plan.nodes[name].place for name in _of_kind(plan, NodeKind.ARRAY)))


def _doubled_storage_ports(plan: Plan) -> list[tuple[str, ...]]:
    """Every port on the storage network that its node could do without."""
    switches = {name: node.stands_on.get("storage", ()) for name, node in plan.nodes.items()}
    return [(name, switch) for name, on in switches.items() if len(on) > 1 for switch in on]


def _hosts_of(plan: Plan, room: str) -> tuple[str, ...]:
    return tuple(name for name in _of_kind(plan, NodeKind.HOST) if plan.nodes[name].place == room)


def _main_rooms(plan: Plan) -> list[str]:
    """The rooms that hosts stand in."""
    return list(dict.fromkeys(plan.nodes[host].place for host in _of_kind(plan, NodeKind.HOST)))


def _hosts_and_far_array(plan: Plan) -> list[tuple[str, ...]]:
    """The hosts of one room, and an array of another."""
    arrays = _of_kind(plan, NodeKind.ARRAY)
    return [(*_hosts_of(plan, room), a) for room in _main_rooms(plan) for a in arrays if plan.nodes[a].place != room]


def _between_rooms(plan: Plan) -> list[str]:
    rooms = set(_main_rooms(plan))
    return [cable.name for cable in plan.cables.values() if set(cable.between) <= rooms]


def _cables_of_the_third_room(plan: Plan) -> list[tuple[str, ...]]:
    third = [room for room in plan.rooms if room not in _main_rooms(plan)]
    return [tuple(cable.name for cable in plan.cables.values() if room in cable.between) for room in third]


# Not `host`: pytest-testinfra has a fixture of that name.
TARGETS: dict[str, Callable[[Plan], list[str] | list[tuple[str, ...]] | list[Cut]]] = {
    "place_cut": lambda plan: list(cuts(plan)),
    "esx_host": lambda plan: [host for room in plan.rooms.values() for host in room.hosts],
    "switch": lambda plan: list(plan.switches),
    "cable": lambda plan: list(plan.cables),
    "parallel_cables": _parallel,
    "room": lambda plan: list(plan.rooms),
    "array": lambda plan: _of_kind(plan, NodeKind.ARRAY),
    "virtualiser": lambda plan: _of_kind(plan, NodeKind.VIRTUALISER),
    "arbiter": lambda plan: _of_kind(plan, NodeKind.ARBITER, NodeKind.WITNESS),
    "witness": lambda plan: _of_kind(plan, NodeKind.WITNESS),
    "every_arbiter": lambda plan: [tuple(_of_kind(plan, NodeKind.ARBITER, NodeKind.WITNESS))],
    "parted_rooms": lambda plan: [_storage_rooms(plan)],
    "fresh_array": lambda plan: [
        a for a in _of_kind(plan, NodeKind.ARRAY) if plan.nodes[a].place == plan.preferred_room
    ],
    "hosts_of_a_room": lambda plan: [_hosts_of(plan, room) for room in _main_rooms(plan)],
    "every_main_room": lambda plan: [tuple(_main_rooms(plan))],
    "hosts_and_far_array": _hosts_and_far_array,
    "host_of_each_room": lambda plan: [tuple(_hosts_of(plan, room)[0] for room in _main_rooms(plan))],
    # One of a kind is enough where every one would cost the gate minutes: the first stands in the preferred room.
    "gray_switch": lambda plan: list(
        {switch.network: name for name, switch in reversed(plan.switches.items())}.values()
    ),
    "gray_host": lambda plan: [_hosts_of(plan, room)[0] for room in _main_rooms(plan)],
    "mirror_cable": _between_rooms,
    "mirror_cables": lambda plan: [tuple(_between_rooms(plan))],
    "cables_of_the_third_room": _cables_of_the_third_room,
    "server_with_a_volume": lambda plan: [name for name in plan.servers if plan.volumes[name].size],
    "storage_port": _doubled_storage_ports,
}


class Named(NamedTuple):
    """What a scenario is called, known when it is collected."""

    id: str
    family: str
    title: str
    title_fr: str
    marked: bool


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the parameters that name elements of the plan their values."""
    for name in TARGETS.keys() & set(metafunc.fixturenames):
        values = TARGETS[name](plan_of(metafunc.config))
        ids = [_id(value) for value in values]
        metafunc.parametrize(name, values, ids=ids)
    if "service" in metafunc.fixturenames:
        service_of(metafunc.definition, plan_of(metafunc.config))


def _id(value: str | tuple[str, ...] | Cut) -> str:
    if isinstance(value, Cut):
        return "+".join(filter(None, [value.one, value.other, value.network]))
    return "+".join(value) if isinstance(value, tuple) else value


def named(item: pytest.Item) -> Named:
    """Give a scenario's names: from its marker, its parameters, and the first line of its docstring."""
    marker = item.get_closest_marker("scenario")
    family = str(marker.args[0]) if marker and marker.args else "X"
    parameters = item.callspec.id if hasattr(item, "callspec") else ""
    words = (getattr(getattr(item, "function", None), "__doc__", None) or item.name).strip()
    title = words.splitlines()[0] if words else item.name
    title_fr = str(marker.kwargs.get("fr", title)) if marker else title
    return Named("-".join(filter(None, [family, parameters])), family, title, title_fr, marker is not None)


def service_of(node: pytest.Item, plan: Plan) -> str:
    """Name the service of a test: the marker's, or the plan's only one.

    Raises:
        pytest.UsageError: the plan has none of that name, or several and none is named.
    """
    marker = node.get_closest_marker("service")
    known = sorted(plan.services)
    if marker and marker.args:
        if marker.args[0] not in plan.services:
            raise pytest.UsageError(
                f"{node.nodeid}: no service is called {marker.args[0]!r}; plan {plan.name} has: {', '.join(known)}"
            )
        return str(marker.args[0])
    if len(known) != 1:
        raise pytest.UsageError(
            f"{node.nodeid}: name the service with @pytest.mark.service(…); plan {plan.name} has: {', '.join(known)}"
        )
    return known[0]
