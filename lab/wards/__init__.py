"""The clients: what wards ask of the medical record, when, and what came of it, written to a history.

`python -m lab.wards pulse CONFIG.json` and `python -m lab.wards journeys CONFIG.json` run inside a ward's
network
namespace until SIGTERM, then finish what is under way and leave with 0. Standard library only.
"""

from __future__ import annotations

from .checks import Clinician, ConfigError
from .config import Config

__all__ = ["Clinician", "Config", "ConfigError"]
