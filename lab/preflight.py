"""What must be true before anything is broken, with the values read: the settings of the cluster and of the storage.

Read from the nodes themselves, by pytest-testinfra and by asking their programs, and held against the plan: a replica
that was told something else than its plan proves nothing about the plan. The rows are those that a surveyor would ask
of the real infrastructure (VMware's stretched-cluster guide, IBM's stretched-system guide).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.nodes.specs import arbiters, ha_settings
from lab.plan import Continuity, NodeKind
from lab.plan.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sized

    from lab.bench import Lab
    from lab.plan import Plan

TOLD_TO_AGENT = "/run/bascule/agent.json"


@dataclass(frozen=True)
class Row:
    """One thing that must be true: what, in both languages, the value that the plan wants, and the one read."""

    check: str
    check_fr: str
    expected: str
    found: str
    holds: bool

    def __str__(self) -> str:
        read = self.found if self.holds else f"{self.found}, and should be {self.expected}"
        return f"{self.check}: {read}"


def _equal(check: str, check_fr: str, expected: str, found: str) -> Row:
    return Row(check, check_fr, expected, found, holds=expected == found)


def preflight(lab: Lab) -> tuple[Row, ...]:
    """Read all of it.

    Raises:
        LabError: a node does not answer.
    """
    found = list(_cluster(lab)) if lab.cluster.hosts else []
    placement = lab.cluster.placement()
    return (*found, *placed(lab.plan, placement), *capacity(lab.plan, placement), *_storage(lab))


def _cluster(lab: Lab) -> Iterator[Row]:
    hosts, agents = lab.cluster.hosts, lab.cluster.agents()
    known = [said for said in agents.values() if said]
    yield _equal("agents that answer", "agents HA qui répondent", _of(len(hosts), hosts), _of(len(known), hosts))
    masters = sum(said["is_master"] for said in known)
    yield _equal("masters of the cluster", "maîtres de la haute disponibilité", "1", str(masters))
    seeing = sum(said["sees_storage"] for said in known)
    yield _equal(
        "hosts that beat in the storage too",
        "hôtes dont le battement passe aussi par le stockage",
        _of(len(hosts), hosts),
        _of(seeing, hosts),
    )
    wanted = ha_settings(lab.plan)
    told = [json.loads(lab.host(host).file(TOLD_TO_AGENT).content_string)["settings"] for host in hosts]
    scale = lab.plan.time_scale
    for check, check_fr, want, read in (
        (
            "response to isolation",
            "réponse à l'isolement d'un hôte",
            wanted.isolation_policy,
            [one["isolation_policy"] for one in told],
        ),
        (
            "storage lost for good or without a path (VMCP)",
            "perte du stockage, définitive ou de tous les chemins (VMCP)",
            f"{wanted.vmcp_policy}, {(wanted.apd_timeout + wanted.vmcp_delay) * scale:g} s",
            [f"{one['vmcp_policy']}, {(one['apd_timeout'] + one['vmcp_delay']) * scale:g} s" for one in told],
        ),
        (
            "kept free for restarts (admission control)",
            "réservé aux redémarrages (contrôle d'admission)",
            f"{wanted.admission_cpu:.0%} cpu, {wanted.admission_memory:.0%} memory",
            [f"{one['admission_cpu']:.0%} cpu, {one['admission_memory']:.0%} memory" for one in told],
        ),
        (
            "silence after which a host is dead",
            "silence au bout duquel un hôte est déclaré perdu",
            f"{wanted.host_dead_with_storage * scale:g} s",
            [f"{one['host_dead_with_storage'] * scale:g} s" for one in told],
        ),
    ):
        yield _equal(check, check_fr, want, _same(read))


def placed(plan: Plan, placement: Mapping[str, str]) -> Iterator[Row]:
    """Whether servers run, pairs are in two rooms, and each member of a pair is in the room that it prefers."""
    servers = list(plan.servers)
    running = [name for name in servers if name in placement]
    yield _equal("servers that run", "serveurs en marche", _of(len(servers), servers), _of(len(running), servers))
    pairs = [name for name in running if plan.servers[name].continuity is Continuity.PAIR]
    room = {name: plan.nodes[placement[name]].place for name in running}
    apart = [name for name in pairs if room.get(plan.servers[name].twin or "") != room[name]]
    yield _equal(
        "members apart from their twin",
        "membres séparés de leur jumeau",
        _of(len(pairs), pairs),
        _of(len(apart), pairs),
    )
    home = [name for name in pairs if plan.servers[name].prefers in (None, room[name])]
    yield _equal("members in their room", "membres dans leur salle", _of(len(pairs), pairs), _of(len(home), pairs))


def capacity(plan: Plan, placement: Mapping[str, str]) -> Iterator[Row]:
    """Whether what runs would fit without any one room: HA restarts all of it, where the plan promises room for it."""
    if not plan.ha.spares_a_room:
        return
    memory = sum(plan.servers[name].memory for name in placement)
    rooms = {node.place for node in plan.nodes.values() if node.kind is NodeKind.HOST}
    for lost in sorted(rooms):
        left = sum(
            node.memory or 0 for node in plan.nodes.values() if node.kind is NodeKind.HOST and node.place != lost
        )
        yield Row(
            f"memory reserved, against what is left without {lost}",
            f"mémoire réservée, pour ce qui reste sans {lost}",
            f"≤ {format_size(left)}",
            format_size(memory),
            holds=memory <= left,
        )


def _storage(lab: Lab) -> Iterator[Row]:
    status = lab.storage.status()
    nodes: dict[str, Any] = status["virtualisers"]
    if nodes:
        answering = [one for one in nodes.values() if one]
        yield _equal(
            "storage controllers", "contrôleurs de stockage", _of(len(nodes), nodes), _of(len(answering), nodes)
        )
        active = lab.storage.active
        yield _equal(
            "room of the active controller",
            "salle du contrôleur actif",
            str(lab.plan.preferred_room),
            lab.plan.nodes[active].place if active else "-",
        )
        volumes: dict[str, Any] = next((one["volumes"] for one in answering if one["active"]), {})
        copies = [copy for volume in volumes.values() for copy in volume["copies"].values()]
        wanted = sum(len(volume.copies) for volume in lab.plan.volumes.values() if not volume.alone)
        in_sync = sum(copy["in_sync"] for copy in copies)
        yield _equal("copies in step", "copies à jour", f"{wanted}/{wanted}", f"{in_sync}/{wanted}")
    names = arbiters(lab.plan)
    if names:
        healthy = [name for name in names if lab.host(name).run("etcdctl endpoint health").rc == 0]
        yield _equal("arbiters of the quorum", "arbitres du quorum", _of(len(names), names), _of(len(healthy), names))


def _of(count: int, all_of_them: Sized) -> str:
    return f"{count}/{len(all_of_them)}"


def _same(read: list[str]) -> str:
    return " | ".join(dict.fromkeys(read))
