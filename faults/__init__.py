"""The faults, each a frozen dataclass in the hospital's words."""

from faults.arrays import FullArray, ReadErrors, SlowArray
from faults.cables import Blackhole, CableCut
from faults.controller import ControllerBug, PlannedStop
from faults.hang import Hang
from faults.networks import NetworkCut, PortLoss
from faults.nothing import Nothing
from faults.power import PowerLoss, SwitchLoss
from faults.programs import Crash, Stall
from faults.several import Then

__all__ = [
    "Blackhole",
    "CableCut",
    "ControllerBug",
    "Crash",
    "FullArray",
    "Hang",
    "NetworkCut",
    "Nothing",
    "PlannedStop",
    "PortLoss",
    "PowerLoss",
    "ReadErrors",
    "SlowArray",
    "Stall",
    "SwitchLoss",
    "Then",
]
