"""Switches, cables and what can happen to them."""

from lab.fabric.fabric import Fabric, FabricError
from lab.fabric.firewall import FirewallError
from lab.fabric.layout import Layout, NodePort, Strand, lay_out

__all__ = ["Fabric", "FabricError", "FirewallError", "Layout", "NodePort", "Strand", "lay_out"]
