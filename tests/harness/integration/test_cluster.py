"""Hosts at work: what runs is read from the system, what must not run is ended, orders are obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.bench import Lab

WITHIN = 60.0  # seconds: a boot, and a database that joins its twin, on a busy machine


def servers(lab: Lab, host: str) -> dict[str, Any]:
    """What a host's hypervisor reads from its system; nothing while it does not answer."""
    said = lab.cluster.hypervisors()[host]
    return dict(said["servers"]) if said else {}


def test_a_new_hypervisor_takes_up_what_runs(whole: Lab) -> None:
    host = whole.cluster.host_of("imagerie")
    before = whole.levers.programs.processes_of_server(host, "imagerie")
    number = servers(whole, host)["imagerie"]["number"]
    (old,) = whole.levers.programs.processes(host, "python3 -m replica.hypervisor ")
    whole.run_in(host, "kill", "-KILL", str(old))
    wait_until(
        lambda: whole.levers.programs.processes(host, "python3 -m replica.hypervisor ") not in ([], [old]),
        within=WITHIN,
        because="nobody starts it again",
    )
    wait_until(lambda: "imagerie" in servers(whole, host), within=WITHIN, because="it finds nothing")
    assert servers(whole, host)["imagerie"]["number"] == number
    assert sorted(whole.levers.programs.processes_of_server(host, "imagerie")) == sorted(before)


def test_a_server_that_the_record_has_elsewhere_is_ended_whoever_started_it(whole: Lab) -> None:
    home = whole.cluster.host_of("imagerie")
    other = next(host for host in whole.cluster.hosts if host != home)
    whole.nodes.ask(other, "hypervisor", "start imagerie 99")
    wait_until(lambda: "imagerie" in servers(whole, other), within=WITHIN, because="it was not started")
    wait_until(lambda: "imagerie" not in servers(whole, other), within=WITHIN, because="nobody ends it")
    assert whole.levers.programs.processes_of_server(other, "imagerie") == []
    # Switches may have learnt its address where the ghost was, until the server itself speaks.
    wait_until(whole.service("imagerie").is_whole, within=WITHIN, because="the ghost leaves a trace")


def test_a_host_in_maintenance_is_emptied_and_its_servers_stop_cleanly(whole: Lab) -> None:
    home = whole.cluster.host_of("imagerie")
    log = "/srv/imagerie/logs/mariadb.log"
    stops = int(whole.run_in(home, "sh", "-c", f"grep -c 'mariadbd: Shutdown complete' {log} || true"))
    whole.cluster.order(f"maintenance {home}")
    wait_until(
        lambda: home not in whole.cluster.placement().values() and whole.cluster.is_settled(),
        within=2 * WITHIN,
        because=lambda: str(whole.cluster.running()),
    )
    assert int(whole.run_in(home, "grep", "-c", "mariadbd: Shutdown complete", log)) == stops + 1
    whole.cluster.order(f"service {home}")
    whole.wait_whole()
    whole.go_home()
    assert whole.cluster.host_of("imagerie") == home
