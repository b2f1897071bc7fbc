"""The faults, each a frozen dataclass in the hospital's words."""

from faults.arrays import FullArray, ReadErrors, SlowArray
from faults.cables import Blackhole, CableCut
from faults.clocks import WrongClock
from faults.controller import ControllerBug, PlannedStop
from faults.disks import FullDisk
from faults.during import During
from faults.every import Every
from faults.flapping import Flapping
from faults.halfdead import HalfDeadSwitch
from faults.hang import Hang
from faults.isolation import Isolation
from faults.latency import Latency
from faults.loss import Loss
from faults.maintenance import ArrayReplaced, HostMaintenance, VolumeTakenIn
from faults.masking import PermanentDeviceLoss
from faults.networks import NetworkCut, PortLoss
from faults.nothing import Nothing
from faults.power import PowerLoss, SwitchLoss
from faults.programs import Crash, Restart, Stall
from faults.rate import Rate
from faults.reboot import Reboot
from faults.resync import DuringResync, SlowResync
from faults.rot import BitRot
from faults.scrambling import Duplication, Reordering
from faults.several import Then
from faults.starved import MemoryPressure, Starved

__all__ = [
    "ArrayReplaced",
    "BitRot",
    "Blackhole",
    "CableCut",
    "ControllerBug",
    "Crash",
    "Duplication",
    "During",
    "DuringResync",
    "Every",
    "Flapping",
    "FullArray",
    "FullDisk",
    "HalfDeadSwitch",
    "Hang",
    "HostMaintenance",
    "Isolation",
    "Latency",
    "Loss",
    "MemoryPressure",
    "NetworkCut",
    "Nothing",
    "PermanentDeviceLoss",
    "PlannedStop",
    "PortLoss",
    "PowerLoss",
    "Rate",
    "ReadErrors",
    "Reboot",
    "Reordering",
    "Restart",
    "SlowArray",
    "SlowResync",
    "Stall",
    "Starved",
    "SwitchLoss",
    "Then",
    "VolumeTakenIn",
    "WrongClock",
]
