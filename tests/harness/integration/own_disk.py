"""A lab in which the program that serves a disk waits for this disk in the kernel; to be killed while it holds that.

nbdfuse did so when it was short of memory: for a page of the disk to be written. No signal ends that wait. The shortage
itself is no way to bring it about: it came to somebody else, or to nobody within a minute. So here the descriptor by
which requests come is taken from nbdfuse, which stands still, and whoever has it now takes his own request and never
answers.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from lab.bench import Lab
from lab.enclosure.sweep import cgroup_roots
from lab.plan import load

_PIDFD_GETFD = 438  # on every architecture; the C library has no name for it
_WAITS = """
import os, struct, sys, threading
requests, disk = int(sys.argv[1]), sys.argv[2]
own = threading.Thread(target=os.open, args=(disk, os.O_RDONLY))
own.start()
while struct.unpack_from("I", os.read(requests, 2 << 20), 32)[0] != own.native_id:  # FUSE tells whose request it is
    pass  # somebody else's: he waits too
print("holding", flush=True)
threading.Event().wait()
"""


def main(name: str) -> None:
    lab = Lab.up(load("tiny"), name=name)
    files = (file for root in cgroup_roots(lab.enclosure.cgroup) for file in root.rglob("cgroup.procs"))
    tasks = ((file, int(task)) for file in files for task in file.read_text().split())
    group, server = next(one for one in tasks if Path(f"/proc/{one[1]}/comm").read_text() == "nbdfuse\n")
    disk = Path(f"/proc/{server}/cmdline").read_text().split("\0")[1]
    links = Path(f"/proc/{server}/fd").iterdir()
    theirs = next(int(link.name) for link in links if str(link.readlink()) == "/dev/fuse")
    os.kill(server, signal.SIGSTOP)
    requests = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, os.pidfd_open(server), theirs, 0)
    if requests < 0:
        raise OSError(ctypes.get_errno(), "nbdfuse's descriptor cannot be taken")
    # In the node's control group and namespaces, as nbdfuse is.
    inside = f'echo 0 > {group} && exec nsenter -m -p -t {server} python3 -c "$@"'
    subprocess.run(["sh", "-c", inside, "sh", _WAITS, str(requests), disk], pass_fds=[requests], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
