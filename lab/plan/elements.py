"""The elements of a plan as its file writes them. All that a fault or a report names has a name here."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from lab.plan.units import Duration, Percentage, Size
from lab.plan.words import (
    Continuity,
    Count,
    IsolationResponse,
    Name,
    Names,
    NodeKind,
    Priority,
    Rule,
    Scope,
    SwitchNames,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Element(BaseModel):
    """Anything written in a plan: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Element):
    """An element whose name is its key in the file."""

    name: SkipJsonSchema[Name] = Field(exclude=True, description="Its key in the file.")


class Network(Element):
    """One of the three networks."""

    subnet: IPv4Network = Field(description="Addresses of the network, such as 10.77.1.0/24.")


class Kind(Element):
    """What every node of a kind has unless ``nodes`` says otherwise."""

    networks: Names = Field(description="Networks on which nodes of this kind stand.")
    cpu: Count | None = Field(None, description="Processors offered to servers.")
    memory: Size | None = Field(None, description="Memory offered to servers, such as 64 GiB.")
    capacity: Size | None = Field(None, description="Disk space of an array, such as 4 GiB.")


class NodeException(Element):
    """What one node has that its kind has not."""

    cpu: Count | None = Field(None, description="Processors offered to servers.")
    memory: Size | None = Field(None, description="Memory offered to servers, such as 32 GiB.")
    capacity: Size | None = Field(None, description="Disk space of an array, such as 2 GiB.")
    stands_on: dict[str, Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]] = Field(
        default_factory=dict,
        description="By network, the switches it stands on; by default every switch of its own place.",
    )


class Room(Named):
    """A server room: it can burn, with everything in it."""

    section: ClassVar[str] = "rooms"

    hosts: tuple[Name, ...] = Field((), description="ESX hosts, which run the servers.")
    arrays: tuple[Name, ...] = Field((), description="Disk arrays.")
    virtualisers: tuple[Name, ...] = Field((), description="Storage virtualiser nodes (SVC).")
    arbiters: tuple[Name, ...] = Field((), description="Nodes that hold a member of the arbiter (etcd).")
    witness: Name | None = Field(None, description="The node that breaks ties between the two main rooms.")
    rescue: Name | None = Field(None, description="The Ultime Secours node, on another technology.")
    switches: dict[str, SwitchNames] = Field(
        default_factory=dict, description="By network, the switches of the room: one or two."
    )

    def named_nodes(self) -> Iterator[tuple[tuple[str | int, ...], NodeKind, str]]:
        """Give each node with its path inside the room and its kind, in the order of the file format."""
        lists = (
            ("hosts", NodeKind.HOST, self.hosts),
            ("arrays", NodeKind.ARRAY, self.arrays),
            ("virtualisers", NodeKind.VIRTUALISER, self.virtualisers),
            ("arbiters", NodeKind.ARBITER, self.arbiters),
        )
        for key, kind, names in lists:
            yield from (((key, i), kind, name) for i, name in enumerate(names))
        if self.witness is not None:
            yield ("witness",), NodeKind.WITNESS, self.witness
        if self.rescue is not None:
            yield ("rescue",), NodeKind.RESCUE, self.rescue


class Site(Named):
    """A place that uses the services and burns with no room."""

    section: ClassVar[str] = "sites"

    wards: tuple[Name, ...] = Field((), description="Wards, where the clinicians are.")
    switches: dict[str, SwitchNames] = Field(
        default_factory=dict, description="By network, the switches of the site: one or two."
    )

    def named_nodes(self) -> Iterator[tuple[tuple[str | int, ...], NodeKind, str]]:
        """Give each ward with its path inside the site."""
        yield from ((("wards", i), NodeKind.WARD, name) for i, name in enumerate(self.wards))


class Cable(Named):
    """A cable between two places: it joins each switch of one end to each switch of the other, by network."""

    between: tuple[str, str] = Field(description="The two places it joins.")
    carries: Names = Field(description="The networks it carries.")


class Replication(Element):
    """Copying from the preferred room's array to the other room's, now and then: what is newer is lost with a room."""

    every: Duration = Field(description="From one copy to the next, such as 30 s; divided by time_scale like a timer.")
    source: Text = Field(description="Who published, measured or assumed it.")


class Storage(Element):
    """How the rooms share the storage."""

    prefers: str | None = Field(
        None, description="The room whose virtualiser serves when both could; by default the first that has one."
    )
    replication: Replication | None = Field(
        None, description="Copied now and then to the other room, where a human starts again; without it, mirrored."
    )


class Server(Named):
    """A virtual server: processes with an address of their own, on a host."""

    continuity: Continuity = Field(description="restart (by HA), pair (a twin in another room) or rescue.")
    twin: str | None = Field(None, alias="with", description="The other member of the pair.")
    prefers: str | None = Field(None, description="The room where it should run.")
    cpu: Count = Field(description="Processors reserved.")
    memory: Size = Field(description="Memory reserved, such as 16 GiB.")
    boot: Duration = Field(description="Time from power-on to an application that answers, such as 45 s.")
    volume: Size | None = Field(
        None, description="Size of its data volume, such as 2 GiB; mirrored, unless stand-alone."
    )
    standalone: Name | None = Field(
        None, description="The array on which its volume lies alone, outside the space that the virtualisers mirror."
    )


class Admission(Element):
    """What the hosts keep free, so that servers which lose theirs find another."""

    cpu: Percentage = Field(50, description="Share of all processors kept free, such as 50 %; 0 % to admit everything.")
    memory: Percentage = Field(50, description="Share of all memory kept free, such as 50 %; 0 % to admit everything.")


class HighAvailability(Element):
    """How servers are started again when their host or their storage is lost."""

    priority: dict[Name, Priority] = Field(
        default_factory=dict, description="By server, which are started again first: high, medium (default) or low."
    )
    rule: Rule = Field(
        Rule.SHOULD, description="should: a server may leave the room it prefers; must: it is not started elsewhere."
    )
    isolation_response: IsolationResponse = Field(
        IsolationResponse.LEAVE_ON, description="What a host cut off from everybody does with its servers."
    )
    isolation_addresses: tuple[Name, ...] = Field(
        (),
        description="Nodes on management of which one answers unless a host is cut off; by default the virtualisers.",
    )
    admission: Admission = Field(default_factory=Admission, description="What the hosts keep free.")

    @property
    def spares_a_room(self) -> bool:
        """Whether what runs must fit without any one room: not where all is admitted, or nothing leaves its room."""
        return bool(self.admission.cpu or self.admission.memory) and self.rule is not Rule.MUST

    def priority_of(self, server: str) -> Priority:
        """Give the restart priority of a server."""
        return self.priority.get(server, Priority.MEDIUM)


class Objective(Element):
    """What a service owes when a given scope is lost."""

    interruption: Duration = Field(description="Longest time during which nobody could work, such as 30 min.")
    freeze: Duration | None = Field(None, description="Longest wait of an operation that succeeds.")
    loss: Annotated[int, Field(ge=0)] = Field(description="Acknowledged writes that may be lost.")
    age: Duration | None = Field(
        None,
        description="Writes acknowledged after the last complete copy may be lost too, if that copy is no older than "
        "this when the loss strikes, such as 2 min; divided by time_scale, as the copies' interval is.",
    )
    signed_by: Text = Field("objectif proposé, non signé", description="Who signed the objective.")
    source: Text | None = Field(None, description="Where the figure comes from: document and page.")


class Service(Named):
    """What the clinicians use."""

    runs_on: Names = Field(description="The servers it needs; or the two members of a pair.")
    arbitrator: str | None = Field(None, description="The node that arbitrates the database pair.")
    address: IPv4Address = Field(description="The address the wards use, in the servers subnet.")
    connect: Duration = Field(description="How long a client waits for a connection, such as 250 ms.")
    answer: Duration = Field(description="How long a client waits for an answer, such as 2 s.")
    patience: Duration = Field(description="How long a clinician waits, retries included, such as 10 s.")
    accepted_freeze: Duration = Field(description="Longest wait that still counts as working, such as 5 s.")
    objectives: Annotated[dict[Scope, Objective], Field(min_length=1)] = Field(description="What it owes, by scope.")


class Timer(Element):
    """A duration that somebody published or measured."""

    value: Duration = Field(description="The duration, such as 18 s.")
    source: Text = Field(description="Who published or measured it.")
    acts: bool = Field(
        default=True,
        description="Servers stop or start when it runs out; false for a step on the way, such as a heartbeat.",
    )
