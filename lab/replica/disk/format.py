"""Make the image of a disk once: `python3 -m replica.disk.format IMAGE BYTES LOOPS [CONTENT]`.

IMAGE is made, a sparse file of so many bytes that holds an ext4 with the content of the folder CONTENT; LOOPS are the
numbers of loop devices it may use, with commas between.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import ext4, loops
from .errors import DiskError

# No reserved blocks: whoever writes is alone on the disk. One inode for 64 KiB: a database has few files.
# The smallest journal, 4 MiB, since every part of a mirrored volume that is ever written to costs marks. Nothing left
# for the first mount to initialise. No orphan_file: a machine's kernel may be older than the image's e2fsprogs.
_MKE2FS = (
    *("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-i", "65536", "-J", "size=4"),
    *("-O", "^resize_inode,^orphan_file", "-E", "lazy_itable_init=0,lazy_journal_init=0"),
)


def make(image: Path, length: int, numbers: list[int], content: Path | None) -> None:
    """Make the image.

    The content is copied through a mount and not by `mke2fs -d`, which turns blocks of zeros into holes: the database's
    log would be one hole, and each of its first 32 MiB of commits would wait for the journal as well.

    Raises:
        DiskError: it cannot be made, or the content does not fit.
    """
    with image.open("wb") as file:
        file.truncate(length)
    _run(*_MKE2FS, str(image))
    if content is None:
        return
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        _mount(image, where, numbers)
        try:
            _run("cp", "-a", "--sparse=never", f"{content}/.", str(where))
        finally:
            ext4.unmount(where)


def _mount(image: Path, where: Path, numbers: list[int]) -> None:
    file = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        with loops.bound(file, numbers) as device:
            ext4.mount(device, where)
    finally:
        os.close(file)


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DiskError(f"{command[0]} failed: {' '.join(done.stderr.split())[-300:]}")


def main() -> None:
    """Make the image that the command line names."""
    image, length, numbers, *content = sys.argv[1:]
    try:
        make(Path(image), int(length), list(map(int, numbers.split(","))), Path(content[0]) if content else None)
    except DiskError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
