"""Asking a program of the replica how it is: one line to its socket, one JSON line back."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from lab.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path


class NodeError(LabError):
    """A node could not be started, stopped or asked."""


def ask(path: Path, line: str, *, within: float, who: str) -> dict[str, Any]:
    """Send a line to the socket; returns the answer.

    Raises:
        NodeError: nobody listens there, the answer did not come within so many seconds, or it is a refusal.
    """
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(within)
        try:
            link.connect(str(path))
            link.sendall(line.encode() + b"\n")
            with link.makefile() as lines:
                answer = lines.readline()
        except OSError as error:
            raise NodeError(f"{who} does not answer {line!r}: {error}") from error
    found: dict[str, Any] = json.loads(answer) if answer else {"error": "it ended"}
    if "error" in found:
        raise NodeError(f"{who} refuses {line!r}: {found['error']}")
    return found
