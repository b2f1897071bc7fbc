"""Mount a server's disk, then become the server's program.

`unshare -m --propagation private python3 -m replica.disk.mounted CONFIG.json`, CONFIG as in `config.py`. It ends with
one sentence where the disk cannot be mounted, and never runs the program without it: a database on the node's own
disk instead would lose nothing in a power loss and be three times as fast.

The file system is unmounted by the kernel when the last process of this mount namespace ends, before whoever waits for
that process hears of its end.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import ext4, loops
from .config import DISKS, DiskConfig, read
from .errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIXED = {0, 1}  # exit codes of `e2fsck -p`: nothing was wrong, or all is right now


def mount(config: DiskConfig) -> None:
    """Mount the disk where the configuration says, and make sure that it is there.

    Raises:
        DiskError: it cannot be.
    """
    config.mount.mkdir(parents=True, exist_ok=True)
    with _opened(config) as file:
        found = ext4.examine(file, config.name)
        with loops.bound(file, config.loops) as device:
            if found.has_errors:
                _mend(device, config)
            ext4.mount(device, config.mount)
            config.state.write_text(str(loops.number_of(device)), encoding="ascii")
            expected = os.stat(device).st_rdev  # noqa: PTH116 - a number, not a path
    _forget_files()
    if config.mount.stat().st_dev != expected:
        raise DiskError(f"{config.mount} is not on the disk {config.name}, although it was mounted there")


@contextlib.contextmanager
def _opened(config: DiskConfig) -> Iterator[int]:
    try:
        file = os.open(config.file, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise DiskError(f"the disk {config.name} is not attached: {config.file}: {error.strerror}") from error
    try:
        yield file
    finally:
        os.close(file)


def _mend(device: Path, config: DiskConfig) -> None:
    """What a machine does at its boot when the file system went read-only in its last life."""
    done = subprocess.run(["e2fsck", "-p", str(device)], capture_output=True, text=True, check=False)
    if done.returncode not in _FIXED:
        words = " ".join(done.stdout.split())[-300:]
        raise DiskError(
            f"the file system of the disk {config.name} has errors that e2fsck does not dare to mend: {words}"
        )


def _forget_files() -> None:
    """Let go of every disk's file here: they belong to the outer side, and each lives as long as one mount of it."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for where in (line.split()[1] for line in reversed(lines)):
        if where.startswith(f"{DISKS}/"):
            ext4.unmount(Path(where), lazily=True)


def main() -> None:
    """Mount, then become the program."""
    config = read(Path(sys.argv[1]))
    try:
        mount(config)
    except DiskError as error:
        sys.exit(str(error))
    os.execvp(config.program[0], config.program)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
