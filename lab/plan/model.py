"""The plan: what the infrastructure is and owes."""

from __future__ import annotations

from functools import cached_property
from ipaddress import IPv4Interface  # noqa: TC003 - pydantic inspects the annotations of the class at run time
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lab.plan import derived
from lab.plan import storage as stored
from lab.plan.elements import (
    Cable,
    HighAvailability,
    Kind,
    Network,
    NodeException,
    Room,
    Server,
    Service,
    Site,
    Storage,
    Timer,
)
from lab.plan.errors import UnknownNameError, unknown
from lab.plan.words import Name, NodeKind

if TYPE_CHECKING:
    from datetime import timedelta

    from lab.plan.derived import Node, Place, Switch
    from lab.plan.storage import Volume

V = TypeVar("V")

NAMED_SECTIONS = ("rooms", "sites", "cables", "servers", "services")


class Plan(BaseModel):
    """Rooms, sites, networks, cables, storage, servers, services and timers. Read one with ``lab.plan.load``.

    Values are checked one by one here; that they hold together is checked by ``load`` and ``loads``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Name of the plan.")
    time_scale: float = Field(
        1.0,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Vendor timers are divided by it.",
    )
    networks: dict[str, Network] = Field(description="management, storage and servers, each with its subnet.")
    kinds: dict[NodeKind, Kind] = Field(description="Defaults by kind of node.")
    exceptions: dict[str, NodeException] = Field(
        default_factory=dict, alias="nodes", description="Exceptions by node to the defaults of its kind."
    )
    rooms: dict[Name, Room] = Field(description="Server rooms.")
    sites: dict[Name, Site] = Field(default_factory=dict, description="Places where the services are used.")
    cables: dict[Name, Cable] = Field(default_factory=dict, description="Cables between places.")
    storage: Storage = Field(default_factory=Storage, description="Which room serves the volumes.")
    ha: HighAvailability = Field(
        default_factory=HighAvailability, description="How servers are started again elsewhere."
    )
    servers: dict[Name, Server] = Field(default_factory=dict, description="Virtual servers.")
    services: dict[Name, Service] = Field(default_factory=dict, description="Services and what they owe.")
    timers: dict[Name, Timer] = Field(default_factory=dict, description="Vendor timers, scaled.")
    failovers: dict[Name, Timer] = Field(
        default_factory=dict, description="Failovers of the lab's own parts, measured, never scaled."
    )

    @model_validator(mode="before")
    @classmethod
    def _names_are_keys(cls, data: Any) -> Any:  # noqa: ANN401 - whatever the file holds; the fields judge it
        if not isinstance(data, dict):
            return data
        return {
            key: {name: {**v, "name": name} if isinstance(v, dict) else v for name, v in section.items()}
            if key in NAMED_SECTIONS and isinstance(section, dict)
            else section
            for key, section in data.items()
        }

    @cached_property
    def places(self) -> dict[str, Place]:
        """Rooms, then sites."""
        return derived.places(self)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Every node, with the defaults of its kind and its own exceptions."""
        return derived.nodes(self)

    @cached_property
    def switches(self) -> dict[str, Switch]:
        """Every switch. Those of a network form a full mesh: by cable between places, by trunk inside one."""
        return derived.switches(self)

    @cached_property
    def preferred_room(self) -> str | None:
        """The room whose virtualiser serves when more than one could; None without virtualisers."""
        return stored.preferred_room(self)

    @cached_property
    def isolation_nodes(self) -> tuple[str, ...]:
        """The nodes on management of which one answers unless a host is cut off from everybody."""
        virtualisers = (node.name for node in self.nodes.values() if node.kind is NodeKind.VIRTUALISER)
        return self.ha.isolation_addresses or tuple(virtualisers)

    @cached_property
    def volumes(self) -> dict[str, Volume]:
        """The volume of each server, mirrored between two rooms; of size 0 for a server without data."""
        return stored.volumes(self)

    @cached_property
    def _addresses(self) -> dict[tuple[str, str], IPv4Interface]:
        return derived.addresses(self)

    @cached_property
    def _placement(self) -> dict[str, str]:
        return derived.placement(self)

    def address(self, name: str, network: str) -> IPv4Interface:
        """Give the address of a node or a server; UnknownNameError when it does not stand on that network."""
        try:
            return self._addresses[name, network]
        except KeyError:
            there = (owner for owner, on in self._addresses if on == network)
            raise UnknownNameError(unknown(f"owner of an address on {network}", name, there)) from None

    def host_of(self, server: str) -> str:
        """Give the host where a server starts; UnknownNameError for a name that is no server."""
        return _known("server", server, self._placement)

    def is_placed(self, server: str) -> bool:
        """Say whether a server found a host; after ``load`` each one has."""
        return server in self._placement

    def scaled(self, timer: str) -> timedelta:
        """Give a vendor timer as the lab plays it: its published value divided by ``time_scale``."""
        return _known("timer", timer, self.timers).value / self.time_scale

    def cables_between(self, a: str, b: str) -> tuple[Cable, ...]:
        """Give the cables that join two places, in the order of the file."""
        return tuple(cable for cable in self.cables.values() if set(cable.between) == {a, b})

    def service(self, name: str) -> Service:
        """Give a service; UnknownNameError lists the known ones."""
        return _known("service", name, self.services)


def _known(what: str, name: str, known: dict[str, V]) -> V:
    try:
        return known[name]
    except KeyError:
        raise UnknownNameError(unknown(what, name, known)) from None
