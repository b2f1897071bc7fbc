"""What the infrastructure is and owes: the plan, its file, the shipped plans."""

from __future__ import annotations

from lab.plan.derived import Node, Place, Switch
from lab.plan.drawing import draw
from lab.plan.elements import (
    Admission,
    Cable,
    HighAvailability,
    Network,
    Objective,
    Room,
    Server,
    Service,
    Site,
    Storage,
    Timer,
)
from lab.plan.errors import PlanError, UnknownNameError
from lab.plan.files import load, loads, shipped
from lab.plan.model import Plan
from lab.plan.schemas import schema, schema_text
from lab.plan.storage import Volume
from lab.plan.units import format_duration, format_size, parse_duration, parse_size
from lab.plan.words import NETWORKS, Continuity, IsolationResponse, NodeKind, Priority, Rule, Scope
from lab.plan.writing import dumps

__all__ = [
    "NETWORKS",
    "Admission",
    "Cable",
    "Continuity",
    "HighAvailability",
    "IsolationResponse",
    "Network",
    "Node",
    "NodeKind",
    "Objective",
    "Place",
    "Plan",
    "PlanError",
    "Priority",
    "Room",
    "Rule",
    "Scope",
    "Server",
    "Service",
    "Site",
    "Storage",
    "Switch",
    "Timer",
    "UnknownNameError",
    "Volume",
    "draw",
    "dumps",
    "format_duration",
    "format_size",
    "load",
    "loads",
    "parse_duration",
    "parse_size",
    "schema",
    "schema_text",
    "shipped",
]
