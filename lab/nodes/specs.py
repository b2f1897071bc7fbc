"""What each node is told at its start, derived from the plan. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address

    from lab.fabric import Layout
    from lab.plan import Plan, Service

# Kinds whose programs exist. The others keep their place in the plan until theirs do.
PLAYED = frozenset({NodeKind.HOST, NodeKind.ARBITER, NodeKind.WITNESS})


_ARBITERS = frozenset({NodeKind.ARBITER, NodeKind.WITNESS})


def arbiters(plan: Plan) -> list[str]:
    """The nodes that hold a member of etcd."""
    return [node.name for node in plan.nodes.values() if node.kind in _ARBITERS]


def mac(address: IPv4Address) -> str:
    """A locally administered hardware address that tells its owner."""
    return "02:ba:" + ":".join(f"{part:02x}" for part in address.packed)


def bridged(plan: Plan, node: str) -> frozenset[str]:
    """The networks that a node stretches to the servers it carries."""
    return frozenset({"servers"} if plan.nodes[node].kind is NodeKind.HOST else ())


def spec(plan: Plan, layout: Layout, node: str, *, secret: str, defects: tuple[str, ...]) -> dict[str, Any]:
    """The whole specification of a node, as `replica.node` reads it."""
    ports = layout.ports_of(node)
    return {
        "name": node,
        "wires": [port.inside for port in ports],
        "firmware": layout.node_firmware(node),
        "servers": list(_servers(plan, node, {"secret": secret, "defects": list(defects)})),
        "programs": list(_programs(plan, node)),
    }


def _servers(plan: Plan, node: str, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for service in plan.services.values():
        for rank, name in enumerate(service.runs_on):
            if plan.host_of(name) == node and plan.servers[name].twin is not None:
                address = plan.address(name, "servers")
                yield {
                    "name": name,
                    "address": str(address),
                    "mac": mac(address.ip),
                    "program": "replica.pair.server",
                    "config": _member(
                        plan, service, name, {**told, "priority": 150 - 50 * rank, "bootstrap": rank == 0}
                    ),
                }


def _member(plan: Plan, service: Service, name: str, told: dict[str, Any]) -> dict[str, Any]:
    twin = plan.servers[name].twin
    assert twin is not None, f"{name} was taken for a member of a pair"  # noqa: S101 - the caller looked
    own = plan.address(name, "servers")
    return {
        "server": name,
        "address": str(own),
        "twin": twin,
        "twin_address": str(plan.address(twin, "servers").ip),
        "arbitrator_address": str(plan.address(str(service.arbitrator), "servers").ip),
        "virtual_address": f"{service.address}/{own.network.prefixlen}",
        "folder": f"/srv/{name}",
        "template": "/opt/template/data",
        "interface": "eth0",
        "wards": [
            str(plan.address(node.name, "servers").ip) for node in plan.nodes.values() if node.kind is NodeKind.WARD
        ],
        **told,
    }


def log_folders(plan: Plan, node: str) -> tuple[str, ...]:
    """Where the programs of a node keep their logs."""
    servers = [name for name in plan.servers if plan.host_of(name) == node]
    pairs = [service.name for service in plan.services.values() if service.arbitrator == node]
    return (
        *(f"/srv/{name}/logs" for name in servers),
        *(f"/srv/{name}-arbitrator" for name in pairs),
        *(["/srv/arbiter/etcd.log"] if node in arbiters(plan) else []),
    )


def _programs(plan: Plan, node: str) -> Iterator[dict[str, Any]]:
    if plan.nodes[node].kind in _ARBITERS:
        peers = {name: str(plan.address(name, "management").ip) for name in arbiters(plan)}
        yield {
            "program": "replica.arbiter",
            "config": {"name": node, "address": peers[node], "peers": peers, "folder": "/srv/arbiter"},
        }
    for service in plan.services.values():
        if service.arbitrator == node:
            members = [str(plan.address(name, "servers").ip) for name in service.runs_on]
            own = str(plan.address(node, "servers"))
            yield {
                "program": "replica.pair.arbitrator",
                "config": {"address": own, "members": members, "folder": f"/srv/{service.name}-arbitrator"},
            }
