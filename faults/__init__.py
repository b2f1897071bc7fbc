"""The faults, each a frozen dataclass in the hospital's words."""

from faults.arrays import FullArray, ReadErrors, SlowArray
from faults.cables import Blackhole, CableCut
from faults.controller import ControllerBug
from faults.hang import Hang
from faults.networks import NetworkCut, PortLoss
from faults.nothing import Nothing
from faults.power import PowerLoss, SwitchLoss

__all__ = [
    "Blackhole",
    "CableCut",
    "ControllerBug",
    "FullArray",
    "Hang",
    "NetworkCut",
    "Nothing",
    "PortLoss",
    "PowerLoss",
    "ReadErrors",
    "SlowArray",
    "SwitchLoss",
]
