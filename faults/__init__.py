"""The faults, each a frozen dataclass in the hospital's words."""

from faults.cables import Blackhole, CableCut
from faults.nothing import Nothing
from faults.power import PowerLoss, SwitchLoss

__all__ = ["Blackhole", "CableCut", "Nothing", "PowerLoss", "SwitchLoss"]
