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
from lab.replica.emr.people import clinician_ids, secret_of
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
PLANTED = "planted-0f-5ec2e7s-n0-w0rd"
PLAYS = f"""
import secrets, sys
import pytest

drawn = secrets.token_hex
secrets.token_hex = lambda size=32: {PLANTED!r} if size == 16 else drawn(size)  # the lab's own
sys.exit(pytest.main(sys.argv[1:]))
"""
SCENARIO = """
import pytest

from faults import CableCut


@pytest.mark.scenario("leaky")
@pytest.mark.service("dopasoins")
def test_it(lab, service):
    with service.observed() as history, lab.fault(CableCut("fibre-a")):
        lab.hold()

    service.judge(history).require()
    lab.nodes.collect(lab.scenario.folder / "logs")
    assert not list((lab.scenario.folder / "logs").rglob("*")), vars(lab.scenario)
"""
# What a clinician's browser shows to be let in, as `lab.replica.emr.tokens` signs it.
_TOKEN = re.compile(rb"c\d{3}\.\d{9,}\.[0-9A-Za-z_=-]{8,}")
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


def telling(folder: Path) -> list[str]:
    """The files below a folder that tell a secret: the lab's own, a clinician's, or the proof of one."""
    told = [PLANTED.encode(), *(secret_of(name).encode() for name in clinician_ids())]
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if any(secret in content for secret in told) or _TOKEN.search(content):
            found.append(str(path.relative_to(folder)))
    return found


def test_no_secret_is_told_to_anybody(tmp_path: Path) -> None:
    """Neither run folder, logs, report, JUnit, Allure nor terminal has one, not even of a scenario that failed."""
    (tmp_path / "test_ours.py").write_text(SCENARIO)
    command = [sys.executable, "-c", PLAYS, "--plan", "tiny", "-p", "no:cacheprovider", "--showlocals"]
    command += ["--alluredir", "allure", "--junitxml", "junit.xml", "test_ours.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=300)
    (tmp_path / "terminal").write_bytes(done.stdout + done.stderr)
    names = {path.name for path in tmp_path.rglob("*")}

    assert "not-met" in done.stdout.decode(), done.stdout.decode()[-2000:]
    assert names >= {"history.jsonl", "verdict.json", "rapport.html", "junit.xml", "allure", "logs"}
    assert [path for path in tmp_path.glob("runs/*/leaky/logs/**/*") if path.is_file() and path.stat().st_size]
    assert telling(tmp_path) == []

    (tmp_path / "allure" / "planted.txt").write_text(f"told: {PLANTED}")
    assert telling(tmp_path) == ["allure/planted.txt"], "who finds nothing must be able to find something"


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
