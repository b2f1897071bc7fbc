"""What the instrument is worth on this machine: outages and freezes of known length, and what the wards' clients saw.

A rig of two network namespaces, a ward and a service, joined by two switches and a cable, as in a lab: the same wires,
the same levers, the same pulse and journeys, and a responder that always says yes in the place of the service.
"""

from __future__ import annotations

from .known import Calibration, Known, Seen, calibration
from .playing import LONG, SHORT, Course, play

__all__ = ["LONG", "SHORT", "Calibration", "Course", "Known", "Seen", "calibration", "play"]
