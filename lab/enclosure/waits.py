"""What an engine that does not answer waits for, as far as the kernel tells: for the sentence of the error."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_STARTER = "runc"  # what starts and ends containers for the engine


def waits(threads: Iterable[str], proc: Path = Path("/proc")) -> str:
    """Which of these threads are in an uninterruptible wait, or start a container, and where in the kernel.

    Their memory is left alone: whoever asks for the command of a process that waits for itself waits with it.
    """
    found: Counter[str] = Counter()
    for thread in threads:
        try:
            name, _, rest = (proc / thread / "stat").read_text().partition("(")[2].rpartition(")")
            where = (proc / thread / "wchan").read_text().strip()
        except OSError:  # it has ended
            continue
        if rest.split()[0] == "D" or name.startswith(_STARTER):
            found[f"{name} in {where}"] += 1
    return ", ".join(f"{count} {what}" for what, count in sorted(found.items())) or "nothing that shows"
