"""What a lone server is told at its start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..pair.config import AnyServer, known

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class LoneConfig(AnyServer):
    """A server without a twin: what every server is told, and no more."""


def read(path: Path) -> LoneConfig:
    """The configuration in this JSON file; keys that are not ours are left alone."""
    return LoneConfig(**known(LoneConfig, path))
