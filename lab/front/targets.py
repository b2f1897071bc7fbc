"""A scenario is played for each element of the plan that its parameter names."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lab.expectation import Class, Cut, cuts, expect
from lab.front.options import plan_of
from lab.plan import Continuity, IsolationResponse, NodeKind, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _pytest.mark import ParameterSet

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


def _irreplaceable(plan: Plan) -> list[str]:
    """The hosts of lone servers for which no other host has room, though the rule lets them go there."""
    if plan.ha.rule is Rule.MUST:
        return []
    lone = [one for one in plan.services.values() if plan.servers[one.runs_on[0]].continuity is Continuity.RESTART]
    hosts = {service.name: plan.host_of(service.runs_on[0]) for service in lone}
    return [host for name, host in hosts.items() if expect(plan, name, frozenset({host})).klass is Class.D]


def _between_rooms(plan: Plan) -> list[str]:
    rooms = set(_main_rooms(plan))
    return [cable.name for cable in plan.cables.values() if set(cable.between) <= rooms]


def _servers(plan: Plan, continuity: Continuity) -> list[str]:
    """Those with a volume that a service of the plan runs on."""
    used = [name for service in plan.services.values() for name in service.runs_on]
    return [name for name in used if plan.servers[name].continuity is continuity and plan.volumes[name].size]


def _array_and_its_twin(plan: Plan) -> list[tuple[str, ...]]:
    return [tuple(pair) for pair in permutations(_of_kind(plan, NodeKind.ARRAY), 2)]


def _cables_of_the_third_room(plan: Plan) -> list[tuple[str, ...]]:
    third = [room for room in plan.rooms if room not in _main_rooms(plan)]
    return [tuple(cable.name for cable in plan.cables.values() if room in cable.between) for room in third]


# Where every element of the plan would cost the gate minutes, it plays one of each of these kinds, the plan's first;
# the others bear the mark `thorough`, and are left to the night.
KINDS: dict[str, Callable[[Plan, Any], object]] = {
    "esx_host": lambda plan, host: plan.nodes[host].place,
    "switch": lambda plan, switch: (plan.switches[switch].place, plan.switches[switch].network),
    "cable": lambda plan, cable: frozenset(plan.cables[cable].between),
    "silent_cable": lambda plan, cable: frozenset(plan.cables[cable].between),
    "array": lambda plan, array: plan.nodes[array].kind,
    "storage_port": lambda plan, port: plan.nodes[port[0]].kind,
    "gray_host": lambda plan, host: plan.nodes[host].kind,
    "mirror_cable": lambda plan, cable: frozenset(plan.cables[cable].between),
}


# Not `host`: pytest-testinfra has a fixture of that name.
TARGETS: dict[str, Callable[[Plan], list[str] | list[tuple[str, ...]] | list[Cut]]] = {
    "place_cut": lambda plan: list(cuts(plan)),
    "esx_host": lambda plan: [host for room in plan.rooms.values() for host in room.hosts],
    "switch": lambda plan: list(plan.switches),
    "cable": lambda plan: list(plan.cables),
    "silent_cable": lambda plan: list(plan.cables),
    "parallel_cables": _parallel,
    "room": lambda plan: list(plan.rooms),
    "array": lambda plan: _of_kind(plan, NodeKind.ARRAY),
    "virtualiser": lambda plan: _of_kind(plan, NodeKind.VIRTUALISER),
    "arbiter": lambda plan: _of_kind(plan, NodeKind.ARBITER, NodeKind.WITNESS),
    "every_virtualiser": lambda plan: [tuple(_of_kind(plan, NodeKind.VIRTUALISER))],
    "witness": lambda plan: _of_kind(plan, NodeKind.WITNESS),
    "every_arbiter": lambda plan: [tuple(_of_kind(plan, NodeKind.ARBITER, NodeKind.WITNESS))],
    "parted_rooms": lambda plan: [_storage_rooms(plan)],
    # Written last where both copies are not; read from, since hosts read in the room of the active virtualiser.
    "fresh_array": lambda plan: [
        a for a in _of_kind(plan, NodeKind.ARRAY) if plan.nodes[a].place == plan.preferred_room
    ],
    "array_and_its_twin": _array_and_its_twin,
    "hosts_of_a_room": lambda plan: [_hosts_of(plan, room) for room in _main_rooms(plan)],
    "every_main_room": lambda plan: [tuple(_main_rooms(plan))],
    "hosts_and_far_array": _hosts_and_far_array,
    # Of a plan with another policy than the shipped ones have, such as `--set ha.rule=must`; none where it is theirs.
    "host_that_stops_when_isolated": lambda plan: (
        _of_kind(plan, NodeKind.HOST) if plan.ha.isolation_response is IsolationResponse.STOP else []
    ),
    "room_that_must_keep_its_servers": lambda plan: _main_rooms(plan) if plan.ha.rule is Rule.MUST else [],
    "room_with_the_only_isolation_address": lambda plan: (
        [plan.nodes[plan.isolation_nodes[0]].place] if len(plan.isolation_nodes) == 1 else []
    ),
    "host_off_the_storage_side": lambda plan: [
        _hosts_of(plan, room)[0] for room in _main_rooms(plan) if room != plan.preferred_room
    ][:1],
    "host_that_nobody_can_replace": _irreplaceable,
    "host_of_each_room": lambda plan: [tuple(_hosts_of(plan, room)[0] for room in _main_rooms(plan))],
    "gray_switch": lambda plan: list(
        {switch.network: name for name, switch in reversed(plan.switches.items())}.values()
    ),
    "gray_host": lambda plan: [_hosts_of(plan, room)[0] for room in _main_rooms(plan)],
    "mirror_cable": _between_rooms,
    "mirror_cables": lambda plan: [tuple(_between_rooms(plan))],
    "cables_of_the_third_room": _cables_of_the_third_room,
    "server_with_a_volume": lambda plan: [name for name in plan.servers if plan.volumes[name].size],
    "lone_server": lambda plan: _servers(plan, Continuity.RESTART),
    "paired_server": lambda plan: _servers(plan, Continuity.PAIR),
    # Of a plan with a stand-alone volume, which no shipped one has: `--set servers.imagerie.standalone=baie-2`.
    "standalone_server": lambda plan: [name for name, volume in plan.volumes.items() if volume.alone],
    "storage_port": _doubled_storage_ports,
    # Of a plan that replicates: the room of the array that is copied.
    "room_of_copies": lambda plan: [
        plan.nodes[array].place for array in {volume.replica for volume in plan.volumes.values() if volume.replica}
    ],
    "preferred_room": lambda plan: [str(plan.preferred_room)] if plan.preferred_room else [],
    "first_mirror_cable": lambda plan: _between_rooms(plan)[:1],
    "copied_room": lambda plan: [str(plan.preferred_room)] if plan.storage.replication else [],
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
        plan = plan_of(metafunc.config)
        values = TARGETS[name](plan)
        metafunc.parametrize(name, list(_weighed(plan, name, values)), ids=[_id(value) for value in values])
    if "service" in metafunc.fixturenames:
        service_of(metafunc.definition, plan_of(metafunc.config))


def _weighed(plan: Plan, name: str, values: Iterable[str | tuple[str, ...] | Cut]) -> Iterator[ParameterSet]:
    """Mark each value that is not the first of its kind."""
    seen = set[object]()
    for value in values:
        kind = KINDS[name](plan, value) if name in KINDS else value
        yield pytest.param(value, marks=[pytest.mark.thorough] if kind in seen else [])
        seen.add(kind)


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
