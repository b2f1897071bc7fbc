"""What each key of a client's configuration may be."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, NamedTuple

from lab.errors import LabError

# Ward and tag make the access ids, of which Dopasoins takes 64 characters.
_NAME = re.compile(r"[a-z0-9-]{1,24}")
_MOST_PER_S = 10_000
_MOST_ROUNDS = 1000
_LEAST_MS = 0.1
_MOST_MS = 1e9


class ConfigError(LabError):
    """A client's configuration cannot be used; the sentence names the key and what would be right."""


class Clinician(NamedTuple):
    """Who signs in."""

    clinician: str
    secret: str


def _refused(name: str, value: object, right: str) -> ConfigError:
    return ConfigError(f"{name} is {value!r}; it must be {right}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _refused(name, value, "a text")
    return value


def _word(name: str, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _refused(name, value, "1 to 24 small letters, digits and hyphens")
    return value


def _address(name: str, value: object) -> str:
    try:
        return str(ipaddress.IPv4Address(_text(name, value)))
    except ValueError as error:
        raise _refused(name, value, "an IPv4 address") from error


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refused(name, value, "true or false")
    return value


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refused(name, value, "a whole number from 0")
    return value


def _port(name: str, value: object) -> int:
    number = _whole(name, value)
    if not 0 < number < 1 << 16:
        raise _refused(name, value, "a TCP port, 1 to 65535")
    return number


def _number(name: str, value: object, right: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _refused(name, value, right)
    return value


def _milliseconds(name: str, value: object) -> float:
    right = f"a number of milliseconds, from {_LEAST_MS}"
    number = _number(name, value, right)
    if not _LEAST_MS <= number <= _MOST_MS:
        raise _refused(name, value, right)
    return number


def _rate(name: str, value: object) -> float:
    right = f"a number of operations per second, at most {_MOST_PER_S}"
    number = _number(name, value, right)
    if not 0 < number <= _MOST_PER_S:
        raise _refused(name, value, right)
    return number


def _listed(name: str, value: object, right: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _refused(name, value, right)
    return value


def _clinicians(name: str, value: object) -> tuple[Clinician, ...]:
    right = 'a list of at least one {"clinician": ..., "secret": ...}'
    try:
        return tuple(Clinician(**item) for item in _listed(name, value, right))
    except (TypeError, ConfigError):  # the value is not said: it holds secrets
        raise ConfigError(f"{name} must be {right}") from None


def _patients(name: str, value: object) -> tuple[str, ...]:
    return tuple(_text(name, item) for item in _listed(name, value, "a list of at least one patient's id"))


def _addresses(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _refused(name, value, "a list of IPv4 addresses")
    return tuple(_address(name, item) for item in value)


def _rounds(name: str, value: object) -> int:
    number = _whole(name, value)
    if not 0 < number <= _MOST_ROUNDS:
        raise _refused(name, value, f"a number of pulses, 1 to {_MOST_ROUNDS}")
    return number


CHECKS: dict[str, Any] = {
    "history": _text,
    "ward": _word,
    "url_host": _address,
    "clinicians": _clinicians,
    "patients": _patients,
    "port": _port,
    "seed": _whole,
    "tag": _word,
    "rate": _rate,
    "rounds": _rounds,
    "addresses": _addresses,
    "closed_loop": _flag,
    "retry": _flag,
    **dict.fromkeys(("connect_ms", "answer_ms", "patience_ms", "interval_ms", "kept_ms"), _milliseconds),
}
