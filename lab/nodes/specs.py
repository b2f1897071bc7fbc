"""What each node is told at its start, derived from the plan. Pure."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lab.plan import IsolationResponse, NodeKind, Rule, Scope
from lab.replica.cluster.catalogue import Catalogue, HostSpec, ServerSpec
from lab.replica.cluster.catalogue import Priority as ClusterPriority
from lab.replica.cluster.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv4Address

    from lab.fabric import Layout
    from lab.plan import Plan, Service, Volume

# Kinds whose programs exist. The others keep their place in the plan until theirs do.
PLAYED = frozenset(
    {NodeKind.HOST, NodeKind.ARRAY, NodeKind.VIRTUALISER, NodeKind.ARBITER, NodeKind.WITNESS, NodeKind.RESCUE}
)
_ARBITERS = frozenset({NodeKind.ARBITER, NodeKind.WITNESS})
NBD = 10809
"""Where storage answers."""
_COPIES = 10811
"""Where an array takes copies: `replica.array.replication.PORT`."""
_NBD_NEW = 10810
_TIMERS = {
    "heartbeat": "heartbeat",
    "host-dead": "host_dead_with_storage",
    "new-master": "new_master",
    "new-master-restarts": "restarts_by_new_master",
    "isolation-declared": "isolation_declared",
    "isolation-response": "isolation_response",
    "master-isolation-declared": "master_isolation_declared",
    "master-isolation-response": "master_isolation_response",
    "guest-shutdown": "guest_shutdown",
    "guest-io-window": "guest_io_window",
    "rules-corrected": "corrected_after",
    "apd": "apd_timeout",
    "vmcp": "vmcp_delay",
}
"""The plan's timers, as the cluster calls them."""
_ATTEMPTS = tuple(f"restart-attempt-{number}" for number in range(2, 6))
# Seconds by which the guard is later than the agent, whose orders stop servers more gently.
_GUARD_WAITS = 5.0
DISK = 256 * 2**20
"""Bytes of a node's own disk: what etcd writes in a long campaign, ten times."""
NEW_ARRAY = "array-neuve"
"""The program of an array's successor, as it is asked."""
BLANK = "blank.ext4"
"""The image from which a node's own disk starts."""
RESCUE_DISK = 512 * 2**20
"""Bytes of the rescue node's disk: an empty PostgreSQL, a clinic for each service, and its log."""
RESCUE = "rescue.ext4"
"""The image from which it starts."""


def successor(array: str) -> str:
    """The array that stands beside another in its cabinet, cabled and empty, to take its place one day."""
    return f"{array}-neuve"


def arbiters(plan: Plan) -> list[str]:
    """The nodes that hold a member of etcd."""
    return [node.name for node in plan.nodes.values() if node.kind in _ARBITERS]


def image_of(size: int) -> str:
    """The image from which a database volume of so many bytes starts."""
    return f"database-{size}.ext4"


def mac(address: IPv4Address) -> str:
    """A locally administered hardware address that tells its owner."""
    return "02:ba:" + ":".join(f"{part:02x}" for part in address.packed)


def bridged(plan: Plan, node: str) -> frozenset[str]:
    """The networks that a node stretches to the servers it carries."""
    return frozenset({"servers"} if plan.nodes[node].kind is NodeKind.HOST else ())


def spec(  # noqa: PLR0913 - all are named at the call
    plan: Plan, layout: Layout, node: str, *, secret: str, defects: tuple[str, ...], loops: Iterable[int]
) -> dict[str, Any]:
    """The whole specification of a node, as `replica.node` reads it."""
    ports = layout.ports_of(node)
    return {
        "name": node,
        "wires": [port.inside for port in ports],
        "firmware": layout.node_firmware(node),
        "programs": [
            *_storage(plan, node, list(defects)),
            *_programs(plan, node, list(defects)),
            *_hypervisor(plan, node, list(loops), {"secret": secret, "defects": list(defects)}),
            *_rescue(plan, layout, node, {"secret": secret, "defects": list(defects)}),
        ],
        "loops": list(loops),
    }


def rescue(plan: Plan) -> str | None:
    """The rescue node, if the plan has one and a service for it."""
    nodes = [node.name for node in plan.nodes.values() if node.kind is NodeKind.RESCUE]
    return nodes[0] if nodes and principal(plan) else None


def principal(plan: Plan) -> list[str]:
    """The services that room three must bring back: those which owe something when both rooms are lost."""
    return [service.name for service in plan.services.values() if Scope.BOTH_ROOMS in service.objectives]


def _rescue(plan: Plan, layout: Layout, node: str, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Room three: every principal service."""
    if node != rescue(plan):
        return
    own = plan.address(node, "servers")
    ports = [port for port in layout.ports_of(node) if port.network == "servers"]
    folder = "/srv/rescue"
    yield {
        "program": "replica.rescue.server",
        "config": {
            "name": node,
            "interface": "br-servers" if layout.is_doubled(ports[0]) else ports[0].inside,
            "folder": folder,
            "logs": "/srv/logs",
            "password": told["secret"],
            "network": str(own.network),
            "services": {name: f"{plan.services[name].address}/{own.network.prefixlen}" for name in principal(plan)},
            **told,
        },
        "disk": {"mount": folder, "size": RESCUE_DISK, "template": f"/opt/images/{RESCUE}"},
    }


def _arbiter_urls(plan: Plan, node: str) -> list[str]:
    """Where the arbiters answer, that of the node's own room first."""
    place = plan.nodes[node].place
    names = sorted(arbiters(plan), key=lambda name: plan.nodes[name].place != place)
    return [f"http://{plan.address(name, 'management').ip}:2379" for name in names]


def _hypervisor(plan: Plan, node: str, loops: list[int], told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A host's hypervisor: it may come to run any server, so it is told of all."""
    if plan.nodes[node].kind is not NodeKind.HOST:
        return
    yield {
        "program": "replica.hypervisor",
        "config": {
            "name": node,
            "servers": {name: _server(plan, name, rank, told) for rank, name in enumerate(plan.servers)},
            "arbiters": _arbiter_urls(plan, node),
            "loops": loops,
            "isolation": isolation_addresses(plan),
            "agent": _agent(plan, node, told["defects"]),
            "isolated_after": ha_settings(plan).isolation_response + _GUARD_WAITS,
            "leave_on": ha_settings(plan).isolation_policy == "leave",
        },
    }


def _agent(plan: Plan, node: str, defects: list[str]) -> dict[str, Any]:
    hosts = [other for other in plan.nodes.values() if other.kind is NodeKind.HOST]
    return {
        "host": node,
        "management": str(plan.address(node, "management").ip),
        "storage": str(plan.address(node, "storage").ip),
        "peers": {host.name: str(plan.address(host.name, "management").ip) for host in hosts if host.name != node},
        "virtualisers": {name: address for name, (address, _) in _virtualisers(plan).items()},
        "isolation": isolation_addresses(plan),
        "arbiters": _arbiter_urls(plan, node),
        "catalogue": catalogue(plan).to_json(),
        "settings": {**asdict(ha_settings(plan)), "defects": defects},
    }


def ha_settings(plan: Plan) -> Settings:
    """The timers and policies of the plan's cluster, scaled; what the plan does not say is the vendor's default."""
    said: dict[str, Any] = {
        field: plan.scaled(timer).total_seconds() for timer, field in _TIMERS.items() if timer in plan.timers
    }
    if all(attempt in plan.timers for attempt in _ATTEMPTS):
        said["attempts"] = (0.0, *(plan.scaled(attempt).total_seconds() for attempt in _ATTEMPTS))
    leave = plan.ha.isolation_response is IsolationResponse.LEAVE_ON
    return replace(
        Settings.scaled(1 / plan.time_scale),
        **said,
        isolation_policy="leave" if leave else "stop",
        admission_cpu=plan.ha.admission.cpu / 100,
        admission_memory=plan.ha.admission.memory / 100,
    )


def catalogue(plan: Plan) -> Catalogue:
    """Hosts and servers as the cluster knows them."""
    hosts = {
        node.name: HostSpec(node.place, node.cpu or 0, node.memory or 0)
        for node in plan.nodes.values()
        if node.kind is NodeKind.HOST
    }
    servers = {
        name: ServerSpec(
            cpu=server.cpu,
            memory=server.memory,
            boot=server.boot.total_seconds() / plan.time_scale,
            priority=ClusterPriority[plan.ha.priority_of(name).upper()],
            prefers=server.prefers or "",
            must=plan.ha.rule is Rule.MUST,
            twin=server.twin or "",
            volume=bool(plan.volumes[name].copies) and plan.volumes[name].alone is None,
            first=plan.host_of(name),
        )
        for name, server in plan.servers.items()
    }
    return Catalogue(hosts, servers)


def isolation_addresses(plan: Plan) -> list[str]:
    """Addresses on management that answer unless a host is isolated: the virtualisers' if the plan names no others."""
    return [str(plan.address(name, "management").ip) for name in plan.isolation_nodes]


def _server(plan: Plan, name: str, rank: int, told: dict[str, Any]) -> dict[str, Any]:
    address = plan.address(name, "servers")
    service = next((service for service in plan.services.values() if name in service.runs_on), None)
    twin = plan.servers[name].twin
    mirrored = bool(plan.volumes[name].copies)
    disk = f"/srv/{name}/disk"
    found: dict[str, Any] = {
        "rank": rank,
        "address": str(address),
        "mac": mac(address.ip),
        "boot": plan.servers[name].boot.total_seconds() / plan.time_scale,
    }
    if service is None:
        return found
    config = _any_server(plan, service, name, {**told, "disk": disk if mirrored else None})
    if twin is not None:
        config |= _member(plan, service, twin, service.runs_on.index(name))
    return found | {
        "program": "replica.lone.server" if twin is None else "replica.pair.server",
        "config": config,
        "volume": {"mount": disk, "nodes": _virtualisers(plan), "array": _alone(plan, name)} if mirrored else None,
    }


def _alone(plan: Plan, server: str) -> dict[str, tuple[str, int]]:
    """The array that serves a stand-alone volume by itself."""
    array = plan.volumes[server].alone
    return {} if array is None else {array: (str(plan.address(array, "storage").ip), NBD)}


def _virtualisers(plan: Plan) -> dict[str, tuple[str, int]]:
    nodes = [node.name for node in plan.nodes.values() if node.kind is NodeKind.VIRTUALISER]
    return {name: (str(plan.address(name, "storage").ip), NBD) for name in nodes}


def _any_server(plan: Plan, service: Service, name: str, told: dict[str, Any]) -> dict[str, Any]:
    own = plan.address(name, "servers")
    third = rescue(plan) if service.name in principal(plan) else None
    feeds = third and {
        "address": str(plan.address(third, "servers").ip),
        "database": service.name,
        "password": told["secret"],
    }
    return {
        "server": name,
        "rescue": feeds,
        "address": str(own),
        "virtual_address": f"{service.address}/{own.network.prefixlen}",
        "folder": f"/srv/{name}",
        "template": "/opt/template/data",
        "interface": "eth0",
        **told,
    }


def _member(plan: Plan, service: Service, twin: str, rank: int) -> dict[str, Any]:
    """What a member of a pair is told besides."""
    return {
        "twin": twin,
        "twin_address": str(plan.address(twin, "servers").ip),
        "arbitrator_address": str(plan.address(str(service.arbitrator), "servers").ip),
        "priority": 150 - 50 * rank,
        "bootstrap": rank == 0,
        "wards": [
            str(plan.address(node.name, "servers").ip) for node in plan.nodes.values() if node.kind is NodeKind.WARD
        ],
    }


def log_folders(plan: Plan, node: str) -> tuple[str, ...]:
    """Where the programs of a node keep their logs."""
    servers = [f"/srv/{name}/logs" for name in plan.servers] if plan.nodes[node].kind is NodeKind.HOST else []
    arbitrates = node in arbiters(plan) or any(service.arbitrator == node for service in plan.services.values())
    return (*servers, *(["/srv/logs"] if arbitrates or node == rescue(plan) else []))


def _storage(plan: Plan, node: str, defects: list[str]) -> Iterator[dict[str, Any]]:
    here = plan.nodes[node]
    volumes = {name: volume for name, volume in plan.volumes.items() if volume.copies}
    common = {"name": node, "plan": plan.name, "port": NBD, "defects": defects}
    if here.kind is NodeKind.ARRAY:
        copies = {
            name: {
                "size": volume.size,
                "template": f"/opt/images/{image_of(volume.size)}",
                "alone": volume.alone == node,
            }
            for name, volume in volumes.items()
            if node in volume.homes
        }
        address, capacity = str(plan.address(node, "storage").ip), here.capacity
        own = {**common, "address": address, "capacity": capacity}
        sends = {"replication": _replication(plan, node)}
        yield {"program": "replica.array", "config": {**own, **sends, "folder": "/srv/array", "volumes": copies}}
        if plan.storage.replication is None:
            yield {
                "program": "replica.array",
                "config": {
                    **own,
                    "name": successor(node),
                    "port": _NBD_NEW,
                    "folder": "/srv/array-neuve",
                    "volumes": {name: {"size": told["size"]} for name, told in copies.items()},
                    "control": f"/run/bascule/{NEW_ARRAY}.sock",
                },
            }
    if here.kind is NodeKind.VIRTUALISER:
        replicated = plan.storage.replication is not None
        arrays = [
            other
            for other in plan.nodes.values()
            if other.kind is NodeKind.ARRAY and (not replicated or other.place == here.place)
        ]
        yield {
            "program": "replica.virtualiser",
            "config": {
                **common,
                "room": here.place,
                "preferred": here.place == plan.preferred_room,
                "replicated": replicated,
                "address": str(plan.address(node, "storage").ip),
                "arbiters": _arbiter_urls(plan, node),
                "arrays": {
                    name: {
                        "address": str(plan.address(array.name, "storage").ip),
                        "port": port,
                        "room": array.place,
                    }
                    for array in arrays
                    for name, port in ((array.name, NBD), (successor(array.name), _NBD_NEW))
                    if port == NBD or not replicated
                },
                "volumes": {
                    name: {"size": volume.size, "copies": _mirrored_on(volume), "alone": volume.alone or ""}
                    for name, volume in volumes.items()
                },
            },
        }


def _mirrored_on(volume: Volume) -> list[str]:
    """The arrays of its copies; of a stand-alone volume those that it has once it is taken in."""
    return [*volume.copies, *([volume.joins] if volume.joins else [])]


def _replication(plan: Plan, node: str) -> dict[str, Any] | None:
    """An array's part in a replication; None in a plan that mirrors."""
    told = plan.storage.replication
    if told is None:
        return None
    peer = next(other for other in plan.nodes.values() if other.kind is NodeKind.ARRAY and other.name != node)
    return {
        "address": str(plan.address(node, "storage").ip),
        "peer": [str(plan.address(peer.name, "storage").ip), _COPIES],
        "every": told.every.total_seconds() / plan.time_scale,
        "role": "source" if plan.nodes[node].place == plan.preferred_room else "target",
    }


def _programs(plan: Plan, node: str, defects: list[str]) -> Iterator[dict[str, Any]]:
    if node in arbiters(plan):
        peers = {name: str(plan.address(name, "management").ip) for name in arbiters(plan)}
        folder = "/srv/arbiter"
        yield {
            "program": "replica.arbiter",
            "config": {
                "name": node,
                "address": peers[node],
                "peers": peers,
                "folder": folder,
                "logs": "/srv/logs",
                "defects": defects,
            },
            "disk": _own_disk(folder),
        }
    for service in plan.services.values():
        if service.arbitrator == node:
            members = [str(plan.address(name, "servers").ip) for name in service.runs_on]
            own = str(plan.address(node, "servers"))
            folder = f"/srv/{service.name}-arbitrator"
            yield {
                "program": "replica.pair.arbitrator",
                "config": {"address": own, "members": members, "folder": folder, "logs": "/srv/logs"},
                "disk": _own_disk(folder),
            }


def _own_disk(folder: str) -> dict[str, Any]:
    return {"mount": folder, "size": DISK, "template": f"/opt/images/{BLANK}"}
