"""Machines of the replica, and the drivers that power them."""

from lab.nodes.asking import NodeError
from lab.nodes.containers import CAPABILITIES, REPLICA, Containers, Ran
from lab.nodes.specs import successor
from lab.nodes.template import ensure_template

__all__ = ["CAPABILITIES", "REPLICA", "Containers", "NodeError", "Ran", "ensure_template", "successor"]
