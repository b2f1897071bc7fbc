"""Nodes and servers seen through pytest-testinfra, and the checks that a whole lab passes."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lab.errors import LabError
from lab.nodes import NodeError
from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.bench import Lab


def member(lab: Lab) -> tuple[str, str]:
    """A server of the pair, and its host."""
    name = lab.plan.services["dopasoins"].runs_on[0]
    return name, lab.plan.host_of(name)


def test_a_host_shows_its_processes_files_mounts_packages_and_interfaces(whole: Lab) -> None:
    server, node = member(whole)
    host = whole.host(node)
    database = host.process.get(comm="mariadbd")
    assert database.user == "mysql"
    assert f"/srv/{server}/" in database.args
    cnf = host.file(f"/srv/{server}/my.cnf")
    assert cnf.is_file
    assert cnf.contains("wsrep_on=ON")
    assert not host.file("/srv/nothing").exists
    assert host.mount_point("/run").filesystem == "tmpfs"
    assert host.package("mariadb-server").is_installed
    assert not host.package("nginx").is_installed
    assert host.interface("br-servers").exists
    assert not host.interface("eth9").exists
    assert host.system_info.type == "linux"
    assert host.backend.get_pytest_id() == f"bascule://{node}"
    assert host.run("echo é %s; echo out >&2; exit 3", "a b").stdout == "é a b\n"
    assert host.run("echo out >&2; exit 3").rc == 3
    assert host.run("echo out >&2; exit 3").stderr == "out\n"


def test_a_server_has_addresses_and_sockets_of_its_own(whole: Lab) -> None:
    server, node = member(whole)
    there = whole.host(server)
    assert str(whole.plan.address(server, "servers").ip) in there.interface("eth0").addresses
    assert there.socket("tcp://0.0.0.0:80").is_listening
    assert there.socket(f"tcp://{whole.plan.address(server, 'servers').ip}:4567").is_listening
    assert not whole.host(node).socket("tcp://0.0.0.0:80").is_listening
    assert whole.host(str(whole.plan.services["dopasoins"].arbitrator)).process.filter(comm="garbd")


def test_an_unknown_name_is_answered_with_the_known_ones(whole: Lab) -> None:
    server, node = member(whole)
    with pytest.raises(LabError, match=f"is called 'esx-99'; known: .*{server}.*{node}"):
        whole.host("esx-99")


def test_a_node_without_power_is_an_error_of_the_bench(whole: Lab) -> None:
    _, node = member(whole)
    whole.levers.power_off([node])
    wait_until(lambda: not whole.nodes.is_on(node), within=5, because="it lives")
    with pytest.raises(NodeError, match=node):
        whole.host(node).run("true")
    assert [str(check) for check in whole.checks() if not check.holds] == [f"{node}: it answers: no"]


def test_a_standby_without_its_keepalived_is_seen_before_it_is_needed(whole: Lab) -> None:
    server, node = member(whole)
    host = whole.host(node)
    parent = host.check_output('pgrep -f -o -- "-m replica.pair.server"')
    assert host.run(f"kill -STOP {parent} && pkill -KILL -x keepalived").rc == 0  # or it would start it again
    assert whole.ailments() == [f"{node}: virtual address of {server} runs (keepalived): no"]
    assert host.run(f"kill -CONT {parent}").rc == 0
    whole.wait_whole()


def test_all_nodes_are_asked_side_by_side(whole: Lab) -> None:
    taken = []
    for _ in range(5):
        begun = time.monotonic()
        checks = whole.checks()
        taken.append(time.monotonic() - begun)
        assert [str(check) for check in checks if not check.holds] == []
    assert {check.node for check in checks} == set(whole.nodes.nodes)
    print("median of five:", sorted(taken)[2], "s")  # noqa: T201 - a figure to read, in the test's own output


def test_testinfra_is_loaded_only_by_who_asks_for_a_host() -> None:
    program = "import sys, lab.bench; sys.exit('testinfra' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
