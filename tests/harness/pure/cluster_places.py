"""The cluster's world at rest: rooms, hosts and servers."""

from __future__ import annotations

from lab.replica.cluster.catalogue import Catalogue, HostSpec, Priority, ServerSpec

from .storage_network import ARBITERS

STORAGE = "storage"
GATES = {"gate-1": 1, "gate-2": 2}
HOSTS = {"esx-11": 1, "esx-12": 1, "esx-21": 2, "esx-22": 2}
ROOMS = {**HOSTS, **GATES, STORAGE: 1, ARBITERS: 3}


def _pair(name: str, rooms: tuple[str, str], firsts: tuple[str, str]) -> dict[str, ServerSpec]:
    one, other = f"{name}-1", f"{name}-2"
    return {
        one: ServerSpec(2, 2, Priority.HIGH, 1.0, prefers=rooms[0], twin=other, first=firsts[0]),
        other: ServerSpec(2, 2, Priority.HIGH, 1.0, prefers=rooms[1], twin=one, first=firsts[1]),
    }


CATALOGUE = Catalogue(
    {name: HostSpec(f"salle-{room}", 6, 6) for name, room in HOSTS.items()},
    {
        **_pair("dopasoins", ("salle-1", "salle-2"), ("esx-11", "esx-21")),
        **_pair("annuaire", ("", ""), ("esx-12", "esx-22")),
        **{f"seul-{at}": ServerSpec(1, 1, Priority.MEDIUM, 0.6, first=tuple(HOSTS)[at]) for at in range(4)},
        "gros": ServerSpec(2, 3, Priority.MEDIUM, 1.5),
        "sans-volume": ServerSpec(1, 1, Priority.LOW, 0.4, volume=False),
        "attache": ServerSpec(1, 1, Priority.LOW, 0.5, prefers="salle-2", must=True),
        "petit": ServerSpec(1, 1, Priority.LOW, 0.5, prefers="salle-1"),
    },
)
