"""What a client is told when it starts."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from lab import private

from .checks import CHECKS, Clinician, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_NS_IN_MS = 1_000_000
_NS_IN_S = 1_000_000_000


def _tag() -> str:
    return secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True)
class Config:
    """A client's configuration, times in milliseconds as its file has them.

    Args:
        history: file to which the history is appended.
        ward: name of the ward.
        url_host: IPv4 address of the service; a name would need a resolver, which a ward has not.
        port: its TCP port.
        clinicians: who signs in; the pulse takes the first.
        patients: whose records are opened; the pulse takes the first.
        connect_ms: how long a connection may take; for the pulse, the whole attempt.
        answer_ms: how long an answer may take, once asked.
        patience_ms: how long an operation may take, retries included, from its intended start.
        interval_ms: the pulse's grid.
        kept_ms: the grid of the pulse's kept connections.
        rate: operations started per second.
        seed: of the mix of operations and of the pauses before retries.
        tag: distinguishes the client numbers and access ids of this run; drawn when not given.
        rounds: how many pulses of one attempt a second go the rounds.
        addresses: whom they ask in turn; the service when there is none.
        closed_loop: planted defect: start nothing while something is under way.
        retry: False is a planted defect: give up at the first attempt that fails.
    """

    history: str
    ward: str
    url_host: str
    clinicians: tuple[Clinician, ...]
    patients: tuple[str, ...]
    port: int = 80
    connect_ms: float = 250
    answer_ms: float = 2000
    patience_ms: float = 10_000
    interval_ms: float = 10
    kept_ms: float = 100
    rate: float = 10
    seed: int = 1
    tag: str = field(default_factory=_tag)
    rounds: int = 450
    addresses: tuple[str, ...] = ()
    closed_loop: bool = False
    retry: bool = True

    @property
    def interval_ns(self) -> int:
        """The pulse's grid."""
        return round(self.interval_ms * _NS_IN_MS)

    @property
    def kept_interval_ns(self) -> int:
        """The grid of the pulse's kept connections."""
        return round(self.kept_ms * _NS_IN_MS)

    @property
    def operation_interval_ns(self) -> int:
        """The journeys' grid."""
        return round(_NS_IN_S / self.rate)

    @property
    def rounds_interval_ns(self) -> int:
        """The grid on which one pulse of the rounds follows another; each beats again when all have."""
        return _NS_IN_S // self.rounds

    @classmethod
    def load(cls, path: Path) -> Config:
        """Read a configuration file.

        Raises:
            ConfigError: it is not there, is open to others than its owner, is not JSON, or has a key that is
                unknown, missing or of a wrong value.
        """
        try:
            return cls.of(json.loads(private.read(path)))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: cannot be read as JSON: {error}") from error
        except (ConfigError, private.ExposedError) as error:
            raise ConfigError(f"{path}: {error}") from error

    @classmethod
    def of(cls, raw: object) -> Config:
        """Make a configuration of what a file holds.

        Raises:
            ConfigError: as `load`.
        """
        if not isinstance(raw, dict):
            raise ConfigError("a configuration is a JSON object")
        known = [f.name for f in fields(cls)]
        if unknown := sorted(set(raw) - set(known)):
            raise ConfigError(f"unknown key {unknown[0]!r}; known: {', '.join(known)}")
        if missing := [name for name in known[:5] if name not in raw]:
            raise ConfigError(f"{missing[0]} is missing")
        return cls(**{name: CHECKS[name](name, value) for name, value in raw.items()})

    def to_json(self) -> str:
        """The text of a configuration file."""
        return json.dumps({**asdict(self), "clinicians": [c._asdict() for c in self.clinicians]})
