"""Switches, cables and what can happen to them."""

from lab.fabric.crossing import Crossing
from lab.fabric.fabric import Fabric, FabricError
from lab.fabric.firewall import FirewallError
from lab.fabric.layout import Layout, NodePort, Strand, lay_out
from lab.fabric.wires import Way

__all__ = ["Crossing", "Fabric", "FabricError", "FirewallError", "Layout", "NodePort", "Strand", "Way", "lay_out"]
