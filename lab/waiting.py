"""Wait for a condition, never for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable


class WaitedInVainError(LabError):
    """A condition did not come true in the time allowed."""


def wait_until(
    condition: Callable[[], bool],
    *,
    within: float,
    because: str | Callable[[], str],
    every: float = 0.02,
) -> float:
    """Return the seconds it took until `condition()` was true.

    Raises:
        WaitedInVainError: it was still false after `within` seconds; `because` ends the sentence.
    """
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > within:
            reason = because if isinstance(because, str) else because()
            raise WaitedInVainError(f"waited {within:g} s in vain: {reason}")
        time.sleep(every)  # noqa: TID251 - the one place that may
    return time.monotonic() - begin
