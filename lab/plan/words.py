"""The words of a plan: names, kinds of nodes, continuities, scopes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

NETWORKS = ("management", "storage", "servers")
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,30}$"
"""Safe as host name, container name and file name; 31 characters leave room for suffixes."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]
SwitchNames = Annotated[tuple[Name, ...], Field(min_length=1, max_length=2)]
Count = Annotated[int, Field(gt=0, le=1_000_000)]


class NodeKind(StrEnum):
    """What a node is in the hospital."""

    HOST = "host"
    ARRAY = "array"
    VIRTUALISER = "virtualiser"
    ARBITER = "arbiter"
    WITNESS = "witness"
    RESCUE = "rescue"
    WARD = "ward"


class Continuity(StrEnum):
    """How a server survives the loss of its host."""

    RESTART = "restart"
    PAIR = "pair"
    RESCUE = "rescue"


class Priority(StrEnum):
    """Which servers HA starts again first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Rule(StrEnum):
    """Whether a server may leave the room that it prefers."""

    SHOULD = "should"
    MUST = "must"


class IsolationResponse(StrEnum):
    """What a host that is cut off from everybody does with its servers."""

    LEAVE_ON = "leave on"
    STOP = "stop"


class Scope(StrEnum):
    """How much is lost at once, from the point of view of an objective."""

    ONE_COMPONENT = "one component"
    A_ROOM = "a room"
    COMMON_MODE = "common mode"
    BOTH_ROOMS = "both rooms"
