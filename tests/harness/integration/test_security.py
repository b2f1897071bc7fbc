"""The machine around a lab stays as it was, and the nodes may do what is listed and nothing more."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.enclosure import is_alive
from lab.enclosure.loops import rules
from lab.fabric.firewall import Firewall
from lab.nodes import CAPABILITIES
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.bench import Lab

# What the engine gives every container, and what the lab adds by name.
DEFAULT = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
]
BITS = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]
HARNESS = """
import signal, sys
from lab.bench import Lab
from lab.plan import load
from faults import CableCut, Loss, PowerLoss
Lab.wait_whole = lambda self: None
lab = Lab.up(load("tiny"), name=sys.argv[1])
for fault in (PowerLoss("salle-1"), CableCut("fibre-1s"), Loss("fibre-a", 20)):
    fault.inject(lab)
print("holding", flush=True)
signal.pause()
"""


def machine() -> dict[str, object]:
    """What a lab could have changed around itself: listeners, interfaces, routes, rules, settings."""
    told = {
        name: subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for name, command in {
            "addresses": ["ip", "-o", "address"],
            "routes": ["ip", "route", "show", "table", "all"],
            "queues": ["tc", "qdisc", "show"],
        }.items()
    }
    told["addresses"] = re.sub(r"(valid|preferred)_lft \S+", "", told["addresses"])
    return {**told, "firewall": Firewall().state(), "listening": listening(), "settings": settings()}


def listening() -> set[str]:
    """Sockets that anybody could connect to, in this network namespace."""
    found = set()
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        lines = (line.split() for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:])
        found |= {f"{kind} {words[1]}" for words in lines if words[3] == state}
    return found


def settings() -> dict[str, str]:
    """The kernel's settings that networks and containers tend to change."""
    roots = [Path("/proc/sys/net"), Path("/proc/sys/vm"), Path("/proc/sys/fs/inotify"), Path("/proc/sys/user")]
    names = [path for root in roots for path in root.rglob("*") if path.is_file() and os.access(path, os.R_OK)]
    passing = re.compile(r"nf_conntrack_count|/stat_refresh|route/flush|drop_caches|compact_memory|/random/")
    return {str(path): read(path) for path in names if not passing.search(str(path))}


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def capabilities(mask: int) -> set[str]:
    return {name for bit, name in enumerate(BITS) if mask >> bit & 1}


def test_the_machine_is_as_it_was_while_a_lab_is_broken_and_after_its_harness_was_killed() -> None:
    before, name = machine(), f"around-{os.getpid()}"
    with subprocess.Popen([sys.executable, "-c", HARNESS, name], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "holding\n"
        assert machine() == before
        os.kill(harness.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(name), within=10, because="process 1 lives")
        harness.communicate()
    assert machine() == before


def test_nodes_hold_the_listed_capabilities_and_loop_devices_only(tiny: Lab) -> None:
    allowed = {*DEFAULT, *CAPABILITIES}
    for name, node in tiny.nodes.nodes.items():
        for line in Path(f"{tiny.enclosure.proc(node.pid)}/status").read_text().splitlines():
            if line.startswith(("CapEff:", "CapPrm:", "CapBnd:")):
                assert capabilities(int(line.split()[1], 16)) <= allowed, f"{name}: {line}"
        node.container.reload()
        told = node.container.attrs["HostConfig"]
        assert not told["Privileged"]
        assert sorted(told["CapAdd"]) == sorted(CAPABILITIES)
        assert told["DeviceCgroupRules"] == rules(tiny.enclosure.name)
        assert not told["Devices"]


def test_no_node_sees_an_engine(tiny: Lab) -> None:
    for name in tiny.nodes.nodes:
        found = tiny.nodes.run(name, "find", "/", "-xdev", "-type", "s").output.split()
        assert not [path for path in found if "docker" in path or "containerd" in path or path.endswith("init.sock")], (
            name
        )
        mounts = tiny.nodes.run(name, "cat", "/proc/mounts").output
        assert "docker.sock" not in mounts
        mounted = re.findall(rf" (/\S*{tiny.enclosure.name}\S*) ", mounts)
        assert not mounted, name


def test_no_way_leads_out_of_the_enclosure(tiny: Lab) -> None:
    """Every interface inside is the lab's own, and no route leads to another network."""
    inside = ("nsenter", "-t", str(tiny.enclosure.pid), "-n")
    links = subprocess.run([*inside, "ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    names = {line.split(": ")[1].split("@")[0] for line in links.splitlines()}
    own = set(tiny.layout.bridges.values()) | {port.outside for port in tiny.layout.ports}
    own |= {end for strand in tiny.layout.strands for end in strand.ends}
    builtin = {
        "lo",
        "tunl0",
        "sit0",
        "ip6tnl0",
        "gre0",
        "gretap0",
        "erspan0",
        "ip_vti0",
        "ip6_vti0",
        "ip6gre0",
        "teql0",
    }
    assert names <= own | builtin
    routes = subprocess.run([*inside, "ip", "route"], capture_output=True, text=True, check=True).stdout
    assert not routes.strip()
    for node in tiny.nodes.nodes:
        assert "default" not in tiny.nodes.run(node, "ip", "route").output
